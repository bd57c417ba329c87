"""Whoever dies at whichever step of a send: the network has the message once, or the hub says that it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.agent.link import Superseded
from hub.model.outbox import Disposition, Operation, OperationOutcome
from hub.rules.bridge_calls import SILENT_MS, CallPolicy
from tests.support.agent_stage import AgentStage
from tests.support.hub_world import open_world
from tests.support.scripted_bridge import Act, ScriptedBridge


@pytest.fixture(params=["long-poll", "websocket"])
async def stage(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[AgentStage]:
    """A hub and an agent, asking in either way: what is promised holds for both."""
    async with open_world(tmp_path) as world:
        stage = AgentStage.of(world, tmp_path / "agent")
        if request.param == "websocket":
            stage.with_sockets()
        yield stage


@pytest.fixture
def network(stage: AgentStage) -> ScriptedBridge:
    """What the agent reaches; it counts what arrives."""
    return ScriptedBridge(stage.world.clock)


async def until(words: list[str], word: str, count: int = 1) -> None:
    """Wait until the hub was asked for something, or has answered it."""
    async with asyncio.timeout(10):
        while words.count(word) < count:  # noqa: ASYNC110 - the wire has no bell
            await asyncio.sleep(0.001)


async def settled(stage: AgentStage, operation: Operation) -> OperationOutcome:
    """Look up as the hub's lanes do, until something is known."""
    async with asyncio.timeout(10):
        while True:
            found = await stage.remote().lookup(operation)
            if found.disposition not in {Disposition.MAY_HAVE_COMPLETED, Disposition.STILL_IN_FLIGHT}:
                return found
            await asyncio.sleep(0.001)


async def test_without_an_agent_nothing_is_begun(stage: AgentStage) -> None:
    outcome = await stage.remote().perform(stage.a_send())

    assert (outcome.disposition, outcome.code) == (Disposition.NOT_STARTED, "bridge_offline")
    assert outcome.is_retry_safe


async def test_an_agent_that_fell_silent_is_not_asked(stage: AgentStage, network: ScriptedBridge) -> None:
    async with stage.agent(network):
        pass
    stage.world.clock.advance(SILENT_MS + 1)

    outcome = await stage.remote().perform(stage.a_send())

    assert outcome.code == "bridge_offline"
    assert await stage.remote().health() == ("offline", "the agent was last heard 60 s ago")
    assert network.sent == []


async def test_an_agent_that_dies_before_it_claims_leaves_nothing_begun(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    async with stage.agent(network):
        pass
    stage.policy, operation = CallPolicy(claim_ms=0), stage.a_send()

    outcome = await stage.remote().perform(operation)
    stage.policy, other = CallPolicy(), stage.a_send()
    async with stage.agent(network):
        await stage.remote().perform(other)

    assert (outcome.disposition, outcome.is_retry_safe) == (Disposition.NOT_STARTED, True)
    assert network.sent == [other.outbox_id]


async def test_an_agent_that_dies_between_claim_and_beginning_gets_the_call_again(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    stage.wire.cut = lambda word: False if word == "dispatched" else None
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.asked, "claim", 2)
    stage.wire.cut = lambda word: None
    async with stage.agent(network):
        outcome = await performing

    assert outcome.disposition is Disposition.ACCEPTED
    assert network.arrived(operation) == 1


async def test_an_agent_that_dies_after_it_said_that_it_begins_never_began(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    """The hub heard `dispatched`, the journal knows nothing: it certainly did not happen."""
    stage.wire.cut = lambda word: True if word == "dispatched" else None
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.answered, "dispatched")
    stage.wire.cut = lambda word: None
    async with stage.agent(network):
        outcome = await performing
        found = await settled(stage, operation)

    assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED
    assert (found.disposition, found.is_certain, found.is_retry_safe) == (Disposition.NOT_STARTED, True, True)
    assert network.arrived(operation) == 0


@pytest.mark.parametrize("can_look_up", [True, False])
async def test_an_agent_that_dies_while_it_performs_is_looked_up_and_never_repeats(
    stage: AgentStage, network: ScriptedBridge, can_look_up: bool
) -> None:
    network.script.append(Act.HANG)
    network.can_look_up = can_look_up
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.answered, "dispatched")
        async with asyncio.timeout(10):
            while not network.sent:  # noqa: ASYNC110 - the network has no bell
                await asyncio.sleep(0.001)
    async with stage.agent(network):
        outcome = await performing
        found = await stage.remote().lookup(operation)
        again = await stage.remote().perform(operation)

    assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED
    expected = Disposition.ACCEPTED if can_look_up else Disposition.MAY_HAVE_COMPLETED
    assert (found.disposition, again.disposition) == (expected, expected)
    assert network.arrived(operation) == 1


async def test_an_agent_that_dies_before_it_answers_answers_from_its_journal(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    stage.wire.cut = lambda word: False if word == "ack" else None
    network.can_look_up = False
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.answered, "dispatched")
        async with asyncio.timeout(10):
            while not network.sent:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.01)
    stage.wire.cut = lambda word: None
    async with stage.agent(network):
        await performing
        found = await settled(stage, operation)

    assert (found.disposition, found.provider_id is not None) == (Disposition.ACCEPTED, True)
    assert network.looked_up == []
    assert network.arrived(operation) == 1


