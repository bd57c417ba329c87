"""A line's outbox: first in first out, paced, looked up where nobody knows, and never sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.registry import SandboxParts, open_sandbox
from bridge.sandbox.fates import Delays
from hub.flow.outgoing import Outgoing
from hub.flow.ports import HotTransaction
from hub.flow.repeating import Repeatable
from hub.flow.rows import OutboxUpdate
from hub.model.outbox import OperationKind, OutboxState
from tests.support.scripted_bridge import Act, ScriptedBridge
from tests.worker.desk import Desk, a_desk
from tests.worker.rig import Rig
from tests.worker.time_by_hand import eventually


@pytest.fixture
def bridge(rig: Rig) -> ScriptedBridge:
    return ScriptedBridge(rig.clock)


@pytest.fixture
async def desk(rig: Rig, bridge: ScriptedBridge) -> AsyncIterator[Desk]:
    desk = await a_desk(rig, bridge)
    yield desk
    bridge.answer_now.set()
    await desk.lanes.drain()


async def test_items_go_in_their_order_and_once(desk: Desk, bridge: ScriptedBridge) -> None:
    ids = await desk.owe(20)
    for _ in range(5):
        desk.lanes.line_due(desk.line.id)
        desk.lanes.look_everywhere()
    await desk.until(*[OutboxState.SENT] * 20)

    assert bridge.sent == ids
    assert all(item.provider_id and item.completed_at for item in await desk.items())


async def test_a_sweep_finds_what_no_wake_up_told(desk: Desk, bridge: ScriptedBridge) -> None:
    ids = await desk.owe()
    desk.lanes.look_everywhere()
    await desk.until(OutboxState.SENT)

    assert bridge.sent == ids


async def test_a_refused_item_fails_and_the_next_goes(desk: Desk, bridge: ScriptedBridge) -> None:
    bridge.script.append(Act.REJECT)
    await desk.owe(2)
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.FAILED, OutboxState.SENT)


async def test_an_offline_line_holds_its_order(desk: Desk, bridge: ScriptedBridge, rig: Rig) -> None:
    bridge.script.extend([Act.OFFLINE, Act.OFFLINE])
    ids = await desk.owe(3)
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    assert await desk.states() == [OutboxState.PENDING] * 3
    assert set(rig.wake_ups.lines) == {(desk.line.id, rig.clock.now_ms() + 1_000)}

    await desk.later(999)
    assert bridge.performed == ids[:1]
    await desk.later(1)
    assert bridge.performed == [ids[0], ids[0]]
    await desk.later(2_000)

    assert bridge.sent == ids


@pytest.mark.parametrize("act", [Act.LOST_ANSWER, Act.CRASH])
async def test_a_lost_answer_is_looked_up_and_found(desk: Desk, bridge: ScriptedBridge, act: Act) -> None:
    bridge.script.append(act)
    ids = await desk.owe(2)
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN, OutboxState.SENT)  # the next one does not wait for it
    await desk.later(5_000)

    assert await desk.states() == [OutboxState.SENT] * 2
    assert bridge.sent == ids


async def test_what_nobody_can_prove_ends_as_unknown_and_is_not_sent_again(
    desk: Desk, bridge: ScriptedBridge
) -> None:
    bridge.script.append(Act.LOST_REQUEST)
    ids = await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN)
    for _ in range(12):
        await desk.later(5_000)

    [item] = await desk.items()
    assert item.state is OutboxState.FAILED
    assert (item.error or "").startswith("delivery_unknown: ")
    assert bridge.performed == ids
    assert len(bridge.looked_up) == 12


async def test_an_idempotent_bridge_is_asked_again_when_it_has_no_trace(
    desk: Desk, bridge: ScriptedBridge
) -> None:
    bridge.is_idempotent = True
    bridge.script.append(Act.LOST_REQUEST)
    ids = await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN)
    await desk.later(5_000)
    await desk.later(1_000)

    assert await desk.states() == [OutboxState.SENT]
    assert bridge.sent == ids


async def left_by_a_crash(desk: Desk) -> int:
    """An item that was marked as handed over, and then the process died."""
    [number] = await desk.owe()
    now = desk.rig.clock.now_ms()
    update = OutboxUpdate(number, OutboxState.DISPATCHED, 1, now, now, None, None, None)

    async def record(tx: HotTransaction) -> None:
        await tx.update_outbox([update])

    await desk.rig.store.hot.write(record)
    return number


@pytest.mark.parametrize("has_arrived", [True, False])
async def test_a_crash_between_hand_over_and_answer_is_looked_up_first(
    desk: Desk, bridge: ScriptedBridge, has_arrived: bool
) -> None:
    first = await left_by_a_crash(desk)
    if has_arrived:
        bridge.sent.append(first)
    [second] = await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.SENT if has_arrived else OutboxState.UNKNOWN, OutboxState.SENT)

    assert bridge.looked_up[0] == first
    assert bridge.performed == [second]
    assert bridge.sent.count(first) == int(has_arrived)


async def test_an_idempotent_bridge_keeps_the_order_over_a_crash(desk: Desk, bridge: ScriptedBridge) -> None:
    bridge.is_idempotent = True
    first = await left_by_a_crash(desk)
    [second] = await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    await desk.later(1_000)

    assert bridge.sent == [first, second]


async def test_what_is_being_performed_is_not_looked_up(desk: Desk, bridge: ScriptedBridge) -> None:
    bridge.script.append(Act.HANG)
    ids = await desk.owe(2)
    desk.lanes.line_due(desk.line.id)
    await eventually(lambda: bridge.sent)
    for _ in range(3):
        desk.lanes.line_due(desk.line.id)
        desk.lanes.look_everywhere()
        await asyncio.sleep(0.01)
    assert (bridge.performed, bridge.looked_up) == (ids[:1], [])

    bridge.answer_now.set()
    await desk.until(OutboxState.SENT, OutboxState.SENT)

    assert bridge.sent == ids


async def test_a_bridge_that_does_not_answer_in_time_is_looked_up(desk: Desk, bridge: ScriptedBridge) -> None:
    desk.restarted(perform_seconds=0.05)
    bridge.script.append(Act.HANG)
    ids = await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN)
    await desk.later(5_000)

    assert await desk.states() == [OutboxState.SENT]
    assert bridge.sent == ids


async def test_a_hanging_look_up_does_not_hold_up_the_line(desk: Desk, bridge: ScriptedBridge) -> None:
    stuck = asyncio.Event()
    bridge.script.append(Act.LOST_ANSWER)
    await desk.owe()
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN)
    bridge.on_lookup = lambda: stuck
    desk.rig.timers.advance(5_000)
    desk.lanes.line_due(desk.line.id)
    await eventually(lambda: bridge.looked_up)

    await desk.owe(5)
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.UNKNOWN, *[OutboxState.SENT] * 5)
    stuck.set()
    await desk.until(*[OutboxState.SENT] * 6)


@pytest.mark.slow
async def test_many_unknown_items_do_not_hide_the_next_one(desk: Desk, bridge: ScriptedBridge) -> None:
    bridge.script.extend([Act.LOST_REQUEST] * 60)
    await desk.owe(61)
    desk.lanes.line_due(desk.line.id)
    await desk.until(*[OutboxState.UNKNOWN] * 60, OutboxState.SENT)


async def test_signs_of_life_are_dropped_when_late_and_not_paced(rig: Rig, bridge: ScriptedBridge) -> None:
    desk = await a_desk(rig, bridge, pace_ms=5_000)
    await desk.owe()
    typing = await desk.owe(1, OperationKind.TYPING)
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.SENT, OutboxState.SENT)
    bridge.script.append(Act.OFFLINE)
    await desk.owe()
    late = await desk.owe(1, OperationKind.READ)
    desk.rig.timers.advance(10_001)
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    await desk.later(6_000)

    item = (await desk.items())[-1]
    assert typing[0] in bridge.performed
    assert late[0] not in bridge.performed
    assert (item.state, (item.error or "")[:7]) == (OutboxState.FAILED, "expired")
    await desk.lanes.drain()


async def test_what_nobody_gets_anything_of_is_not_paced(rig: Rig, bridge: ScriptedBridge) -> None:
    desk = await a_desk(rig, bridge, pace_ms=5_000)
    sends = await desk.owe(2)
    checks = await desk.owe(2, OperationKind.CHECK)
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    await desk.later(5_000)

    assert bridge.performed == [sends[0], sends[1], *checks]


async def test_the_pace_is_kept(rig: Rig, bridge: ScriptedBridge) -> None:
    desk = await a_desk(rig, bridge, pace_ms=2_000)
    ids = await desk.owe(3)
    seen = []
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    for wait in (0, 1_999, 1, 1_999, 1):
        await desk.later(wait)
        seen.append(len(bridge.sent))

    assert seen == [1, 1, 2, 2, 3]
    assert bridge.sent == ids
    assert rig.timers.next_at is None  # no timer is left over
    await desk.lanes.drain()


@pytest.mark.parametrize(("own", "second_at"), [(None, 2_100), (0.5, 2_500), (0.0, 2_000)])
async def test_a_line_may_have_its_own_spread(
    rig: Rig, bridge: ScriptedBridge, own: float | None, second_at: int
) -> None:
    """In place of the hub's tenth."""
    desk = await a_desk(rig, bridge, pace_ms=2_000, jitter_ratio=own)
    desk.draw = 0.5
    await desk.owe(2)
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    await desk.later(second_at - 1)
    before = len(bridge.sent)
    await desk.later(1)

    assert (before, len(bridge.sent)) == (1, 2)
    await desk.lanes.drain()


