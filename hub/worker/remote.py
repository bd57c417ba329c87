"""The adapter of a bridge whose network an agent reaches: each question becomes a call, which the agent claims.

A crash on any side leaves the call's row, which says how far it came: `lookup` reads it before it asks the agent.
The agent's side of the desk is hub.flow.agents; what it runs is hub.agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog

from hub.flow.agent_calls import AskedAttachment, read_outcome, write_operation, write_outcome
from hub.flow.agent_store import Bell, BridgeCalls, CallCounts, Uncounted, answer_bell, calls_bell
from hub.flow.ports import Clock
from hub.model.bridge_call import Agent, BridgeCall, CallState, CallVerb
from hub.model.errors import AttachmentGone
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Disposition, Operation, OperationOutcome
from hub.rules.bridge_calls import CallPolicy, Standing, is_there, standing_of

log = structlog.get_logger("agents")

#: How often who waits looks into the database, for rings that were lost.
LOOK_SECONDS: Final = 1.0
#: A look-up must be claimed so soon: whoever asked waits 10 s at the most.
LOOK_UP_CLAIM_MS: Final = 6_000
#: An agent that is asked for an attachment says something within this time, again and again.
PIECE_MS: Final = 60_000


class AgentAway(Exception):
    """The agent did not take the call, or did not answer; trying again may help."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteParts:
    """What the adapters of all agents share."""

    calls: BridgeCalls
    clock: Clock
    bell: Bell
    new_id: IdFactory
    policy: CallPolicy
    counts: CallCounts = Uncounted()  # noqa: RUF009 - it has no state


def _offline(detail: str) -> OperationOutcome:
    return OperationOutcome(
        disposition=Disposition.NOT_STARTED,
        code="bridge_offline",
        detail=detail,
        is_retry_safe=True,
        is_certain=True,
    )


_UNKNOWN: Final = OperationOutcome(
    disposition=Disposition.MAY_HAVE_COMPLETED,
    code="bridge_silent",
    detail="the agent began, and did not say what became of it",
)


