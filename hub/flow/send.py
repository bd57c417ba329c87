"""One step of one outbox item: hand it to the bridge, or look up what became of it.

The hand-over is marked durably before the bridge is called: whatever dies afterwards, the item is looked up
(hub.rules.sending), never blindly repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from hub.flow.aftermath import Answered, leave_behind
from hub.flow.capabilities import what_is_missing
from hub.flow.file_links import FileLinks
from hub.flow.guards import PERMISSIVE, SendGuard, step_of
from hub.flow.opt_outs import OPTED_OUT, OptOuts
from hub.flow.outcomes import Outcome, claim_of, conclude, proof_of
from hub.flow.pieces import keep_pieces
from hub.flow.ports import BridgeAdapter, Clock, HotStore, HotTransaction
from hub.flow.record import Recorder
from hub.flow.remaining import what_to_look_for
from hub.flow.rows import DueOutbox, EventRow, OutboxUpdate
from hub.flow.safety import Wish as Guarded
from hub.flow.sent_parts import sent_parts
from hub.model.line import Line
from hub.model.outbox import AS_SMS, Disposition, Operation, OperationKind, OperationOutcome, OutboxState
from hub.rules.sending import NextStep, SendPolicy, after_lookup, after_perform, is_too_late

log = structlog.get_logger("sends")

#: Of a send all of whose parts evidence has shown: there is nothing to look for.
_SHOWN = OperationOutcome(disposition=Disposition.STILL_IN_FLIGHT, code="shown")
_ANOTHERS = OperationOutcome(
    disposition=Disposition.MAY_HAVE_COMPLETED,
    code="not_found",
    detail="the bridge shows another send of the same words",
)
_CERTAIN = frozenset({Disposition.ACCEPTED, Disposition.REJECTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class SendTimeouts:
    """How long a bridge may take."""

    perform_seconds: float
    lookup_seconds: float


class Sending:
    """Moves outbox items on, one step at a time."""

    def __init__(
        self,
        *,
        store: HotStore,
        recorder: Recorder,
        clock: Clock,
        policy: SendPolicy,
        timeouts: SendTimeouts,
        guard: SendGuard = PERMISSIVE,
        links: FileLinks | None = None,
        opt_outs: OptOuts | None = None,
    ) -> None:
        self._opt_outs = opt_outs
        self._links = links
        self._store = store
        self._recorder = recorder
        self._guard = guard
        self._clock = clock
        self._policy = policy
        self._timeouts = timeouts

    async def step(self, item: DueOutbox, line: Line, adapter: BridgeAdapter) -> NextStep | None:
        """Do what is due for the item, and record what came of it.

        Returns:
            The item's next state, or None when someone else finished it meanwhile.
        """
        errand = _Errand(item, line, adapter, _operation(item, line, self._clock.now_ms()))
        if item.state == OutboxState.PENDING:
            return await self._perform(errand)
        return await self._look_up(errand)

    async def _perform(self, errand: _Errand) -> NextStep | None:
        item, operation, now_ms = errand.item, errand.operation, self._clock.now_ms()
        number = item.attempt_count + 1
        try:
            refusal = _refusal(self._policy, errand, now_ms) or await self._dispatch(errand, number, now_ms)
        except _NotOurs:
            return None
        if refusal is not None:
            return await self._record(errand, _Result(refusal, item.attempt_count))
        outcome = await _bounded(errand.adapter.perform(operation), self._timeouts.perform_seconds)
        outcome = _naming_part(operation, outcome)
        if outcome.code == OPTED_OUT and self._opt_outs is not None:
            # Before the item ends: whatever crashes, the word is not lost.
            await self._opt_outs.told(operation, errand.line, outcome.detail)
        step = after_perform(self._policy, outcome, attempt_number=number, now_ms=self._clock.now_ms())
        return await self._record(errand, _Result(step, number, now_ms, outcome))

    async def _dispatch(self, errand: _Errand, number: int, now_ms: int) -> NextStep | None:
        """Mark the hand-over, if the guard lets it go ahead; otherwise say what becomes of it.

        Raises:
            _NotOurs: Somebody else was first; nothing was counted.
        """
        item, operation = errand.item, errand.operation
        guarded = Guarded(
            outbox_id=item.id,
            line=errand.line,
            kind=operation.kind,
            payload=operation.payload,
            is_counted=not item.is_counted and not item.attempt_count,
        )
        dispatched = NextStep(state=OutboxState.DISPATCHED, at_ms=now_ms)
        update = _update(item, _Result(dispatched, number, now_ms), completed_at=now_ms)

        async def work(tx: HotTransaction) -> NextStep | None:
            verdict = await self._guard.release(tx, guarded, now_ms)
            if verdict is not None:
                return step_of(verdict, now_ms)
            if not await tx.update_outbox([update]):
                raise _NotOurs
            return None

        return await self._store.write(work)

    async def _look_up(self, errand: _Errand) -> NextStep | None:
        item = errand.item
        operation, is_known = await self._store.read(
            partial(what_to_look_for, errand.operation, item.line_id, item.message_id)
        )
        outcome = _SHOWN
        if not is_known:
            outcome = await _bounded(errand.adapter.lookup(operation), self._timeouts.lookup_seconds)
        if outcome.provider_id in operation.taken:
            log.warning("lookup.mistaken", outbox_id=item.id, kind=errand.adapter.kind)
            outcome = _ANOTHERS
        if outcome.disposition not in _CERTAIN:
            # The bridge cannot tell, or sees no trace; its network may have shown one all the same.
            outcome = _proved(outcome, await self._store.read(partial(_proof, item.id)))
        is_open = outcome.disposition is Disposition.NOT_STARTED and not outcome.is_certain
        is_idempotent = is_open and await _is_idempotent(errand.adapter, self._timeouts.lookup_seconds)
        step = after_lookup(
            self._policy,
            outcome,
            attempt_number=item.attempt_count,
            dispatched_at=operation.dispatched_at,
            is_idempotent=is_idempotent,
            now_ms=self._clock.now_ms(),
            doubt=_which_part(operation, outcome),
        )
        return await self._record(errand, _Result(step, item.attempt_count, operation.dispatched_at, outcome))

    async def _record(self, errand: _Errand, result: _Result) -> NextStep | None:
        item, step = errand.item, result.step
        update = _update(item, result, completed_at=self._clock.now_ms())
        if step.state >= OutboxState.SENT:
            has_moved = await self._recorder.write(lambda tx: self._finish(tx, errand, result, update))
        else:
            has_moved = await self._store.write(lambda tx: self._move_on(tx, errand, result, update))
        log.info(
            "send.stepped",
            outbox_id=item.id,
            state=step.state.name.lower(),
            attempt_number=result.attempt_count,
            error=(step.error or "").partition(":")[0] or None,
        )
        return step if has_moved else None

    async def _move_on(
        self, tx: HotTransaction, errand: _Errand, result: _Result, update: OutboxUpdate
    ) -> bool:
        await self._keep_pieces(tx, errand, result)
        return bool(await tx.update_outbox([update]))

    async def _keep_pieces(self, tx: HotTransaction, errand: _Errand, result: _Result) -> None:
        """Note which messages of the network became of a send so far, whatever becomes of the rest."""
        pieces = () if result.outcome is None else result.outcome.pieces
        found = await claim_of(tx, errand.item.id) if pieces else None
        if found is not None:
            await keep_pieces(tx, found[1], errand.item.id, pieces, self._clock.now_ms())

    async def _finish(
        self, tx: HotTransaction, errand: _Errand, result: _Result, update: OutboxUpdate
    ) -> tuple[bool, list[EventRow]]:
        """End an item, with all that follows: a message's row is taken first, as evidence takes it."""
        now_ms, found = self._clock.now_ms(), None
        await self._keep_pieces(tx, errand, result)
        if errand.item.message_id is not None:
            found = await claim_of(tx, errand.item.id)
        if result.outcome is not None and update.state == OutboxState.SENT:
            answered = Answered(
                line=errand.line, operation=errand.operation, outcome=result.outcome, now_ms=now_ms
            )
            update = update._replace(result=_text(await leave_behind(tx, answered)))
        if not await tx.update_outbox([update]):
            return False, []
        if found is None:
            return True, []
        claim, message = found
        outcome = Outcome(
            line=errand.line,
            step=result.step,
            provider_id=update.provider_id,
            was_downgraded=result.outcome is not None and result.outcome.was_downgraded,
            dispatched_at=result.dispatched_at,
            at_ms=now_ms,
            links=self._links,
        )
        return True, await conclude(tx, claim, message, outcome)


