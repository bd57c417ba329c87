"""Calls to agents keep their promises on both databases: each is begun by one agent, and answered once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from hub.flow.repositories import Store
from hub.model.bridge_call import AgentHello, BridgeCall, CallState, CallVerb
from tests.store.specimens import BRIDGE

HELLO = AgentHello(
    name="mini",
    kind="imsg",
    version="1",
    capabilities=frozenset({"text"}),
    health="degraded",
    health_reason="slow",
    program="hub agent",
    os="macOS 15.1",
)
CALL = BridgeCall(id=5, bridge_id=1, verb=CallVerb.PERFORM, attempt_id="a-1", asked="{}", created_at=10)


@pytest.fixture
async def fence(store: Store) -> int:
    """The fence of the bridge's agent."""
    await store.bridges.add(BRIDGE)
    return (await store.bridge_calls.hello(1, HELLO, now=20))[0].fence


async def claimed(store: Store, fence: int, *holding: int, lease_until: int = 100) -> list[int] | None:
    calls = await store.bridge_calls.claim(
        1, fence=fence, holding=holding, limit=2, now=40, lease_until=lease_until
    )
    return None if calls is None else [each.id for each in calls]


async def test_an_agent_is_kept_as_it_tells_and_its_kind_stands_with_the_bridge(store: Store) -> None:
    await store.bridges.add(BRIDGE)
    before = await store.hot.read(lambda tx: tx.revision())
    agent, is_new = await store.bridge_calls.hello(1, HELLO, now=20)
    after = await store.hot.read(lambda tx: tx.revision())

    assert is_new
    assert after > before
    assert await store.bridge_calls.agent(1) == agent
    assert (agent.name, agent.fence, agent.capabilities, agent.heard_at) == (
        "mini",
        1,
        HELLO.capabilities,
        20,
    )
    assert (agent.health, agent.health_reason) == ("degraded", "slow")
    assert (agent.program, agent.os, agent.called_at) == ("hub agent", "macOS 15.1", None)
    assert [each.agent for each in await store.bridges.all()] == ["imsg"]


async def test_saying_hello_again_raises_neither_fence_nor_revision(store: Store, fence: int) -> None:
    before = await store.hot.read(lambda tx: tx.revision())
    agent, is_new = await store.bridge_calls.hello(1, replace(HELLO, health="online"), now=30)

    assert (agent.fence, is_new, agent.heard_at) == (fence, False, 30)
    assert await store.hot.read(lambda tx: tx.revision()) == before


async def test_a_saved_bridge_keeps_its_agent(store: Store, fence: int) -> None:
    await store.bridges.change(1, lambda bridge: replace(bridge, name="renamed", agent=None))

    assert [(each.name, each.agent) for each in await store.bridges.all()] == [("renamed", "imsg")]


async def test_another_agent_takes_over_and_the_older_one_gets_nothing(store: Store, fence: int) -> None:
    await store.bridge_calls.add(CALL)
    newer = (await store.bridge_calls.hello(1, replace(HELLO, name="studio"), now=30))[0].fence

    assert newer == fence + 1
    assert await claimed(store, fence) is None
    assert await claimed(store, newer) == [5]
    assert not await store.bridge_calls.heard(1, fence=fence, at=40)


async def test_calls_are_claimed_oldest_first_and_those_not_held_again(store: Store, fence: int) -> None:
    for number in (7, 6, 5):
        await store.bridge_calls.add(replace(CALL, id=number))
    await store.bridge_calls.add(replace(CALL, id=4, bridge_id=2))

    assert await claimed(store, fence) == [5, 6]
    assert await claimed(store, fence, 5) == [6, 7]
    assert await claimed(store, fence, 5, 6, 7) == []


async def test_when_an_agent_last_took_a_call_is_kept(store: Store, fence: int) -> None:
    await claimed(store, fence)
    idle = (await store.bridge_calls.agents())[1].called_at
    await store.bridge_calls.add(CALL)
    await claimed(store, fence)
    await store.bridge_calls.hello(1, HELLO, now=90)

    assert (idle, (await store.bridge_calls.agents())[1].called_at) == (None, 40)


