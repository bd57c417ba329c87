"""An agent answers after the hub has given up: what it says counts all the same."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.flow.send import Sending, SendTimeouts
from hub.model.ids import Prefix, parse_id
from hub.rules.lanes import shard_of
from tests.flow.test_send import POLICY
from tests.support.agent_stage import AgentStage, Unheard
from tests.support.hub_world import CONTACT, HubWorld, open_world
from tests.support.scripted_bridge import Act, ScriptedBridge


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[AgentStage]:
    async with open_world(tmp_path) as world:
        yield AgentStage.of(world, tmp_path / "agent")


@contextlib.asynccontextmanager
async def begun_and_left(stage: AgentStage, network: ScriptedBridge) -> AsyncIterator[dict[str, Any]]:
    """Let an agent begin a send, kill the worker that asked for it, and let time go by until the hub gives up."""
    world, line = stage.world, stage.world.other_line
    network.script.append(Act.HANG)
    async with stage.agent(Unheard(network)):
        await world.say("hi", line=line)
        wish = {"from": line.handle, "to": CONTACT, "text": "hello"}
        asked = (await world.api.post("/v1/messages", wish)).json
        worker = asyncio.create_task(step(stage))
        async with asyncio.timeout(10):
            while not network.sent:  # noqa: ASYNC110 - the network has no bell
                await asyncio.sleep(0.001)
        worker.cancel()
        # Whether the agent is still heard or not: nobody waits longer than that.
        world.clock.advance(POLICY.in_flight_ms + 1)
        await step(stage)
        yield dict(asked)


async def step(stage: AgentStage) -> None:
    """Do what is due on the line, as a worker does."""
    world, line = stage.world, stage.world.other_line
    sending = Sending(
        store=world.store.hot,
        recorder=world.recorder,
        clock=world.clock,
        policy=POLICY,
        timeouts=SendTimeouts(perform_seconds=20.0, lookup_seconds=20.0),
    )
    [item] = await world.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 9))
    await sending.step(item, line, stage.remote())


async def answered(stage: AgentStage, network: ScriptedBridge, *, times: int = 1) -> None:
    """Let the network answer, and the hub hear of it, so many times."""
    heard = stage.wire.answered.count("ack")
    network.answer_now.set()
    async with asyncio.timeout(10):
        while stage.wire.answered.count("ack") < heard + times:  # noqa: ASYNC110 - the wire has no bell
            await asyncio.sleep(0.001)


async def shown(world: HubWorld, asked: dict[str, Any]) -> tuple[str, str | None, str]:
    """Give how item and message stand: state and error of the one, status of the other."""
    item = (await world.api.get(f"/v1/outbox?id={asked['id']}")).json
    message = (await world.api.get(f"/v1/messages/{item['message_id']}")).json
    return item["state"], item["error"] and item["error"].partition(":")[0], message["status"]


async def test_a_send_that_was_given_up_is_sent_once_the_agent_says_so(stage: AgentStage) -> None:
    network = ScriptedBridge(stage.world.clock)
    async with begun_and_left(stage, network) as asked:
        assert await shown(stage.world, asked) == ("failed", "delivery_unknown", "failed")
        await answered(stage, network)

        assert await shown(stage.world, asked) == ("sent", None, "sent")
    assert network.sent == [parse_id(Prefix.OUTBOX, asked["id"])]


async def test_it_is_told_once_however_often_the_agent_says_it(stage: AgentStage) -> None:
    network, world = ScriptedBridge(stage.world.clock), stage.world
    lost = ["ack"]

    def lose(word: str) -> bool | None:
        if word not in lost:
            return None
        lost.remove(word)
        return True

    async with begun_and_left(stage, network) as asked:
        stage.wire.cut = lose
        await answered(stage, network, times=2)
        events = (await world.api.get("/v1/events?limit=100")).json["data"]

    types = [each["type"] for each in events if each["type"].startswith("message.")]
    assert sorted(types) == ["message.failed", "message.queued", "message.received", "message.sent"]
    assert asked["id"]


async def test_an_answer_that_it_failed_changes_nothing(stage: AgentStage) -> None:
    """The message has failed already, and may be sent again."""
    network = RefusingLate(stage.world.clock)
    async with begun_and_left(stage, network) as asked:
        await answered(stage, network)

        assert await shown(stage.world, asked) == ("failed", "delivery_unknown", "failed")


class RefusingLate(ScriptedBridge):
    """Says in the end that it could not send."""

    async def perform(self, operation: Any) -> Any:
        await super().perform(operation)
        self.script.append(Act.REJECT)
        return await super().perform(operation)