class _NotOurs(Exception):
    """The item is in somebody else's hands; undoes what was begun."""


class _Errand(NamedTuple):
    """One step of one item: all that it needs."""

    item: DueOutbox
    line: Line
    adapter: BridgeAdapter
    operation: Operation


class _Result(NamedTuple):
    """What came of it."""

    step: NextStep
    attempt_count: int
    dispatched_at: int | None = None
    outcome: OperationOutcome | None = None


async def _proof(outbox_id: int, tx: HotTransaction) -> OperationOutcome | None:
    return await proof_of(tx, outbox_id)


def _proved(outcome: OperationOutcome, proof: OperationOutcome | None) -> OperationOutcome:
    """Add what evidence shows to what a bridge could not say."""
    if proof is None or proof.disposition in _CERTAIN:
        return proof or outcome
    done = max(outcome.parts_done, proof.parts_done)
    return replace(outcome, parts_done=done, part=done)


def _which_part(operation: Operation, outcome: OperationOutcome) -> str:
    """Name the part that an answer is about, where a send becomes several messages; else nothing."""
    part_count = len(sent_parts(operation.payload)) if outcome.part is not None else 0
    return f"part {(outcome.part or 0) + 1} of {part_count}: " if part_count > 1 else ""


def _naming_part(operation: Operation, outcome: OperationOutcome) -> OperationOutcome:
    part = _which_part(operation, outcome)
    if not part or outcome.disposition is Disposition.ACCEPTED:
        return outcome
    return replace(outcome, detail=f"{part}{outcome.detail or outcome.code or 'it failed'}")


