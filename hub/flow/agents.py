"""What agents ask for: to say hello, to claim calls, to say that they begin, to answer (docs/agent.md).

The other side of each call, which waits for the answer, is hub.worker.remote.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from hub.flow.agent_calls import MOST_OUTCOME_BYTES, ToldOutcome, write_outcome
from hub.flow.agent_store import Bell, CallCounts, answer_bell, calls_bell
from hub.flow.directory import DirectoryHolder
from hub.flow.late_answers import LateAnswers
from hub.flow.ports import Clock, OutgoingFile, OutgoingFiles, WakeUps
from hub.flow.repositories import Store
from hub.model.bridge_call import Agent, AgentHello, BridgeCall, CallState, CallVerb
from hub.model.errors import AttachmentGone, InvalidRequest
from hub.model.line import Bridge
from hub.rules.bridge_calls import CallPolicy

log = structlog.get_logger("agents")

#: How often who waits looks into the database, for rings that were lost.
LOOK_SECONDS: Final = 2.0
#: How long a call is remembered: for look-ups, and for what is told late.
KEPT_MS: Final = 7 * 86_400_000
MOST_FORGOTTEN: Final = 500
#: How often it is noted that an agent spoke.
NOTED_EVERY_MS: Final = 10_000
#: Pieces of one attachment that wait for their reader.
MOST_PIECES: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Welcome:
    """What an agent must know."""

    agent: Agent
    #: Handles of the bridge's active lines.
    lines: tuple[str, ...]


class AgentDesk:
    """All agents."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        clock: Clock,
        monotonic: Callable[[], float],
        bell: Bell,
        wake_ups: WakeUps,
        files: OutgoingFiles,
        policy: CallPolicy,
        counts: CallCounts,
        late: LateAnswers,
    ) -> None:
        self._counts = counts
        self._late = late
        self._calls = store.bridge_calls
        self._directory = directory
        self._clock = clock
        self._monotonic = monotonic
        self._bell = bell
        self._wake_ups = wake_ups
        self._files = files
        self._policy = policy

    async def hello(self, bridge: Bridge, hello: AgentHello) -> Welcome:
        """Take in what an agent tells of itself: at its start, and every 20 s."""
        now_ms = self._clock.now_ms()
        agent, is_new = await self._calls.hello(bridge.id, hello, now=now_ms)
        if is_new:
            log.info("agent.came", bridge_id=bridge.id, kind=hello.kind, version=hello.version)
            self._wake_ups.configuration_changed()
        await self._calls.forget(bridge.id, before=now_ms - KEPT_MS, limit=MOST_FORGOTTEN)
        lines = self._directory.current.lines_by_id.values()
        handles = sorted(line.handle for line in lines if bridge.id in line.bridge_ids and line.is_active)
        return Welcome(agent=agent, lines=tuple(handles))

    async def claim(
        self, bridge: Bridge, *, fence: int, holding: Collection[int], most: int, wait_seconds: float
    ) -> Sequence[BridgeCall]:
        """Give calls to begin; wait for the first one at most so long.

        Raises:
            InvalidRequest: bridge_superseded.
        """
        await self._heard(bridge, fence)
        # What an agent began and knows of no more, it lost when it ended: nobody need wait for it.
        for call_id in await self._calls.lost(bridge.id, holding=holding, now=self._clock.now_ms()):
            log.warning(
                "call.lost", bridge_id=bridge.id, call=call_id, reason="the agent knows of it no more"
            )
            self._counts.stepped("lost")
            self._bell.ring(answer_bell(call_id))
        until = self._monotonic() + wait_seconds
        with self._bell.waiting(calls_bell(bridge.id)) as waiting:
            while True:
                now_ms = self._clock.now_ms()
                found = await self._calls.claim(
                    bridge.id,
                    fence=fence,
                    holding=holding,
                    limit=most,
                    now=now_ms,
                    lease_until=now_ms + self._policy.begin_ms,
                )
                if found is None:
                    raise _superseded()
                left = until - self._monotonic()
                if found or left <= 0 or self._bell.is_closed:
                    self._counts.stepped("claimed", len(found))
                    return found
                await waiting.heard(min(left, LOOK_SECONDS))

    async def begin(self, bridge: Bridge, *, fence: int, call_id: int) -> bool:
        """Note that the agent begins a call; False: it must not, the call is no longer its own.

        Raises:
            InvalidRequest: bridge_superseded.
        """
        await self._heard(bridge, fence)
        now_ms = self._clock.now_ms()
        lease_until = now_ms + self._policy.lease_ms
        is_taken = await self._calls.begin(
            call_id, bridge_id=bridge.id, fence=fence, now=now_ms, lease_until=lease_until
        )
        self._counts.stepped("begun", int(is_taken))
        return is_taken

    async def extend(self, bridge: Bridge, *, fence: int, call_id: int) -> bool:
        """Let an agent have more time; False: nobody waits for this call.

        Raises:
            InvalidRequest: bridge_superseded.
        """
        await self._heard(bridge, fence)
        now_ms = self._clock.now_ms()
        return await self._calls.extend(
            call_id,
            bridge_id=bridge.id,
            fence=fence,
            now=now_ms,
            lease_until=now_ms + self._policy.lease_ms,
        )

    async def answer(self, bridge: Bridge, *, fence: int, call_id: int, told: ToldOutcome) -> bool:
        """Keep what became of a call, whoever still waits for it; False: it was answered before, or is not known.

        Raises:
            InvalidRequest: bridge_superseded, payload_too_large.
        """
        await self._heard(bridge, fence)
        outcome = write_outcome(told.outcome())
        if len(outcome) > MOST_OUTCOME_BYTES:
            raise InvalidRequest("payload_too_large", f"An outcome may have {MOST_OUTCOME_BYTES} bytes.")
        is_new = await self._calls.answer(call_id, bridge_id=bridge.id, outcome=outcome)
        self._counts.stepped("answered" if is_new else "late")
        self._bell.ring(answer_bell(call_id))
        # Also what was answered before: whoever took it may have died before it was told.
        call = await self._calls.get(call_id)
        if call is not None and call.bridge_id == bridge.id:
            await self._late.take_in(call, told.outcome())
        if is_new:
            self._counts.answered(told.disposition)
        return is_new

    async def add_piece(
        self, bridge: Bridge, *, fence: int, call_id: int, number: int, content: bytes
    ) -> bool:
        """Take the next piece of an attachment; False: too many wait for their reader, send it again.

        Raises:
            InvalidRequest: bridge_superseded, call_not_found.
        """
        await self._heard(bridge, fence)
        await self._begun(bridge, call_id, CallVerb.ATTACHMENT)
        held = await self._calls.add_piece(call_id, number, content, most=MOST_PIECES)
        self._bell.ring(answer_bell(call_id))
        return held is not None

    async def open_file(self, bridge: Bridge, *, fence: int, call_id: int, file_id: str) -> OutgoingFile:
        """Open a file that a call of this bridge names.

        Raises:
            InvalidRequest: bridge_superseded, call_not_found, file_not_found.
        """
        await self._heard(bridge, fence)
        call = await self._begun(bridge, call_id, CallVerb.PERFORM)
        if f'"{file_id}"' not in call.asked:
            raise InvalidRequest("file_not_found", "The call names no such file.", param="file_id")
        try:
            return await self._files.open_file(file_id)
        except AttachmentGone as error:
            raise InvalidRequest("file_not_found", f"{error}.", param="file_id") from None

    async def _begun(self, bridge: Bridge, call_id: int, verb: CallVerb) -> BridgeCall:
        call = await self._calls.get(call_id)
        if (
            call is None
            or call.bridge_id != bridge.id
            or call.verb is not verb
            or call.state is not CallState.DISPATCHED
        ):
            raise InvalidRequest("call_not_found", "No such call is under way.", param="call_id")
        return call

    async def _heard(self, bridge: Bridge, fence: int) -> None:
        """Note that the agent spoke, now and then; refuse one that was superseded."""
        now_ms = self._clock.now_ms()
        agent = await self._calls.agent(bridge.id)
        if agent is None or agent.fence != fence:
            raise _superseded()
        if now_ms - agent.heard_at >= NOTED_EVERY_MS:
            await self._calls.heard(bridge.id, fence=fence, at=now_ms)


def _superseded() -> InvalidRequest:
    return InvalidRequest(
        "bridge_superseded",
        "Another agent has said hello for this bridge since: this one has nothing to do any more. If both should run, "
        "enrol each as a bridge of its own.",
    )
