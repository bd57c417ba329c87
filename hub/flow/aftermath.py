"""What an operation that its bridge accepted leaves behind: how the chat stands, a new group, a poll, places, a card.

It is written in the transaction that finishes the outbox item, so a client who sees `sent` sees the rest, too. The
network's own evidence comes through ingest as ever, and says the same or more.
Not here: messages (hub.flow.send).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from hub.flow.chat_life import after_move
from hub.flow.chat_rows import ChatState, MemberRow, PlaceRow, PollRow
from hub.flow.file_ports import FileUseRow
from hub.flow.ports import HotTransaction
from hub.flow.rows import ChatRow
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Line
from hub.model.observation import ObservedOption
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.rules.chatkeys import normalize_chat_key, normalize_handle

log = structlog.get_logger("sends")

Result = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """An operation, and what its bridge answered."""

    line: Line
    operation: Operation
    outcome: OperationOutcome
    now_ms: int

    @property
    def payload(self) -> Mapping[str, Any]:
        return self.operation.payload

    @property
    def result(self) -> Result:
        return dict(self.outcome.result or {})

    @property
    def at(self) -> int:
        """When it took effect, as far as we know: a later word of the network counts more."""
        return self.operation.dispatched_at


async def leave_behind(tx: HotTransaction, accepted: Answered) -> Result | None:
    """Write what follows from an accepted operation; give its result as clients see it.

    A bridge's answer is foreign: one that is not as docs/bridges.md has it leaves nothing behind.
    """
    kind = accepted.operation.kind
    follow = _FOLLOWS.get(kind)
    try:
        return accepted.result or None if follow is None else await follow(tx, accepted)
    except (msgspec.ValidationError, InvalidId) as error:
        log.warning("bridge.misspoke", outbox_id=accepted.operation.outbox_id, kind=kind, error=str(error))
        return None


def _in_chat(
    change: Callable[[ChatState, Answered], ChatState],
) -> Callable[[HotTransaction, Answered], Awaitable[Result | None]]:
    """Let an operation change how its chat stands, if there is such a chat."""

    async def follow(tx: HotTransaction, accepted: Answered) -> Result | None:
        key = (accepted.line.id, str(accepted.payload.get("chat_key", "")))
        states = await tx.chats.states(list((await tx.chats.ids([key])).values()))
        await tx.chats.save_states([change(state, accepted) for state in states])
        return _shown(accepted.result)

    return follow


def _picture(
    kind: str, change: Callable[[ChatState, Answered], ChatState]
) -> Callable[[HotTransaction, Answered], Awaitable[Result | None]]:
    """Let an operation change a chat's picture: the new one is kept, the one before is let go."""
    follow_chat = _in_chat(change)

    async def follow(tx: HotTransaction, accepted: Answered) -> Result | None:
        result = await follow_chat(tx, accepted)
        key = (accepted.line.id, str(accepted.payload.get("chat_key", "")))
        for chat_id in (await tx.chats.ids([key])).values():
            await _show(tx, accepted, kind, user_id=chat_id, file_id=_file_id(accepted.payload))
        return result

    return follow


async def _show(
    tx: HotTransaction, accepted: Answered, kind: str, *, user_id: int, file_id: int | None
) -> None:
    await tx.chats.release_pictures(kind, user_id, kept=file_id, now=accepted.now_ms)
    if file_id is not None:
        await tx.files.use([FileUseRow(file_id, kind, user_id, accepted.line.id)])


def _shown(result: Result) -> Result | None:
    """Leave out what clients know by another name."""
    return {name: value for name, value in result.items() if name != "chat_key"} or None


def _read(state: ChatState, accepted: Answered) -> ChatState:
    return state._replace(own_read_at=max(state.own_read_at or 0, accepted.at), is_marked_unread=0)


def _unread(state: ChatState, accepted: Answered) -> ChatState:
    return state._replace(is_marked_unread=1)


def _renamed(state: ChatState, accepted: Answered) -> ChatState:
    if accepted.at < (state.named_at or 0):
        return state  # the network has told of a newer name already
    return state._replace(name=accepted.payload.get("name") or None, named_at=accepted.at)


def _icon(state: ChatState, accepted: Answered) -> ChatState:
    return state._replace(icon_file_id=_file_id(accepted.payload))


class _Background(msgspec.Struct):
    background_id: str | None = None
    version: int | None = None


def _background(state: ChatState, accepted: Answered) -> ChatState:
    told = msgspec.convert(accepted.result, _Background)
    file_id = _file_id(accepted.payload)
    known = {
        "file_id": file_id,
        "background_id": told.background_id,
        "version": told.version,
        "changed_at": accepted.at,
    }
    return state._replace(background=msgspec.json.encode(known).decode())


def _file_id(payload: Mapping[str, Any]) -> int | None:
    return None if payload.get("remove") else parse_id(Prefix.FILE, str(payload.get("file_id")))