def _refusal(policy: SendPolicy, errand: _Errand, now_ms: int) -> NextStep | None:
    """Say why it cannot be done any more: much may have changed since it was asked for."""
    item, operation, error = errand.item, errand.operation, ""
    missing = what_is_missing(errand.line, operation.kind, operation.payload)
    if is_too_late(policy, operation.kind, created_at=item.created_at, now_ms=now_ms):
        error = "expired: too late to matter."
    elif missing is not None:
        error = f"unsupported: {missing}"
    elif operation.payload.get(AS_SMS) and errand.line.fallback_bridge_id is None:
        error = "22: not reachable, and the line has no second bridge any more."
    return NextStep(state=OutboxState.FAILED, at_ms=now_ms, error=error, is_untried=True) if error else None


def _update(item: DueOutbox, result: _Result, *, completed_at: int) -> OutboxUpdate:
    step, outcome = result.step, result.outcome
    return OutboxUpdate(
        id=item.id,
        state=step.state,
        attempt_count=result.attempt_count,
        next_attempt_at=step.at_ms,
        dispatched_at=result.dispatched_at,
        provider_id=outcome.provider_id if outcome is not None else None,
        error=step.error,
        completed_at=completed_at if step.state >= OutboxState.SENT else None,
        parts_done=outcome.parts_done if outcome is not None else 0,
        result=_text(outcome.result if outcome is not None else None),
    )


def _text(result: Mapping[str, object] | None) -> str | None:
    return None if result is None else msgspec.json.encode(result).decode()


def _operation(item: DueOutbox, line: Line, now_ms: int) -> Operation:
    return Operation(
        outbox_id=item.id,
        line_handle=line.handle,
        kind=OperationKind(item.kind),
        payload=_payload(item),
        dispatched_at=item.dispatched_at if item.dispatched_at is not None else now_ms,
    )


def _payload(item: DueOutbox) -> dict[str, object]:
    payload: dict[str, object] = msgspec.json.decode(item.payload)
    return {**payload, "parts_done": item.parts_done} if item.parts_done else payload


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
