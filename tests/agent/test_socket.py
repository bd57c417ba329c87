"""A WebSocket is a quicker way for the same requests, and never the only one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.agent.pauses import Pauses
from hub.agent.running import Welcomed
from hub.agent.socket import HubSocket
from hub.model.outbox import Disposition
from tests.support.agent_stage import HUB, AgentStage
from tests.support.hub_world import open_world
from tests.support.played_sockets import PlayedSockets
from tests.support.scripted_bridge import ScriptedBridge
from tests.worker.time_by_hand import eventually

HELLO = {"agent": "a-1", "version": "0.1.0", "kind": "sandbox", "capabilities": ["text"]}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[AgentStage]:
    async with open_world(tmp_path) as world:
        stage = AgentStage.of(world, tmp_path / "agent")
        stage.sockets = PlayedSockets(world.api.app)
        yield stage


@pytest.fixture
def way(stage: AgentStage) -> PlayedSockets:
    assert stage.sockets is not None
    return stage.sockets


async def test_an_agent_greets_by_post_and_does_its_work_over_the_socket(
    stage: AgentStage, way: PlayedSockets
) -> None:
    async with stage.agent(ScriptedBridge(stage.world.clock)):
        await stage.remote().perform(
            stage.a_send()
        )  # claimed by the long-poll that waited when the socket opened
        outcome = await stage.remote().perform(stage.a_send())
        await eventually(lambda: way.answered.count("ack") == 2)

    assert outcome.disposition is Disposition.ACCEPTED
    assert stage.wire.asked[0] == "hello"
    assert {"claim", "dispatched", "ack"} <= set(way.answered)


@pytest.mark.parametrize("status", [400, 403, 426, 502])
async def test_where_none_opens_all_is_asked_by_post_and_that_is_told_once(
    stage: AgentStage, way: PlayedSockets, status: int
) -> None:
    way.refuses = status
    with capture_logs() as told:
        async with stage.agent(ScriptedBridge(stage.world.clock)):
            await eventually(lambda: way.tries >= 3)
            outcome = await stage.remote().perform(stage.a_send())

    assert outcome.disposition is Disposition.ACCEPTED
    assert [each["event"] for each in told if each["event"].startswith("socket.")] == ["socket.unused"]


async def test_one_that_is_cut_again_and_again_changes_nothing(stage: AgentStage, way: PlayedSockets) -> None:
    network = ScriptedBridge(stage.world.clock)
    operations = [stage.a_send() for _ in range(4)]
    async with stage.agent(network):
        for operation in operations:
            performing = asyncio.create_task(stage.remote().perform(operation))
            await asyncio.sleep(0.003)
            way.drop()
            assert (await performing).disposition is Disposition.ACCEPTED

    assert [network.arrived(operation) for operation in operations] == [1, 1, 1, 1]


async def test_one_that_passes_nothing_on_is_given_up(stage: AgentStage, way: PlayedSockets) -> None:
    way.is_deaf, link = True, stage.link()
    assert link.socket is not None
    serving = asyncio.create_task(link.socket.serve())
    await eventually(lambda: link.socket and link.socket.is_open)

    welcomed = await link.ask("hello", HELLO, Welcomed, timeout_seconds=0.05)
    await serving

    assert welcomed.fence == 1
    assert (stage.wire.answered, way.answered) == (["hello"], [])
    assert not link.socket.is_open


async def test_a_hub_that_keeps_none_is_not_asked_for_one(stage: AgentStage, way: PlayedSockets) -> None:
    naps = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    link = stage.link()
    pauses = Pauses(nap, lambda: 0.0)
    clock = stage.world.clock
    socket = HubSocket(HUB, way, link.signed, clock=clock, draw_id=stage.draw, pauses=pauses)
    running = asyncio.create_task(socket.run(lambda: False, nap))
    await eventually(lambda: len(naps) >= 3)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert (set(naps), way.tries) == ({60.0}, 0)


async def test_a_socket_that_lived_long_is_opened_anew_at_once_and_one_that_is_cut_ever_later(
    stage: AgentStage, way: PlayedSockets
) -> None:
    """A proxy that cuts every socket after a moment is left alone more and more, up to a quarter of an hour."""
    naps: list[float] = []
    lived_ms = 1_000

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        await asyncio.sleep(0)

    def draw() -> float:
        return 1.0

    link, clock = stage.link(), stage.world.clock
    pauses = Pauses(nap, draw, first_seconds=1.0, longest_seconds=900.0)
    socket = HubSocket(HUB, way, link.signed, clock=clock, draw_id=stage.draw, pauses=pauses)
    running = asyncio.create_task(socket.run(lambda: True, nap))
    for count in range(12):
        await eventually(lambda: way.open)
        clock.advance(60_000 if count == 11 else lived_ms)
        way.drop()
        await eventually(lambda count=count: len(naps) > count)  # type: ignore[misc]  # mypy does not see the default
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert naps[:12] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 900.0, 1.0]
