"""What the simulated network shows of an operation, one piece after the other, in the normal form. Pure.

The same piece is always the same observation, so telling it again after a crash adds nothing. What leaves no trace
in a real network (typing, a contact card, a link) shows nothing here either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bridge.sandbox.content import Content, read_content
from bridge.sandbox.fates import Answer, Delays, Fate, Step, fate_named, fate_of
from bridge.sandbox.ids import guid_for
from hub.model.observation import (
    Observation,
    ObservationKind,
    ObservedError,
    ObservedMessage,
    ObservedPoll,
    Part,
)
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of
from hub.rules.facts import text_of

_KINDS: Final[dict[Step, ObservationKind]] = {
    Step.SENT: "message.sent",
    Step.DOWNGRADED: "status.downgraded",
    Step.DELIVERED: "status.delivered",
    Step.READ: "status.read",
    Step.FAILED: "status.failed",
}
#: The first words in a new group are sent and delivered; who of them has read it the network does not say.
_IN_NEW_GROUP: Final = (Step.SENT, Step.DELIVERED)


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulatedSend:
    """A row of the network's memory (hub.flow.repositories.SandboxNetwork), read."""

    attempt_id: str
    line: str
    guid: str
    fate: Fate
    told_count: int
    accepted_at: int
    content: Content

    @classmethod
    def read(cls, row: dict[str, Any]) -> SimulatedSend:
        return cls(
            attempt_id=row["attempt_id"],
            line=row["line_handle"],
            guid=row["guid"],
            fate=fate_named(row["fate"]),
            told_count=row["told_count"],
            accepted_at=row["accepted_at"],
            content=read_content(row["content"]),
        )

    @property
    def parts_done(self) -> int:
        """How many parts the network has; only a send that failed in the middle has fewer than all."""
        is_cut = self.fate.fails_between(self.content.parts, self.content.parts_done)
        return self.content.parts_done + 1 if is_cut else len(self.content.parts)

    @property
    def has_failed_between(self) -> bool:
        return self.parts_done < len(self.content.parts)


def pieces_of(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    """Give everything that shows of an operation, in order, each with the time at which it does."""
    if send.content.kind is OperationKind.SEND:
        return _of_send(send, delays)
    shows = _SHOWS.get(send.content.kind)
    return () if shows is None else shows(send, delays)


def _of_send(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    steps = (Step.FAILED,) if send.has_failed_between else send.fate.steps
    return tuple(_progress(send, delays, steps[: index + 1]) for index in range(len(steps)))


def _seen(send: SimulatedSend, kind: ObservationKind, at: int, **fields: Any) -> Observation:
    return Observation(v=1, line=send.line, kind=kind, at=at, **{"chat": send.content.chat, **fields})


def _progress(send: SimulatedSend, delays: Delays, shown: tuple[Step, ...]) -> Observation:
    step = shown[-1]
    at = send.accepted_at + delays.of(step)
    if step is Step.ANSWERED:
        return _answered(send, at=at)
    dates = {each: send.accepted_at + delays.of(each) for each in shown}
    error = ObservedError(code=send.fate.code or "unknown") if step is Step.FAILED else None
    content = send.content
    message = ObservedMessage(
        provider_id=send.guid,
        parts=content.parts[content.parts_done : send.parts_done],
        is_from_me=True,
        reply_to=content.reply_to,
        effect=None if send.fate.is_sms else content.effect,
        subject=None if send.fate.is_sms else content.subject,
        service="SMS" if Step.DOWNGRADED in shown else content.chat.service,
        attempt_id=send.attempt_id,
        sent_at=send.accepted_at,
        delivered_at=dates.get(Step.DELIVERED),
        read_at=dates.get(Step.READ),
        error=error,
    )
    return _seen(send, _KINDS[step], at, message=message, error=error)


def _answered(send: SimulatedSend, *, at: int) -> Observation:
    words = "STOP" if send.fate.name == "replies_stop" else text_of(send.content.parts) or "👍"
    chat = send.content.chat
    message = ObservedMessage(
        provider_id=guid_for(f"{send.attempt_id}:answer"),
        parts=(Part(type="text", text=words),),
        is_from_me=False,
        service=chat.service,
        sent_at=at,
    )
    return _seen(send, "message.received", at, actor=handle_of(chat.key), message=message)


def _reacted(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    reaction, content = send.content.reaction, send.content
    if reaction is not None:
        reaction = msgspec.structs.replace(reaction, provider_id=send.guid)
    kind: ObservationKind = "reaction.removed" if content.is_removed else "reaction.added"
    return (_seen(send, kind, send.accepted_at, target=content.target, reaction=reaction),)


def _edited(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    message = ObservedMessage(
        provider_id=send.content.target or "",
        parts=send.content.parts,
        is_from_me=True,
        service=send.content.chat.service,
        edited_at=send.accepted_at,
    )
    return (_seen(send, "message.edited", send.accepted_at, message=message),)


def _unsent(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    message = ObservedMessage(
        provider_id=send.content.target or "", is_from_me=True, unsent_at=send.accepted_at
    )
    return (_seen(send, "message.unsent", send.accepted_at, message=message),)


def _group_made(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    at, chat = send.accepted_at, send.content.chat
    shown = [_seen(send, "chat.member_added", at, value=member) for member in chat.participants]
    if chat.name:
        shown.append(_seen(send, "chat.renamed", at, value=chat.name))
    if send.content.parts:
        counts = range(1, len(_IN_NEW_GROUP) + 1)
        shown += [_progress(send, delays, _IN_NEW_GROUP[:count]) for count in counts]
    return tuple(shown)


def _renamed(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    return (_seen(send, "chat.renamed", send.accepted_at, value=send.content.name or ""),)


def _icon_changed(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    value = "removed" if send.content.is_removed else None
    return (_seen(send, "chat.icon", send.accepted_at, value=value),)


def _added(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    return (_seen(send, "chat.member_added", send.accepted_at, value=send.content.handle),)


def _removed(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    return (_seen(send, "chat.member_removed", send.accepted_at, value=send.content.handle),)


def _left(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    return (_seen(send, "chat.left", send.accepted_at),)


def _asked(send: SimulatedSend, delays: Delays) -> tuple[Observation, ...]:
    """A poll; the contact who echoes votes for its first option once the poll was read."""
    poll, voter = send.content.poll, handle_of(send.content.chat.key)
    if poll is None:
        return ()
    made = _seen(send, "poll.created", send.accepted_at, poll=poll)
    if voter is None or fate_of(voter).name != "echoes" or not poll.options:
        return (made,)
    vote = ObservedPoll(provider_id=poll.provider_id, choices=(poll.options[0].id,))
    at = send.accepted_at + delays.of(Step.ANSWERED)
    return (made, _seen(send, "poll.voted", at, actor=voter, poll=vote))


_SHOWS: Final[dict[OperationKind, Callable[[SimulatedSend, Delays], tuple[Observation, ...]]]] = {
    OperationKind.EDIT: _edited,
    OperationKind.GROUP_ADD: _added,
    OperationKind.GROUP_CREATE: _group_made,
    OperationKind.GROUP_ICON: _icon_changed,
    OperationKind.GROUP_LEAVE: _left,
    OperationKind.GROUP_REMOVE: _removed,
    OperationKind.GROUP_RENAME: _renamed,
    OperationKind.POLL: _asked,
    OperationKind.REACT: _reacted,
    OperationKind.UNSEND: _unsent,
}


def is_failure_shown(send: SimulatedSend) -> bool:
    """Tell whether the network made the message and then refused it."""
    return send.fate.answer is Answer.REFUSED_AFTER_SENDING or send.has_failed_between
