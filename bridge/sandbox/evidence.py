"""What the simulated network shows of a send, one step after the other, in the normal form. Pure.

The same step always gives the same observation, so telling it again after a crash adds nothing.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from bridge.sandbox.content import Content, read_content
from bridge.sandbox.fates import Delays, Fate, Step, fate_named
from hub.model.observation import Observation, ObservationKind, ObservedError, ObservedMessage, Part
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of
from hub.rules.facts import text_of

_NETWORK: Final = uuid.UUID("8d5fb1a6-58c9-4f5e-9d0e-3a1c5b5ad0b0")
_KINDS: Final[dict[Step, ObservationKind]] = {
    Step.SENT: "message.sent",
    Step.DOWNGRADED: "status.downgraded",
    Step.DELIVERED: "status.delivered",
    Step.READ: "status.read",
    Step.FAILED: "status.failed",
}


def guid_for(seed: str) -> str:
    """Give the network's id of what came of an attempt id (or of any other seed): the same each time."""
    return str(uuid.uuid5(_NETWORK, seed)).upper()


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
    def steps(self) -> tuple[Step, ...]:
        """What there is to tell; a reaction is only sent."""
        return (Step.SENT,) if self.content.kind is OperationKind.REACT else self.fate.steps

    def due_at(self, index: int, delays: Delays) -> int | None:
        """Give when a step shows; None after the last."""
        return self.accepted_at + delays.of(self.steps[index]) if index < len(self.steps) else None


def evidence(send: SimulatedSend, delays: Delays, *, observed_at: int) -> Observation | None:
    """Give what the next step shows; None when everything was told."""
    at = send.due_at(send.told_count, delays)
    if at is None:
        return None
    if send.content.kind is OperationKind.REACT:
        return _reacted(send, at=at, observed_at=observed_at)
    if send.steps[send.told_count] is Step.ANSWERED:
        return _answered(send, at=at, observed_at=observed_at)
    return _progress(send, delays, at=at, observed_at=observed_at)


def _progress(send: SimulatedSend, delays: Delays, *, at: int, observed_at: int) -> Observation:
    step = send.steps[send.told_count]
    shown = send.steps[: send.told_count + 1]
    dates = {each: send.accepted_at + delays.of(each) for each in shown}
    error = ObservedError(code=send.fate.code or "unknown") if step is Step.FAILED else None
    message = ObservedMessage(
        provider_id=send.guid,
        parts=send.content.parts,
        is_from_me=True,
        reply_to=send.content.reply_to,
        service="SMS" if Step.DOWNGRADED in shown else send.content.chat.service,
        attempt_id=send.attempt_id,
        sent_at=send.accepted_at,
        delivered_at=dates.get(Step.DELIVERED),
        read_at=dates.get(Step.READ),
        error=error,
    )
    return Observation(
        v=1,
        line=send.line,
        kind=_KINDS[step],
        at=at,
        observed_at=observed_at,
        chat=send.content.chat,
        message=message,
        error=error,
    )


def _answered(send: SimulatedSend, *, at: int, observed_at: int) -> Observation:
    words = "STOP" if send.fate.name == "replies_stop" else text_of(send.content.parts) or "👍"
    chat = send.content.chat
    message = ObservedMessage(
        provider_id=guid_for(f"{send.attempt_id}:answer"),
        parts=(Part(type="text", text=words),),
        is_from_me=False,
        service=chat.service,
        sent_at=at,
    )
    return Observation(
        v=1,
        line=send.line,
        kind="message.received",
        at=at,
        observed_at=observed_at,
        chat=chat,
        actor=handle_of(chat.key),
        message=message,
    )


def _reacted(send: SimulatedSend, *, at: int, observed_at: int) -> Observation:
    reaction = send.content.reaction
    if reaction is not None:
        reaction = msgspec.structs.replace(reaction, provider_id=send.guid)
    return Observation(
        v=1,
        line=send.line,
        kind="reaction.added",
        at=at,
        observed_at=observed_at,
        chat=send.content.chat,
        target=send.content.target,
        reaction=reaction,
    )
