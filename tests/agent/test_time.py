"""What an agent does as time passes: it asks for more of it, notices that it slept, and waits longer each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from hub.agent.pauses import Pauses
from hub.agent.running import HELLO_SECONDS, LOOK_SECONDS, SLEPT_MS
from hub.agent.work import EXTEND_SECONDS, FULL_SECONDS
from hub.flow.agents import MOST_PIECES
from hub.model.observation import Observation
from hub.model.outbox import Disposition
from tests.support.agent_stage import AgentStage, Unheard
from tests.support.hourglass import Hourglass
from tests.support.scripted_bridge import Act, ScriptedBridge
from tests.worker.time_by_hand import eventually


@pytest.fixture
def hourglass(stage: AgentStage) -> Hourglass:
    glass = Hourglass(HELLO_SECONDS, LOOK_SECONDS, EXTEND_SECONDS)
    stage.sleep = glass
    return glass


@pytest.mark.parametrize("is_extended", [True, False])
async def test_a_long_send_is_waited_for_while_the_agent_asks_for_more_time(
    stage: AgentStage, hourglass: Hourglass, is_extended: bool
) -> None:
    network = ScriptedBridge(stage.world.clock)
    network.script.append(Act.HANG)
    async with stage.agent(Unheard(network)):
        performing = asyncio.create_task(stage.remote().perform(stage.a_send()))
        await eventually(lambda: network.sent)
        stage.world.clock.advance(stage.policy.lease_ms - 40_000)
        if is_extended:
            await hourglass.turn(EXTEND_SECONDS)
            await eventually(lambda: "extend" in stage.wire.answered)
        stage.world.clock.advance(60_000)
        if is_extended:
            network.answer_now.set()
        outcome = await performing

    expected = Disposition.ACCEPTED if is_extended else Disposition.MAY_HAVE_COMPLETED
    assert outcome.disposition is expected


async def test_what_the_agent_still_works_on_is_said_to_be_so_for_as_long(
    stage: AgentStage, hourglass: Hourglass
) -> None:
    """The hub's own patience with one answer may end sooner: it then looks up, and need not give up (decision 38)."""
    network, operation = ScriptedBridge(stage.world.clock), stage.a_send()
    network.script.append(Act.HANG)
    async with stage.agent(Unheard(network)):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await eventually(lambda: network.sent)
        performing.cancel()
        stage.world.clock.advance(200_000)
        at_it = await stage.remote().lookup(operation)
        network.answer_now.set()
        await eventually(lambda: "ack" in stage.wire.answered)
        found = await stage.remote().lookup(operation)

    assert (at_it.disposition, found.disposition) == (Disposition.STILL_IN_FLIGHT, Disposition.ACCEPTED)
    assert network.looked_up == []


class Watched(Unheard):
    """Tells one thing, and from where it was asked to go on."""

    def __init__(self, inner: ScriptedBridge, shown: Observation) -> None:
        super().__init__(inner)
        self.began_at: list[str | None] = []
        self._shown = shown

    async def events(self, cursor: str | None) -> AsyncIterator[Observation]:  # type: ignore[override]  # it does tell
        self.began_at.append(cursor)
        if cursor is None:
            yield self._shown
        await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("passed_ms", "is_woken"),
    [(5_000, False), (SLEPT_MS, False), (SLEPT_MS + 1, True), (8 * 3_600_000, True), (-3_600_000, True)],
    ids=["awake", "slow", "slept", "night", "clock-set-back"],
)
async def test_after_a_sleep_it_listens_anew_from_the_cursor_and_trusts_no_socket(
    stage: AgentStage, hourglass: Hourglass, passed_ms: int, is_woken: bool
) -> None:
    line, clock = stage.world.other_line.handle, stage.world.clock
    shown = Observation(
        v=1, line=line, kind="line.status", at=clock.now_ms(), value="online", cursor="7"
    )  # fmt: skip
    bridge, way = Watched(ScriptedBridge(clock), shown), stage.with_sockets()
    async with stage.agent(bridge):
        await eventually(lambda: "events" in stage.wire.answered)
        await hourglass.turn(LOOK_SECONDS)  # once, so that it has seen the time
        await asyncio.sleep(0.01)
        clock.advance(passed_ms)
        await hourglass.turn(LOOK_SECONDS)
        if is_woken:
            await eventually(lambda: len(bridge.began_at) == 2 and way.tries >= 2)
        else:
            await asyncio.sleep(0.02)

    assert bridge.began_at == ([None, "7"] if is_woken else [None])


def test_pauses_double_within_bounds_and_begin_anew_when_it_works() -> None:
    taken: list[float] = []

    async def sleep(seconds: float) -> None:
        taken.append(seconds)

    async def story(draw: float) -> list[float]:
        taken.clear()
        pauses = Pauses(sleep, lambda: draw)
        for _ in range(8):
            await pauses.take()
        pauses.over()
        await pauses.take()
        return list(taken)

    assert asyncio.run(story(1.0)) == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 0.5]
    assert asyncio.run(story(0.0)) == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 0.25]


async def test_a_slow_reader_holds_up_the_agent_and_not_the_database(
    stage: AgentStage, hourglass: Hourglass
) -> None:
    """Pieces wait, a few of them; the agent offers the next one again and again, and all come in order."""
    network, full = ScriptedBridge(stage.world.clock), []
    whole = bytes(range(256)) * 4_000
    network.attachments["film"] = [whole[at : at + 10_000] for at in range(0, len(whole), 10_000)]

    async def sleep(seconds: float) -> None:
        if seconds == FULL_SECONDS:
            full.append(seconds)
            await asyncio.sleep(0.001)
            return
        await hourglass(seconds)

    stage.sleep = sleep
    async with stage.agent(Unheard(network)):
        reading = stage.remote().open_attachment("film")
        read = [await anext(reading)]
        await eventually(lambda: len(full) >= 3)
        taken_in = stage.wire.answered.count("content") - len(full)
        read += [piece async for piece in reading]

    assert taken_in <= MOST_PIECES + 1
    assert len(read) > MOST_PIECES
    assert b"".join(read) == whole