async def test_a_call_is_begun_by_who_claimed_it_while_its_lease_lives(store: Store, fence: int) -> None:
    await store.bridge_calls.add(CALL)
    calls = store.bridge_calls

    assert not await calls.begin(5, bridge_id=1, fence=fence, now=50, lease_until=200)
    await claimed(store, fence)
    assert not await calls.begin(5, bridge_id=1, fence=fence + 1, now=50, lease_until=200)
    assert not await calls.begin(5, bridge_id=2, fence=fence, now=50, lease_until=200)
    assert not await calls.begin(5, bridge_id=1, fence=fence, now=100, lease_until=200)
    assert await calls.begin(5, bridge_id=1, fence=fence, now=99, lease_until=200)
    assert await calls.begin(5, bridge_id=1, fence=fence, now=150, lease_until=300)
    assert not await calls.begin(5, bridge_id=1, fence=fence, now=200, lease_until=300)
    assert await claimed(store, fence) == []
    found = await calls.get(5)
    assert found is not None
    assert (found.state, found.lease_until, found.fence) == (CallState.DISPATCHED, 200, fence)


async def test_taking_back_and_beginning_exclude_each_other(store: Store, fence: int) -> None:
    calls = store.bridge_calls
    for number in range(100, 110):
        await calls.add(replace(CALL, id=number))
        await claimed(store, fence)
        call = await calls.get(number)
        assert call is not None
        begun, taken = await asyncio.gather(
            calls.begin(number, bridge_id=1, fence=fence, now=50, lease_until=200),
            calls.take_back(call, outcome="{}"),
        )

        assert begun is not taken
        await calls.answer(number, bridge_id=1, outcome="{}")


async def test_an_answer_counts_once_and_only_after_a_claim(store: Store, fence: int) -> None:
    await store.bridge_calls.add(CALL)
    calls = store.bridge_calls

    assert not await calls.answer(5, bridge_id=1, outcome="early")
    await claimed(store, fence)
    assert await calls.answer(5, bridge_id=1, outcome="first")
    assert not await calls.answer(5, bridge_id=1, outcome="second")
    found = await calls.performed(1, "a-1")
    assert found is not None
    assert (found.outcome, found.state) == ("first", CallState.ANSWERED)
    assert await calls.performed(2, "a-1") is None


async def test_what_was_begun_and_is_not_held_is_lost(store: Store, fence: int) -> None:
    calls = store.bridge_calls
    for number in (5, 6):
        await calls.add(replace(CALL, id=number))
    await claimed(store, fence)
    for number in (5, 6):
        await calls.begin(number, bridge_id=1, fence=fence, now=50, lease_until=200)

    assert await calls.lost(1, holding=[5, 6], now=60) == []
    assert await calls.lost(1, holding=[5], now=60) == [6]
    assert await calls.lost(1, holding=[5], now=61) == []
    assert await calls.extend(5, bridge_id=1, fence=fence, now=199, lease_until=400)
    assert not await calls.extend(6, bridge_id=1, fence=fence, now=199, lease_until=400)
    assert not await calls.extend(5, bridge_id=1, fence=fence, now=400, lease_until=600)


async def test_pieces_wait_for_their_reader_up_to_a_number(store: Store) -> None:
    calls = store.bridge_calls

    assert await calls.add_piece(5, 0, b"one", most=2) == 1
    assert await calls.add_piece(5, 0, b"one", most=2) == 1
    assert await calls.add_piece(5, 1, b"two", most=2) == 2
    assert await calls.add_piece(5, 2, b"three", most=2) is None
    assert await calls.take_piece(5, 0) == b"one"
    assert await calls.add_piece(5, 2, b"three", most=2) == 2
    assert await calls.take_piece(5, 2) == b"three"
    assert await calls.take_piece(5, 1) is None


async def test_old_calls_are_forgotten_a_few_at_a_time(store: Store, fence: int) -> None:
    for number in (5, 6, 7):
        await store.bridge_calls.add(replace(CALL, id=number, created_at=number))

    assert await store.bridge_calls.forget(1, before=7, limit=1) == 1
    assert await store.bridge_calls.forget(1, before=7, limit=9) == 1
    assert await store.bridge_calls.get(7) is not None


async def test_a_bridge_goes_with_its_agent_and_its_calls(store: Store, fence: int) -> None:
    await store.bridge_calls.add(CALL)
    await store.bridges.delete(1)

    assert await store.bridge_calls.agent(1) is None
    assert await store.bridge_calls.get(5) is None