def _member(
    *, is_in: bool, is_line: bool = False
) -> Callable[[HotTransaction, Answered], Awaitable[Result | None]]:
    """Let a member, or our line, come or go."""

    async def follow(tx: HotTransaction, accepted: Answered) -> Result | None:
        line = accepted.line
        handle = line.handle if is_line else normalize_handle(str(accepted.payload.get("handle", "")))
        key = (line.id, str(accepted.payload.get("chat_key", "")))
        for chat_id in (await tx.chats.ids([key])).values():
            word = MemberRow(chat_id, handle, int(is_in), accepted.at)
            await tx.chats.merge_members([word])
            if word not in await tx.chats.members([chat_id]):
                continue  # the network has told of something newer already
            states = await tx.chats.states([chat_id])
            await tx.chats.save_states([after_move(state, word, line_handle=line.handle) for state in states])
        return _shown(accepted.result)

    return follow


class _Group(msgspec.Struct):
    chat_key: str
    participants: tuple[str, ...] = ()


async def _group(tx: HotTransaction, accepted: Answered) -> Result | None:
    """Make the chat of a new group; whoever the bridge does not name is whom the client asked for."""
    told = msgspec.convert(accepted.result, _Group)
    asked = accepted.payload.get("participants") or ()
    handles = [normalize_handle(str(each)) for each in told.participants or asked]
    key = normalize_chat_key(told.chat_key, is_group=True)
    row = ChatRow(
        id=accepted.operation.outbox_id,
        line_id=accepted.line.id,
        chat_key=key,
        identifier=key,
        service="",
        name=accepted.payload.get("name") or None,
        is_group=1,
        participants=msgspec.json.encode(list(dict.fromkeys(handles))).decode(),
        has_inbound=0,
        last_message_at=None,
        created_at=accepted.now_ms,
    )
    (merged,) = await tx.merge_chats([row])
    members: list[str] = msgspec.json.decode(merged.participants)
    return {"chat_id": id_text(Prefix.CHAT, merged.id), "participants": members}


class _Poll(msgspec.Struct):
    options: tuple[ObservedOption, ...]
    poll_guid: str | None = None


async def _poll(tx: HotTransaction, accepted: Answered) -> Result | None:
    told = msgspec.convert(accepted.result, _Poll)
    guid = told.poll_guid or accepted.outcome.provider_id
    if guid is None:
        return None
    key = (accepted.line.id, str(accepted.payload.get("chat_key", "")))
    chat_ids = await tx.chats.ids([key])
    row = PollRow(
        id=accepted.operation.outbox_id,
        line_id=accepted.line.id,
        chat_id=chat_ids.get(key, 0),
        guid=guid,
        title=str(accepted.payload.get("title", "")),
        options=msgspec.json.encode(told.options).decode(),
        creator=None,
        is_from_me=1,
        outbox_id=accepted.operation.outbox_id,
        created_at=accepted.at,
        synced_at=accepted.now_ms,
    )
    (poll,) = await tx.chats.merge_polls([row])
    options = [{"id": option.id, "text": option.text} for option in told.options]
    return {"poll_id": id_text(Prefix.POLL, poll.id), "options": options}


class _Place(msgspec.Struct):
    handle: str
    latitude: float
    longitude: float
    label: str | None = None
    status: str | None = None
    located_at: int | None = None


async def _places(tx: HotTransaction, accepted: Answered) -> Result | None:
    told = msgspec.convert(accepted.result.get("places", []), tuple[_Place, ...])
    rows = {
        handle: PlaceRow(
            accepted.line.id,
            handle,
            place.latitude,
            place.longitude,
            place.label,
            place.status,
            place.located_at,
            accepted.now_ms,
        )
        for place in told
        if (handle := normalize_handle(place.handle))
    }
    await tx.chats.save_places(list(rows.values()))
    return {"handles": sorted(rows)}


async def _card(tx: HotTransaction, accepted: Answered) -> Result | None:
    card = msgspec.convert(accepted.result.get("card") or {}, dict[str, Any])
    if card:
        await tx.chats.save_card(accepted.line.id, msgspec.json.encode(card).decode(), accepted.now_ms)
    given = accepted.payload.get("card")
    if isinstance(given, Mapping) and given.get("file_id"):
        line_id = accepted.line.id
        await _show(tx, accepted, "contact_card", user_id=line_id, file_id=_file_id(given))
    return accepted.result or None


_FOLLOWS: Final[dict[OperationKind, Callable[[HotTransaction, Answered], Awaitable[Result | None]]]] = {
    OperationKind.BACKGROUND: _picture("background", _background),
    OperationKind.CONTACT_CARD: _card,
    OperationKind.GROUP_ADD: _member(is_in=True),
    OperationKind.GROUP_CREATE: _group,
    OperationKind.GROUP_ICON: _picture("chat_icon", _icon),
    OperationKind.GROUP_LEAVE: _member(is_in=False, is_line=True),
    OperationKind.GROUP_REMOVE: _member(is_in=False),
    OperationKind.GROUP_RENAME: _in_chat(_renamed),
    OperationKind.LOCATION: _places,
    OperationKind.POLL: _poll,
    OperationKind.READ: _in_chat(_read),
    OperationKind.UNREAD: _in_chat(_unread),
}
