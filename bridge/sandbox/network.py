"""What the simulated network makes of an operation: refused for a reason, or done with what follows. Pure.

A real network has rules, and so has this one: only who is in a group can change it, an edit comes too late after a
while, a place is shown only by who shares it. Sends have fates of their own (bridge.sandbox.fates); typing and read
marks always succeed. Not here: what is shown of it afterwards (bridge.sandbox.evidence).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from bridge.sandbox import memory
from bridge.sandbox.content import Content
from bridge.sandbox.evidence import SimulatedSend
from bridge.sandbox.ids import guid_for
from bridge.sandbox.memory import CARD, UNSENT, ChatMemory
from bridge.sandbox.people import FACETIME_URL, PLACES, reach_of
from hub.model.observation import ObservedPoll
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of

#: After sending, as on iMessage.
EDIT_WITHIN_MS: Final = 15 * 60_000
UNSEND_WITHIN_MS: Final = 2 * 60_000
_SAYS_SOMETHING: Final = frozenset({OperationKind.GROUP_CREATE, OperationKind.SEND})


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """An operation, and what the network knows that matters for it."""

    attempt_id: str
    line: str
    content: Content
    now_ms: int
    #: Of `names_of(content)`: those that are known.
    memory: Mapping[str, str] = field(default_factory=dict)
    #: The send that an edit or an unsend names.
    target: SimulatedSend | None = None

    @property
    def chat(self) -> ChatMemory | None:
        return memory.read_chat(self.memory.get(self.content.chat.key))


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """It was done."""

    #: The operation with what the network made of it: its answer, the chat as it stands now.
    content: Content
    #: What the network knows from now on, by name.
    memory: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """It was not done, and will not be."""

    code: str
    detail: str


Judged = Done | Refused


def names_of(content: Content) -> tuple[str, ...]:
    """Name what must be known to judge an operation."""
    match content.kind:
        case OperationKind.EDIT | OperationKind.UNSEND:
            return (memory.message_name(content.target or ""),)
        case OperationKind.CONTACT_CARD:
            return (CARD,)
        case _:
            return (content.chat.key,)


def judge(asked: Asked) -> Judged:
    """Say what becomes of an operation that the network has not seen yet."""
    judge_kind = _JUDGES.get(asked.content.kind)
    return Done(content=asked.content) if judge_kind is None else judge_kind(asked)


def _done(asked: Asked, result: dict[str, Any] | None = None, **changes: Any) -> Done:
    return Done(content=msgspec.structs.replace(asked.content, result=result, **changes))


# ---- messages that were sent


def _change_message(asked: Asked) -> Judged:
    """Edit or unsend: only what our line has sent, and soon."""
    content, target = asked.content, asked.target
    if target is None or target.line != asked.line or target.content.kind not in _SAYS_SOMETHING:
        return Refused(code="message_not_found", detail="the network has no such message of this line")
    if target.fate.is_sms:
        return Refused(code="not_imessage", detail="the message went out as an SMS, which stays as it is")
    if memory.message_name(content.target or "") in asked.memory:
        return Refused(code="message_unsent", detail="the message was taken back already")
    is_edit = content.kind is OperationKind.EDIT
    limit_ms = EDIT_WITHIN_MS if is_edit else UNSEND_WITHIN_MS
    if asked.now_ms - target.accepted_at > limit_ms:
        return Refused(code="too_late", detail=f"later than {limit_ms // 60_000} minutes after the sending")
    if is_edit:
        return _done(asked, chat=target.content.chat)
    return Done(
        content=msgspec.structs.replace(content, chat=target.content.chat),
        memory={memory.message_name(content.target or ""): UNSENT},
    )


# ---- groups


def _create_group(asked: Asked) -> Judged:
    chat = asked.content.chat
    for handle in chat.participants:
        if not reach_of(handle).is_imessage:
            return Refused(
                code="not_reachable", detail=f"{handle} is not on iMessage, so it cannot be in a group"
            )
    known = ChatMemory(is_group=True, name=chat.name, members=chat.participants)
    result = {"chat_key": chat.key, "participants": list(chat.participants)}
    return Done(
        content=msgspec.structs.replace(asked.content, result=result),
        memory={chat.key: memory.written(known)},
    )


def _in_group(change: Callable[[Asked, ChatMemory], Judged | ChatMemory]) -> Callable[[Asked], Judged]:
    """Let only who is in a group change it."""

    def judged(asked: Asked) -> Judged:
        chat = asked.chat
        if chat is None or not chat.is_group:
            return Refused(code="group_not_found", detail="the network knows no such group")
        if chat.is_left:
            return Refused(code="not_a_member", detail="the line is no longer in this group")
        changed = change(asked, chat)
        return changed if isinstance(changed, Refused | Done) else _with_chat(asked, changed)

    return judged


def _with_chat(asked: Asked, chat: ChatMemory, result: dict[str, Any] | None = None) -> Done:
    shown = msgspec.structs.replace(asked.content.chat, name=chat.name, participants=chat.members)
    content = msgspec.structs.replace(asked.content, chat=shown, result=result)
    return Done(content=content, memory={shown.key: memory.written(chat)})


def _rename(asked: Asked, chat: ChatMemory) -> ChatMemory:
    return msgspec.structs.replace(chat, name=asked.content.name)


def _change_icon(asked: Asked, chat: ChatMemory) -> Judged | ChatMemory:
    if asked.content.is_removed and chat.icon is None:
        return Refused(code="no_icon", detail="the group has no picture of ours to take away")
    return msgspec.structs.replace(chat, icon=None if asked.content.is_removed else asked.content.file_id)


def _add(asked: Asked, chat: ChatMemory) -> Judged | ChatMemory:
    handle = asked.content.handle or ""
    if handle in chat.members:
        return Refused(code="already_member", detail=f"{handle} is in the group already")
    if not reach_of(handle).is_imessage:
        return Refused(code="not_reachable", detail=f"{handle} is not on iMessage")
    return memory.with_member(chat, handle)


def _remove(asked: Asked, chat: ChatMemory) -> Judged | ChatMemory:
    handle = asked.content.handle or ""
    if handle not in chat.members:
        return Refused(code="not_a_member", detail=f"{handle} is not in the group")
    return memory.without_member(chat, handle)


def _leave(asked: Asked, chat: ChatMemory) -> ChatMemory:
    return msgspec.structs.replace(chat, is_left=True)


# ---- what else a phone can do


def _poll(asked: Asked) -> Judged:
    poll, guid = asked.content.poll or ObservedPoll(provider_id="-"), guid_for(asked.attempt_id)
    other = handle_of(asked.content.chat.key)
    if other is not None and not reach_of(other).is_imessage:
        return Refused(code="not_reachable", detail=f"{other} is not on iMessage, which has the polls")
    made = msgspec.structs.replace(poll, provider_id=guid, attempt_id=asked.attempt_id)
    options = [{"id": option.id, "text": option.text} for option in made.options]
    return _done(asked, {"poll_guid": guid, "options": options}, poll=made)


def _call(asked: Asked) -> Judged:
    handle = asked.content.handle or handle_of(asked.content.chat.key)
    if handle is not None and not reach_of(handle).is_facetime:
        return Refused(code="not_reachable", detail=f"{handle} is not on FaceTime")
    return _done(asked, {"url": f"{FACETIME_URL}{guid_for(asked.attempt_id).lower()}"})


def _locate(asked: Asked) -> Judged:
    handle = asked.content.handle
    if handle is not None and handle not in PLACES:
        return Refused(code="not_sharing", detail=f"{handle} does not share a location with this line")
    shown = [
        {"handle": each, **place, "located_at": asked.now_ms}
        for each, place in PLACES.items()
        if handle in {None, each}
    ]
    return _done(asked, {"places": shown})


def _change_background(asked: Asked) -> Judged:
    chat = asked.chat or ChatMemory(is_group=asked.content.chat.is_group)
    if asked.content.is_removed and chat.background is None:
        return Refused(code="no_background", detail="the chat has no background")
    file_id = None if asked.content.is_removed else asked.content.file_id
    version = chat.background_version + 1
    changed = msgspec.structs.replace(chat, background=file_id, background_version=version)
    background_id = None if file_id is None else guid_for(f"{asked.content.chat.key}:{version}")
    result = {"has_background": file_id is not None, "background_id": background_id, "version": version}
    return Done(
        content=msgspec.structs.replace(asked.content, result=result),
        memory={asked.content.chat.key: memory.written(changed)},
    )


def _show_card(asked: Asked) -> Judged:
    known = memory.read_card(asked.memory.get(CARD))
    match asked.content.action:
        case "set":
            card = {**(known or {}), **(asked.content.card or {})}
            content = msgspec.structs.replace(asked.content, result={"card": card})
            return Done(content=content, memory={CARD: memory.written(card)})
        case "share" if known is None:
            return Refused(code="no_contact_card", detail="the line has no name and photo to share yet")
        case _:
            return _done(asked, {"card": known})


def _check(asked: Asked) -> Judged:
    if asked.content.handles:
        return _done(asked, {"handles": {each: _reach(each) for each in asked.content.handles}})
    handle = asked.content.handle or handle_of(asked.content.chat.key) or ""
    return _done(asked, {"handle": handle, **_reach(handle)})


def _reach(handle: str) -> dict[str, bool]:
    reach = reach_of(handle)
    return {"imessage": reach.is_imessage, "sms": reach.is_sms, "facetime": reach.is_facetime}


_JUDGES: Final[dict[OperationKind, Callable[[Asked], Judged]]] = {
    OperationKind.BACKGROUND: _change_background,
    OperationKind.CHECK: _check,
    OperationKind.CONTACT_CARD: _show_card,
    OperationKind.EDIT: _change_message,
    OperationKind.FACETIME: _call,
    OperationKind.GROUP_ADD: _in_group(_add),
    OperationKind.GROUP_CREATE: _create_group,
    OperationKind.GROUP_ICON: _in_group(_change_icon),
    OperationKind.GROUP_LEAVE: _in_group(_leave),
    OperationKind.GROUP_REMOVE: _in_group(_remove),
    OperationKind.GROUP_RENAME: _in_group(_rename),
    OperationKind.LOCATION: _locate,
    OperationKind.POLL: _poll,
    OperationKind.UNSEND: _change_message,
}

#: Operations that only ask: the network keeps nothing of them, and each answer is fresh.
QUESTIONS: Final = frozenset({OperationKind.CHECK, OperationKind.LOCATION})
