"""A bridge on a network in memory whose answers a test scripts; held to the bridge conformance suite."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.sandbox.content import content_of
from bridge.sandbox.ids import guid_for
from hub.flow.ports import Clock
from hub.model.errors import AttachmentGone
from hub.model.observation import Observation, ObservedMessage
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of

CAPABILITIES = frozenset(
    {"text", "attachments", "audio", "reply", "react_std", "react_emoji", "typing_out", "read_out"}
)


class Act(StrEnum):
    """What happens to one operation."""

    ACCEPT = "accept"
    REJECT = "reject"
    #: The network heard the contact say STOP.
    OPTED_OUT = "opted_out"
    #: The line is offline: certainly not sent.
    OFFLINE = "offline"
    #: No answer, and the network has it.
    LOST_ANSWER = "lost_answer"
    #: No answer, and the network does not have it.
    LOST_REQUEST = "lost_request"
    #: The adapter breaks after the network has it.
    CRASH = "crash"
    #: Nothing comes back until the test says so; the network has it.
    HANG = "hang"


_REFUSALS = {
    Act.REJECT: OperationOutcome(disposition=Disposition.REJECTED, code="22"),
    Act.OPTED_OUT: OperationOutcome(
        disposition=Disposition.REJECTED, code="contact_opted_out", detail="the network heard STOP"
    ),
    Act.OFFLINE: OperationOutcome(
        disposition=Disposition.NOT_STARTED, code="line_offline", is_retry_safe=True
    ),
}


@dataclass
class ScriptedBridge:
    """The adapter and its network in one."""

    clock: Clock
    is_idempotent: bool = False
    #: Whether look-ups find what the network has; otherwise they cannot tell.
    can_look_up: bool = True
    script: deque[Act] = field(default_factory=deque)
    kind: str = "scripted"
    #: Network sends by outbox id, in their order.
    sent: list[int] = field(default_factory=list)
    performed: list[int] = field(default_factory=list)
    looked_up: list[int] = field(default_factory=list)
    answer_now: asyncio.Event = field(default_factory=asyncio.Event)
    on_lookup: Callable[[], asyncio.Event] | None = None
    #: What `open_attachment` gives, by ref; an exception in it is raised there.
    attachments: dict[str, list[bytes | Exception]] = field(default_factory=dict)
    _told: list[Observation] = field(default_factory=list)

    async def capabilities(self) -> frozenset[str]:
        return CAPABILITIES | ({"idempotent_send"} if self.is_idempotent else set())

    async def health(self) -> tuple[str, str | None]:
        return "online", None

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        for observation in self._told:
            yield observation

    async def perform(self, operation: Operation) -> OperationOutcome:
        self.performed.append(operation.outbox_id)
        if missing_of(needs_of(operation.kind, operation.payload), CAPABILITIES):
            return OperationOutcome(disposition=Disposition.REJECTED, code="unsupported")
        act = self.script.popleft() if self.script else Act.ACCEPT
        if act in _REFUSALS:
            return _REFUSALS[act]
        accepted = None if act is Act.LOST_REQUEST else self._accept(operation)
        if act is Act.CRASH:
            raise RuntimeError("the adapter broke")
        if act is Act.HANG:
            await self.answer_now.wait()
        if accepted is None or act is Act.LOST_ANSWER:
            return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="timeout")
        return accepted

    async def lookup(self, operation: Operation) -> OperationOutcome:
        self.looked_up.append(operation.outbox_id)
        if self.on_lookup is not None:
            await self.on_lookup().wait()
        if not self.can_look_up:
            return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="cannot_tell")
        if operation.outbox_id in self.sent:
            return self._accept(operation, is_repeat=True)
        if self.is_idempotent:
            return OperationOutcome(disposition=Disposition.NOT_STARTED, code="not_found", is_retry_safe=True)
        return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="not_found")

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        pieces = self.attachments.get(ref)
        if pieces is None:
            raise AttachmentGone("the network does not have it")
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        """Nothing is held open."""

    def arrived(self, operation: Operation) -> int:
        return Counter(self.sent)[operation.outbox_id]

    def _accept(self, operation: Operation, *, is_repeat: bool = False) -> OperationOutcome:
        if operation.kind in {OperationKind.TYPING, OperationKind.READ}:
            return OperationOutcome(disposition=Disposition.ACCEPTED)
        guid = guid_for(operation.attempt_id)
        if not is_repeat and not (self.is_idempotent and operation.outbox_id in self.sent):
            self.sent.append(operation.outbox_id)
            self._tell(operation, guid)
        return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=guid)

    def _tell(self, operation: Operation, guid: str) -> None:
        content = content_of(operation)
        if content.kind is not OperationKind.SEND:
            return
        now = self.clock.now_ms()
        message = ObservedMessage(
            provider_id=guid,
            parts=content.parts,
            is_from_me=True,
            attempt_id=operation.attempt_id,
            sent_at=now,
        )
        self._told.append(
            Observation(
                v=1,
                line=operation.line_handle,
                kind="message.sent",
                at=now,
                chat=content.chat,
                message=message,
            )
        )