async def test_a_hub_that_dies_while_it_waits_finds_the_answer_in_the_row(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    network.script.append(Act.HANG)
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.answered, "dispatched")
        performing.cancel()
        in_flight = await stage.remote().lookup(operation)
        network.answer_now.set()
        found = await settled(stage, operation)

    assert in_flight.disposition is Disposition.STILL_IN_FLIGHT
    assert found.disposition is Disposition.ACCEPTED
    assert network.looked_up == []
    assert network.arrived(operation) == 1


async def test_a_hub_that_dies_before_the_claim_takes_the_call_back(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    async with stage.agent(network):
        pass
    operation, calls = stage.a_send(), stage.world.store.bridge_calls
    performing = asyncio.create_task(stage.remote().perform(operation))
    async with asyncio.timeout(10):
        while await calls.performed(stage.bridge.id, operation.attempt_id) is None:  # noqa: ASYNC110 - nobody rings for a row
            await asyncio.sleep(0.001)
    performing.cancel()

    found = await stage.remote().lookup(operation)
    other = stage.a_send()
    async with stage.agent(network):
        await stage.remote().perform(other)

    assert (found.disposition, found.is_certain) == (Disposition.NOT_STARTED, True)
    assert network.sent == [other.outbox_id]


async def test_a_hub_that_dies_between_claim_and_beginning_takes_the_call_back(
    stage: AgentStage, network: ScriptedBridge
) -> None:
    """What the agent holds and has not begun is not begun any more: the hub tries it again, or gives it up."""
    stage.wire.cut = lambda word: False if word == "dispatched" else None
    operation = stage.a_send()
    async with stage.agent(network):
        performing = asyncio.create_task(stage.remote().perform(operation))
        await until(stage.wire.answered, "claim")
        performing.cancel()
        found = await stage.remote().lookup(operation)
        stage.wire.cut = lambda word: None
        await until(stage.wire.answered, "dispatched")
        other = stage.a_send()
        await stage.remote().perform(other)

    assert (found.disposition, found.is_certain) == (Disposition.NOT_STARTED, True)
    assert network.sent == [other.outbox_id]


@pytest.mark.parametrize("word", ["claim", "dispatched", "ack"])
async def test_a_lost_answer_of_the_hub_changes_nothing(
    stage: AgentStage, network: ScriptedBridge, word: str
) -> None:
    lost = [word]

    def cut(asked: str) -> bool | None:
        if asked in lost and "hello" in stage.wire.asked:
            lost.remove(asked)
            return True
        return None

    operation = stage.a_send()
    async with stage.agent(network):
        stage.wire.cut = cut
        outcome = await stage.remote().perform(operation)

    assert outcome.disposition is Disposition.ACCEPTED
    assert network.arrived(operation) == 1


async def test_a_claim_whose_lease_ended_is_not_begun(stage: AgentStage, network: ScriptedBridge) -> None:
    """The agent slept between claim and beginning; the hub has taken the call back."""
    operation = stage.a_send()
    async with stage.agent(network):

        def sleep_first(word: str) -> bool | None:
            if word == "dispatched":
                stage.world.clock.advance(stage.policy.begin_ms)
            return None

        stage.wire.cut = sleep_first
        outcome = await stage.remote().perform(operation)
        await until(stage.wire.answered, "dispatched")

    assert (outcome.disposition, outcome.is_certain) == (Disposition.NOT_STARTED, True)
    assert network.sent == []


async def test_what_the_hub_has_given_up_is_not_begun(stage: AgentStage, network: ScriptedBridge) -> None:
    """The hub heard `dispatched`, then was away for longer than the lease: it has looked the send up, and may have
    told people that nobody knows.
    """
    operation, lost = stage.a_send(), ["dispatched"]

    def be_away(word: str) -> bool | None:
        if word in lost:
            if word in stage.wire.answered:
                lost.remove(word)
                stage.world.clock.advance(stage.policy.lease_ms)
            return bool(lost)
        return None

    async with stage.agent(network):
        stage.wire.cut = be_away
        outcome = await stage.remote().perform(operation)
        await until(stage.wire.answered, "dispatched", 2)
        found = await settled(stage, operation)

    assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED
    assert (found.disposition, found.is_certain) == (Disposition.NOT_STARTED, True)
    assert network.sent == []


async def test_two_calls_for_one_attempt_make_it_once(stage: AgentStage, network: ScriptedBridge) -> None:
    """A worker that stood still asks after its successor did; the agent gets both at once."""
    operation = stage.a_send()
    stage.wire.cut = lambda word: False if word == "claim" else None
    async with stage.agent(network):
        calls = [asyncio.create_task(stage.remote().perform(operation)) for _ in range(2)]
        await asyncio.sleep(0.1)
        stage.wire.cut = lambda word: None
        outcomes = await asyncio.gather(*calls)

    assert network.arrived(operation) == 1
    assert Disposition.ACCEPTED in {each.disposition for each in outcomes}


async def test_of_two_agents_the_older_ends_and_begins_nothing(
    stage: AgentStage, network: ScriptedBridge, tmp_path: Path
) -> None:
    other = ScriptedBridge(stage.world.clock)
    async with stage.agent(network) as older, stage.agent(other, folder=tmp_path / "other"):
        outcome = await stage.remote().perform(operation := stage.a_send())
        with pytest.raises(Superseded):
            await asyncio.wait_for(older, 10)

    assert outcome.disposition is Disposition.ACCEPTED
    assert (network.arrived(operation), other.arrived(operation)) == (0, 1)
