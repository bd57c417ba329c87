"""One step of one outbox item: hand it to the bridge, or look up what became of it.

The hand-over is marked durably before the bridge is called: whatever dies afterwards, the item is looked up
(hub.rules.sending), never blindly repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

import msgspec
import structlog

from hub.flow.aftermath import Answered, leave_behind
from hub.flow.capabilities import what_is_missing
from hub.flow.ports import BridgeAdapter, Clock, HotStore, HotTransaction
from hub.flow.rows import DueOutbox, OutboxUpdate
from hub.model.line import Line
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome, OutboxState
from hub.rules.sending import NextStep, SendPolicy, after_lookup, after_perform, is_too_late

log = structlog.get_logger("sends")


@dataclass(frozen=True, kw_only=True, slots=True)
class SendTimeouts:
    """How long a bridge may take."""

    perform_seconds: float
    lookup_seconds: float


class Sending:
    """Moves outbox items on, one step at a time."""

    def __init__(self, *, store: HotStore, clock: Clock, policy: SendPolicy, timeouts: SendTimeouts) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._timeouts = timeouts

    async def step(self, item: DueOutbox, line: Line, adapter: BridgeAdapter) -> NextStep | None:
        """Do what is due for the item, and record what came of it.

        Returns:
            The item's next state, or None when someone else finished it meanwhile.
        """
        operation = _operation(item, line, self._clock.now_ms())
        if item.state == OutboxState.PENDING:
            return await self._perform(item, operation, line, adapter)
        return await self._look_up(item, operation, line, adapter)

    async def _perform(
        self, item: DueOutbox, operation: Operation, line: Line, adapter: BridgeAdapter
    ) -> NextStep | None:
        now_ms = self._clock.now_ms()
        if is_too_late(self._policy, operation.kind, created_at=item.created_at, now_ms=now_ms):
            step = NextStep(state=OutboxState.FAILED, at_ms=now_ms, error="expired: too late to matter.")
            return await self._record(item, step, item.attempt_count, None)
        missing = what_is_missing(line, operation.kind, operation.payload)
        if missing is not None:  # what the line can do may have changed since it was asked for
            step = NextStep(state=OutboxState.FAILED, at_ms=now_ms, error=f"unsupported: {missing}")
            return await self._record(item, step, item.attempt_count, None)
        number = item.attempt_count + 1
        dispatched = NextStep(state=OutboxState.DISPATCHED, at_ms=now_ms)
        if await self._record(item, dispatched, number, now_ms) is None:
            return None
        outcome = await _bounded(adapter.perform(operation), self._timeouts.perform_seconds)
        step = after_perform(self._policy, outcome, attempt_number=number, now_ms=self._clock.now_ms())
        answered = Answered(line=line, operation=operation, outcome=outcome, now_ms=self._clock.now_ms())
        return await self._record(item, step, number, now_ms, answered)

    async def _look_up(
        self, item: DueOutbox, operation: Operation, line: Line, adapter: BridgeAdapter
    ) -> NextStep | None:
        outcome = await _bounded(adapter.lookup(operation), self._timeouts.lookup_seconds)
        is_idempotent = outcome.disposition is Disposition.NOT_STARTED and await _is_idempotent(
            adapter, self._timeouts.lookup_seconds
        )
        step = after_lookup(
            self._policy,
            outcome,
            attempt_number=item.attempt_count,
            dispatched_at=operation.dispatched_at,
            is_idempotent=is_idempotent,
            now_ms=self._clock.now_ms(),
        )
        answered = Answered(line=line, operation=operation, outcome=outcome, now_ms=self._clock.now_ms())
        return await self._record(item, step, item.attempt_count, operation.dispatched_at, answered)

    async def _record(
        self,
        item: DueOutbox,
        step: NextStep,
        attempt_count: int,
        dispatched_at: int | None,
        answered: Answered | None = None,
    ) -> NextStep | None:
        is_finished = step.state >= OutboxState.SENT
        update = OutboxUpdate(
            item.id,
            step.state,
            attempt_count,
            step.at_ms,
            dispatched_at,
            None if answered is None else answered.outcome.provider_id,
            step.error,
            self._clock.now_ms() if is_finished else None,
            0 if answered is None else answered.outcome.parts_done,
        )
        moved = await self._store.write(lambda tx: _write(tx, update, answered))
        if step.state != OutboxState.DISPATCHED:
            log.info(
                "send.stepped",
                outbox_id=item.id,
                state=step.state.name.lower(),
                attempt_number=attempt_count,
                error=(step.error or "").partition(":")[0] or None,
            )
        return step if item.id in moved else None


async def _write(tx: HotTransaction, update: OutboxUpdate, answered: Answered | None) -> set[int]:
    """Move the item on, together with what follows from an operation that was accepted."""
    if answered is not None and update.state == OutboxState.SENT:
        result = await leave_behind(tx, answered)
        update = update._replace(result=None if result is None else msgspec.json.encode(result).decode())
    return await tx.update_outbox([update])


def _operation(item: DueOutbox, line: Line, now_ms: int) -> Operation:
    return Operation(
        outbox_id=item.id,
        line_handle=line.handle,
        kind=OperationKind(item.kind),
        payload=msgspec.json.decode(item.payload),
        dispatched_at=item.dispatched_at if item.dispatched_at is not None else now_ms,
    )


async def _bounded(call: Awaitable[OperationOutcome], seconds: float) -> OperationOutcome:
    """Wait for a bridge at most so long; a time-out or a crash of the adapter leaves the outcome unknown."""
    try:
        async with asyncio.timeout(seconds):
            return await call
    except TimeoutError:
        detail = f"the bridge did not answer within {seconds:g} s"
        return OperationOutcome(
            disposition=Disposition.MAY_HAVE_COMPLETED, code="bridge_timeout", detail=detail
        )
    except Exception as error:
        log.exception("bridge.failed")
        return OperationOutcome(
            disposition=Disposition.MAY_HAVE_COMPLETED, code="bridge_failed", detail=type(error).__name__
        )


async def _is_idempotent(adapter: BridgeAdapter, seconds: float) -> bool:
    """Ask whether the bridge itself drops a repeat; no answer is no."""
    try:
        async with asyncio.timeout(seconds):
            return "idempotent_send" in await adapter.capabilities()
    except Exception:
        log.exception("bridge.failed")
        return False