async def test_drain_finishes_the_step_and_starts_no_other(desk: Desk, bridge: ScriptedBridge) -> None:
    bridge.script.append(Act.HANG)
    ids = await desk.owe(3)
    desk.lanes.line_due(desk.line.id)
    await eventually(lambda: bridge.sent)
    draining = desk.rig.spawn(desk.lanes.drain())
    bridge.answer_now.set()
    await eventually(draining.done)

    assert await desk.states() == [OutboxState.SENT, OutboxState.PENDING, OutboxState.PENDING]
    assert bridge.performed == ids[:1]


async def test_a_line_of_another_worker_is_left_alone(desk: Desk, bridge: ScriptedBridge) -> None:
    await desk.owe()
    desk.lanes.own(())
    desk.lanes.line_due(desk.line.id)
    desk.lanes.look_everywhere()
    await desk.calm()

    assert bridge.performed == []


async def test_a_database_that_comes_back_is_noticed_by_the_sweep(desk: Desk, bridge: ScriptedBridge) -> None:
    ids = await desk.owe()
    desk.rig.hot.is_away = True
    desk.lanes.line_due(desk.line.id)
    desk.lanes.look_everywhere()
    await desk.calm()
    desk.rig.hot.is_away = False
    desk.lanes.look_everywhere()
    await desk.until(OutboxState.SENT)

    assert bridge.sent == ids