class RemoteAdapter:
    """A bridge behind its agent (hub.flow.ports.BridgeAdapter)."""

    def __init__(self, bridge_id: int, kind: str, parts: RemoteParts) -> None:
        self.kind = kind
        self._bridge_id = bridge_id
        self._calls = parts.calls
        self._clock = parts.clock
        self._bell = parts.bell
        self._new_id = parts.new_id
        self._policy = parts.policy
        self._counts = parts.counts

    async def capabilities(self) -> frozenset[str]:
        agent = await self._calls.agent(self._bridge_id)
        return frozenset() if agent is None else agent.capabilities

    async def health(self) -> tuple[str, str | None]:
        agent = await self._calls.agent(self._bridge_id)
        if agent is None or not is_there(agent, self._clock.now_ms()):
            return "offline", _absence(agent, self._clock.now_ms())
        return agent.health, agent.health_reason

    async def events(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        """Nothing, for ever: agents push what they see (POST /v1/bridge/events)."""
        while True:
            await asyncio.Event().wait()
            yield ()

    async def perform(self, operation: Operation) -> OperationOutcome:
        agent, now_ms = await self._calls.agent(self._bridge_id), self._clock.now_ms()
        if not is_there(agent, now_ms):
            return _offline(_absence(agent, now_ms))
        call = await self._ask(CallVerb.PERFORM, write_operation(operation), operation.attempt_id)
        return await self._outcome(call, claim_by=now_ms + self._policy.claim_ms)

    async def lookup(self, operation: Operation) -> OperationOutcome:
        known = await self._calls.performed(self._bridge_id, operation.attempt_id)
        if known is not None:
            outcome = await self._recorded(known)
            if outcome is not None:
                return outcome
        agent, now_ms = await self._calls.agent(self._bridge_id), self._clock.now_ms()
        if not is_there(agent, now_ms):
            return _silent(_absence(agent, now_ms))
        asked_of = None if known is None else known.fence
        asked = write_operation(operation, asked_of=asked_of)
        call = await self._ask(CallVerb.LOOKUP, asked, operation.attempt_id)
        outcome = await self._outcome(call, claim_by=now_ms + LOOK_UP_CLAIM_MS)
        # That the question was not heard says nothing of what it was about.
        return _silent(outcome.detail or "") if outcome.code == "bridge_offline" else outcome

    async def open_attachment(self, ref: str) -> AsyncIterator[bytes]:
        agent, now_ms = await self._calls.agent(self._bridge_id), self._clock.now_ms()
        if not is_there(agent, now_ms):
            raise AgentAway(_absence(agent, now_ms))
        asked = msgspec.json.encode(AskedAttachment(ref=ref)).decode()
        call = await self._ask(CallVerb.ATTACHMENT, asked, None)
        try:
            number = 0
            while (piece := await self._piece(call, number)) is not None:
                yield piece
                number += 1
        finally:
            await self._drop(call.id)

    async def aclose(self) -> None:
        """Nothing is held open here."""

    async def _ask(self, verb: CallVerb, asked: str, attempt_id: str | None) -> BridgeCall:
        call = BridgeCall(
            id=self._new_id(),
            bridge_id=self._bridge_id,
            verb=verb,
            attempt_id=attempt_id,
            asked=asked,
            created_at=self._clock.now_ms(),
        )
        await self._calls.add(call)
        self._bell.ring(calls_bell(self._bridge_id))
        return call

    async def _outcome(self, call: BridgeCall, *, claim_by: int) -> OperationOutcome:
        """Wait for what becomes of a call."""
        with self._bell.waiting(answer_bell(call.id)) as waiting:
            while True:
                outcome = await self._settled(call.id, claim_by)
                if outcome is not None:
                    log.info(
                        "call.ended",
                        bridge_id=self._bridge_id,
                        call=call.id,
                        verb=call.verb,
                        disposition=outcome.disposition,
                        code=outcome.code,
                        waited_ms=self._clock.now_ms() - call.created_at,
                    )
                    return outcome
                await waiting.heard(LOOK_SECONDS)

    async def _settled(self, call_id: int, claim_by: int) -> OperationOutcome | None:
        """Say what became of a call, taking it back if its time is over; None while it may yet be answered."""
        call = await self._calls.get(call_id)
        if call is None:
            return _UNKNOWN
        match standing_of(call, claim_by=claim_by, now_ms=self._clock.now_ms()):
            case Standing.ANSWERED:
                return _read(call)
            case Standing.IN_DOUBT:
                self._counts.stepped("in_doubt")
                return _UNKNOWN
            case Standing.TAKE_BACK:
                return await self._taken_back(call)
            case Standing.WAIT:
                return None

    async def _taken_back(self, call: BridgeCall) -> OperationOutcome | None:
        """Take back a call that nobody has begun; None if it has moved since."""
        taken = _offline("the agent did not begin in time")
        if not await self._calls.take_back(call, outcome=write_outcome(taken)):
            return None
        self._counts.stepped("taken_back")
        return taken

    async def _recorded(self, call: BridgeCall) -> OperationOutcome | None:
        """Say what the row of a call to perform tells; None if the agent must be asked."""
        now_ms = self._clock.now_ms()
        if call.state is CallState.CLAIMED:
            # Who asked waits no more, or it would not be looked up. Begun later, it might be sent when it was given up.
            return await self._taken_back(call) or _silent("the call has just moved")
        match standing_of(call, claim_by=now_ms, now_ms=now_ms):
            case Standing.WAIT:
                return OperationOutcome(
                    disposition=Disposition.STILL_IN_FLIGHT,
                    code="bridge_busy",
                    detail="the agent is working on it",
                )
            case Standing.IN_DOUBT:
                return None
            case Standing.ANSWERED:
                outcome = _read(call)
                is_open = outcome.disposition in {Disposition.MAY_HAVE_COMPLETED, Disposition.STILL_IN_FLIGHT}
                return None if is_open else replace(outcome, is_certain=True)
            case Standing.TAKE_BACK:
                return await self._settled(call.id, now_ms) or _silent("the call has just moved")

    async def _drop(self, call_id: int) -> None:
        """Want no more of an attachment: what is sent from now on is refused."""
        call, ended = await self._calls.get(call_id), write_outcome(_UNKNOWN)
        if call is not None and not await self._calls.take_back(call, outcome=ended):
            await self._calls.answer(call_id, bridge_id=self._bridge_id, outcome=ended)
        await self._calls.drop_pieces(call_id)

    async def _piece(self, call: BridgeCall, number: int) -> bytes | None:
        """Give the next piece; None after the last.

        Raises:
            AttachmentGone: The network does not have it.
            AgentAway: The agent does not send it (any more).
        """
        give_up_at = self._clock.now_ms() + PIECE_MS
        with self._bell.waiting(answer_bell(call.id)) as waiting:
            while True:
                outcome = await self._settled(call.id, give_up_at)
                # In this order: the answer comes after the last piece.
                piece = await self._calls.take_piece(call.id, number)
                if piece is not None:
                    return piece
                if outcome is not None:
                    _require_whole(outcome)
                    return None
                if self._clock.now_ms() >= give_up_at:
                    raise AgentAway("the agent sent nothing for too long")
                await waiting.heard(LOOK_SECONDS)


def _require_whole(outcome: OperationOutcome) -> None:
    match outcome.disposition:
        case Disposition.ACCEPTED:
            return
        case Disposition.REJECTED:
            raise AttachmentGone(outcome.detail or "the network does not have it")
        case _:
            raise AgentAway(outcome.detail or "the agent could not fetch it")


def _read(call: BridgeCall) -> OperationOutcome:
    try:
        return read_outcome(call.outcome or "")
    except msgspec.MsgspecError:
        log.error("call.unreadable", bridge_id=call.bridge_id, call=call.id)
        return _UNKNOWN


def _silent(detail: str) -> OperationOutcome:
    return OperationOutcome(disposition=Disposition.MAY_HAVE_COMPLETED, code="bridge_offline", detail=detail)


def _absence(agent: Agent | None, now_ms: int) -> str:
    if agent is None:
        return "no agent has said hello yet"
    return f"the agent was last heard {max(0, now_ms - agent.heard_at) // 1000} s ago"
