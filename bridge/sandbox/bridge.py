"""The sandbox as a bridge like any other: it performs, is looked up, and tells evidence from the network's memory.

Everything that happened stands in the network's memory (SandboxNetwork), so a crash forgets nothing: what was not
marked as told is told again. Typing and read marks leave no trace, as in a real network without receipts of them.
Not here: what the network makes of each operation (bridge.sandbox.network).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import msgspec

from bridge.sandbox.alarm import Alarm
from bridge.sandbox.attachments import open_simulated, take_files
from bridge.sandbox.content import Content, content_json, content_of
from bridge.sandbox.evidence import SimulatedSend, is_failure_shown, pieces_of
from bridge.sandbox.fates import OFFLINE_MS, ORDINARY, SLOW_MS, Answer, Delays, Fate, fate_of
from bridge.sandbox.ids import guid_for
from bridge.sandbox.network import QUESTIONS, Asked, Refused, judge, names_of
from hub.flow.ports import Clock, OutgoingFiles
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
        "availability",
        "background",
        "contact_card",
        "contact_card_own",
        "delivered",
        "edit",
        "effects",
        "facetime",
        "group_create",
        "group_empty",
        "group_icon",
        "group_leave",
        "group_members",
        "group_rename",
        "idempotent_send",
        "link_preview",
        "location",
        "polls",
        "react_emoji",
        "react_std",
        "read_in",
        "read_out",
        "reply",
        "sms_fallback",
        "subject",
        "templates",
        "text",
        "typing_in",
        "typing_out",
        "unread_out",
        "unsend",
    }
)

#: How often the memory is looked at without a ring: another process may have accepted a send.
LOOK_EVERY_MS: Final = 1_000
_PAGE: Final = 100
_TRACELESS: Final = frozenset({OperationKind.TYPING, OperationKind.READ, OperationKind.UNREAD})
_OF_MESSAGES: Final = frozenset({OperationKind.EDIT, OperationKind.UNSEND})
#: Operations that make something which the network names.
_MAKES: Final = frozenset({OperationKind.POLL, OperationKind.REACT, OperationKind.SEND})

Sleep = Callable[[float], Awaitable[None]]


class SandboxBridge:
    """Adapter to the simulated network.

    Args:
        network: Its memory.
        clock: The time.
        alarm: Wakes whoever tells evidence.
        sleep: Waits out a slow network.
        delays: When evidence shows.
        without: Capabilities that this network lacks, to see what a lesser one refuses.
    """

    kind: str = "sandbox"

    def __init__(
        self,
        network: SandboxNetwork,
        *,
        clock: Clock,
        alarm: Alarm,
        sleep: Sleep,
        delays: Delays,
        without: frozenset[str] = frozenset(),
        files: OutgoingFiles | None = None,
    ) -> None:
        self._network = network
        self._clock = clock
        self._alarm = alarm
        self._sleep = sleep
        self._delays = delays
        self._able = CAPABILITIES - without
        #: As a real network takes the bytes, so does this one; without them it believes what it is told.
        self._files = files

    async def capabilities(self) -> frozenset[str]:
        return self._able

    async def health(self) -> tuple[str, str | None]:
        return "online", None

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:
        """Tell evidence as it comes due, for ever; the memory knows what was told, so the cursor is not used."""
        while True:
            now_ms = self._clock.now_ms()
            due = await self._network.due(now=now_ms, limit=_PAGE)
            for row in due:
                send = SimulatedSend.read(row)
                pieces, told_count = pieces_of(send, self._delays), send.told_count
                while told_count < len(pieces) and pieces[told_count].at <= now_ms:
                    yield msgspec.structs.replace(pieces[told_count], observed_at=now_ms)
                    told_count += 1
                    await self._mark_told(send, pieces, told_count)  # only now has the listener recorded it
                if send.told_count >= len(pieces):  # kept when the network had more to tell of it
                    await self._mark_told(send, pieces, len(pieces))
            if not due:
                next_due_at = await self._network.next_due_at()
                look_at = now_ms + LOOK_EVERY_MS
                await self._alarm.wait_until(look_at if next_due_at is None else min(next_due_at, look_at))

    async def perform(self, operation: Operation) -> OperationOutcome:
        missing = missing_of(needs_of(operation.kind, operation.payload), self._able)
        if missing:
            return _refused("unsupported", f"the sandbox cannot do: {', '.join(missing)}")
        if operation.kind in _TRACELESS:
            return OperationOutcome(disposition=Disposition.ACCEPTED)
        content = content_of(operation)
        if operation.kind in QUESTIONS:
            return await self._answer(operation, content)
        known = await self._network.by_attempt(operation.attempt_id)
        if known is not None:
            return _outcome(SimulatedSend.read(known))
        if operation.kind is OperationKind.SEND:
            unsent = None if self._files is None else await take_files(self._files, content.parts)
            return unsent or await self._perform_send(operation, content)
        return await self._perform_other(operation, content)

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

    async def aclose(self) -> None:
        """Nothing is held open."""

    async def _perform_send(self, operation: Operation, content: Content) -> OperationOutcome:
        fate = _fate(content)
        match fate.answer:
            case Answer.REFUSED:
                return _refused(fate.code, fate.story)
            case Answer.SMS_ONLY if not content.may_be_sms:
                return _refused(fate.code, "not on iMessage, and it may not go out as an SMS")
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

    async def _perform_other(self, operation: Operation, content: Content) -> OperationOutcome:
        judged = judge(await self._asked(operation, content))
        if isinstance(judged, Refused):
            return _refused(judged.code, judged.detail)
        for name, value in judged.memory.items():
            await self._network.remember(operation.line_handle, name, value)
        return _outcome(await self._accept(operation, judged.content, ORDINARY))

    async def _answer(self, operation: Operation, content: Content) -> OperationOutcome:
        judged = judge(await self._asked(operation, content))
        if isinstance(judged, Refused):
            return _refused(judged.code, judged.detail)
        return OperationOutcome(disposition=Disposition.ACCEPTED, result=judged.content.result)

    async def _asked(self, operation: Operation, content: Content) -> Asked:
        """Gather what the network knows that matters for an operation."""
        known = {name: await self._network.recall(operation.line_handle, name) for name in names_of(content)}
        target = None
        if content.kind in _OF_MESSAGES and content.target is not None:
            row = await self._network.by_guid(content.target)
            target = None if row is None else SimulatedSend.read(row)
        return Asked(
            attempt_id=operation.attempt_id,
            line=operation.line_handle,
            content=content,
            now_ms=self._clock.now_ms(),
            memory={name: value for name, value in known.items() if value is not None},
            target=target,
        )

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
        pieces = pieces_of(send, self._delays)
        # A second one at the same time is dropped here: the memory keeps the first.
        await self._network.accept(
            {
                "attempt_id": attempt_id,
                "line_handle": send.line,
                "guid": send.guid,
                "recipient": content.chat.key,
                "fate": fate.name,
                "told_count": 0,
                "next_evidence_at": pieces[0].at if pieces else None,
                "accepted_at": accepted_at,
                "content": content_json(content),
            }
        )
        self._alarm.ring()
        return send

    async def _mark_told(self, send: SimulatedSend, pieces: tuple[Observation, ...], told_count: int) -> None:
        next_at = pieces[told_count].at if told_count < len(pieces) else None
        await self._network.told(send.attempt_id, told_count=told_count, next_evidence_at=next_at)

    def _is_offline(self, operation: Operation) -> bool:
        return self._clock.now_ms() - id_time_ms(operation.outbox_id) < OFFLINE_MS


def _fate(content: Content) -> Fate:
    """Give what becomes of an operation; groups and reactions know no misfortune."""
    return fate_of(handle_of(content.chat.key) or "") if content.kind is OperationKind.SEND else ORDINARY


def _outcome(send: SimulatedSend) -> OperationOutcome:
    content = send.content
    if is_failure_shown(send):
        detail = "the second part was refused" if send.has_failed_between else send.fate.story
        parts_done = send.parts_done if send.has_failed_between else 0
        return _refused(send.fate.code, detail, provider_id=send.guid, parts_done=parts_done)
    has_name = content.kind in _MAKES or (content.kind is OperationKind.GROUP_CREATE and content.parts)
    return OperationOutcome(
        disposition=Disposition.ACCEPTED,
        provider_id=send.guid if has_name else None,
        parts_done=len(content.parts) if content.kind is OperationKind.SEND else 0,
        result=content.result,
    )


def _refused(
    code: str | None, detail: str, *, provider_id: str | None = None, parts_done: int = 0
) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.REJECTED,
        provider_id=provider_id,
        code=code,
        detail=detail,
        parts_done=parts_done,
    )


def _unknown(fate: Fate, detail: str) -> OperationOutcome:
    return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code=fate.code, detail=detail)
