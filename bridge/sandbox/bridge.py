"""The sandbox as a bridge like any other: it performs, is looked up, and tells evidence from the network's memory.

Everything that happened stands in the network's memory (SandboxNetwork), so a crash forgets nothing: what was not
marked as told is told again. Typing and read marks leave no trace, as in a real network without receipts of them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from bridge.sandbox.alarm import Alarm
from bridge.sandbox.attachments import open_simulated
from bridge.sandbox.content import Content, content_json, content_of
from bridge.sandbox.evidence import SimulatedSend, evidence, guid_for
from bridge.sandbox.fates import OFFLINE_MS, ORDINARY, SLOW_MS, Answer, Delays, Fate, fate_of
from hub.flow.ports import Clock
from hub.flow.repositories import SandboxNetwork
from hub.model.ids import id_time_ms
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome
from hub.rules.capabilities import missing_of, needs_of
from hub.rules.chatkeys import handle_of

CAPABILITIES: Final = frozenset(
    {
        "attachments",
        "audio",
        "delivered",
        "idempotent_send",
        "react_emoji",
        "react_std",
        "read_in",
        "read_out",
        "reply",
        "sms_fallback",
        "text",
        "typing_in",
        "typing_out",
    }
)

#: How often the memory is looked at without a ring: another process may have accepted a send.
LOOK_EVERY_MS: Final = 1_000
_PAGE: Final = 100

Sleep = Callable[[float], Awaitable[None]]


class SandboxBridge:
    """Adapter to the simulated network."""

    kind: str = "sandbox"

    def __init__(
        self, network: SandboxNetwork, *, clock: Clock, alarm: Alarm, sleep: Sleep, delays: Delays
    ) -> None:
        self._network = network
        self._clock = clock
        self._alarm = alarm
        self._sleep = sleep
        self._delays = delays

    async def capabilities(self) -> frozenset[str]:
        return CAPABILITIES

    async def health(self) -> tuple[str, str | None]:
        return "online", None

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        """Tell evidence as it comes due, for ever; the memory knows what was told, so the cursor is not used."""
        while True:
            now_ms = self._clock.now_ms()
            due = await self._network.due(now=now_ms, limit=_PAGE)
            for row in due:
                send = SimulatedSend.read(row)
                shown = evidence(send, self._delays, observed_at=now_ms)
                if shown is not None:
                    yield shown
                await self._mark_told(send)  # only now has the listener recorded it
            if not due:
                next_due_at = await self._network.next_due_at()
                look_at = now_ms + LOOK_EVERY_MS
                await self._alarm.wait_until(look_at if next_due_at is None else min(next_due_at, look_at))

    async def perform(self, operation: Operation) -> OperationOutcome:
        content = content_of(operation)
        missing = missing_of(needs_of(operation.kind, operation.payload), CAPABILITIES)
        if missing:
            return _refused("unsupported", f"the sandbox cannot do: {', '.join(missing)}")
        if operation.kind in {OperationKind.TYPING, OperationKind.READ}:
            return OperationOutcome(disposition=Disposition.ACCEPTED)
        known = await self._network.by_attempt(operation.attempt_id)
        if known is not None:
            return _outcome(SimulatedSend.read(known))
        return await self._perform_new(operation, content)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        known = await self._network.by_attempt(operation.attempt_id)
        if known is not None:
            return _outcome(SimulatedSend.read(known))
        fate = _fate(content_of(operation))
        if fate.answer is Answer.TIMEOUT_UNSENT:
            # The memory has nothing, and such a network would not know: absence is no proof.
            return _unknown(fate, "the network shows no trace of it, and cannot rule it out")
        return OperationOutcome(
            disposition=Disposition.NOT_STARTED,
            code="not_found",
            detail="the network knows no such attempt",
            is_retry_safe=True,
        )

    def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        return open_simulated(ref)

    async def _perform_new(self, operation: Operation, content: Content) -> OperationOutcome:
        fate = _fate(content)
        match fate.answer:
            case Answer.REFUSED:
                return _refused(fate.code, fate.story)
            case Answer.TIMEOUT_UNSENT:
                return _unknown(fate, "the bridge did not answer in time")
            case Answer.OFFLINE if self._is_offline(operation):
                return OperationOutcome(
                    disposition=Disposition.NOT_STARTED,
                    code=fate.code,
                    detail="the line is offline",
                    is_retry_safe=True,
                )
            case Answer.ACCEPTED_LATE:
                await self._sleep(SLOW_MS / 1000)
        send = await self._accept(operation, content, fate)
        if fate.answer is Answer.TIMEOUT_SENT:
            return _unknown(fate, "the bridge did not answer in time")
        return _outcome(send)

    async def _accept(self, operation: Operation, content: Content, fate: Fate) -> SimulatedSend:
        attempt_id, accepted_at = operation.attempt_id, self._clock.now_ms()
        send = SimulatedSend(
            attempt_id=attempt_id,
            line=operation.line_handle,
            guid=guid_for(attempt_id),
            fate=fate,
            told_count=0,
            accepted_at=accepted_at,
            content=content,
        )
        # A second one at the same time is dropped here: the memory keeps the first.
        await self._network.accept(
            {
                "attempt_id": attempt_id,
                "line_handle": send.line,
                "guid": send.guid,
                "recipient": content.chat.key,
                "fate": fate.name,
                "told_count": 0,
                "next_evidence_at": send.due_at(0, self._delays),
                "accepted_at": accepted_at,
                "content": content_json(content),
            }
        )
        self._alarm.ring()
        return send

    async def _mark_told(self, send: SimulatedSend) -> None:
        told_count = min(send.told_count + 1, len(send.steps))
        next_at = send.due_at(told_count, self._delays)
        await self._network.told(send.attempt_id, told_count=told_count, next_evidence_at=next_at)

    def _is_offline(self, operation: Operation) -> bool:
        return self._clock.now_ms() - id_time_ms(operation.outbox_id) < OFFLINE_MS


def _fate(content: Content) -> Fate:
    """Give what becomes of an operation; groups and reactions know no misfortune."""
    return fate_of(handle_of(content.chat.key) or "") if content.kind is OperationKind.SEND else ORDINARY


def _outcome(send: SimulatedSend) -> OperationOutcome:
    if send.fate.answer is Answer.REFUSED_AFTER_SENDING:
        return _refused(send.fate.code, send.fate.story, provider_id=send.guid)
    return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=send.guid)


def _refused(code: str | None, detail: str, *, provider_id: str | None = None) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.REJECTED, provider_id=provider_id, code=code, detail=detail
    )


def _unknown(fate: Fate, detail: str) -> OperationOutcome:
    return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code=fate.code, detail=detail)