async def test_the_same_request_at_the_same_time_is_sent_once(desk: Desk, bridge: ScriptedBridge) -> None:
    rig = desk.rig
    outgoing = Outgoing(
        store=rig.store, directory=rig.directory, clock=rig.clock, new_id=rig.new_id, wake_ups=rig.wake_ups
    )
    repeatable = Repeatable(scope="key:1", key="k", request_hash=b"h" * 16)
    payload: dict[str, Any] = {"from": desk.line.handle, "to": "+15550100001", "text": "hello"}
    accepted = await asyncio.gather(
        *(
            outgoing.accept(desk.line, OperationKind.SEND, payload, api_key_id=None, repeatable=repeatable)
            for _ in range(20)
        )
    )
    desk.ids = sorted({each.outbox_id for each in accepted})
    desk.lanes.line_due(desk.line.id)
    await desk.until(OutboxState.SENT)

    assert bridge.sent == desk.ids
    assert [each.is_replayed for each in accepted].count(False) == 1


SANDBOX_NUMBERS = [
    ("+15550100001", OutboxState.SENT),
    ("+15550100022", OutboxState.FAILED),
    ("+15550100404", OutboxState.FAILED),
    ("+15550100408", OutboxState.SENT),
    ("+15550100503", OutboxState.SENT),
    ("+15550100504", OutboxState.FAILED),
]


@pytest.mark.parametrize(("number", "expected"), SANDBOX_NUMBERS)
async def test_the_sandbox_ends_each_number_as_documented(
    rig: Rig, number: str, expected: OutboxState
) -> None:
    parts = SandboxParts(
        clock=rig.clock,
        network=rig.store.sandbox,
        delays=Delays(delivered_after_ms=1, read_after_ms=2),
    )
    desk = await a_desk(rig, open_sandbox(parts))
    [number_id] = await desk.owe(to=number)
    desk.lanes.line_due(desk.line.id)
    await desk.calm()
    for _ in range(15):
        await desk.later(5_000)

    [item] = await desk.items()
    assert item.state is expected
    assert item.id == number_id
    await desk.lanes.drain()
