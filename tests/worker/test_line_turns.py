"""Who comes next on a line: priority, plans, retries and postponements, on the real store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from hub.flow.guards import SendGuard
from hub.flow.ports import HotTransaction
from hub.flow.safety import Postponed, Verdict
from hub.flow.safety import Wish as Guarded
from hub.model.errors import InvalidRequest
from hub.model.outbox import OutboxState
from tests.support.scripted_bridge import Act, ScriptedBridge
from tests.worker.desk import Desk, a_desk
from tests.worker.rig import Rig


@dataclass
class PuttingOff:
    """A guard that puts off, or refuses, what the test names."""

    until_ms: dict[int, int] = field(default_factory=dict)
    refused: set[int] = field(default_factory=set)
    asked: list[tuple[int, bool]] = field(default_factory=list)

    async def admit(
        self, tx: HotTransaction, wishes: Sequence[Guarded], now_ms: int
    ) -> list[InvalidRequest | None]:
        return [None] * len(wishes)

    async def release(self, tx: HotTransaction, wish: Guarded, now_ms: int) -> Verdict:
        self.asked.append((wish.outbox_id, wish.is_counted))
        if wish.outbox_id in self.refused:
            return InvalidRequest("contact_opted_out", "They said STOP.")
        until_ms = self.until_ms.get(wish.outbox_id, 0)
        return Postponed(until_ms=until_ms, reason="quiet_hours") if until_ms > now_ms else None


@pytest.fixture
def bridge(rig: Rig) -> ScriptedBridge:
    return ScriptedBridge(rig.clock)


@pytest.fixture
async def desk(rig: Rig, bridge: ScriptedBridge) -> AsyncIterator[Desk]:
    desk = await a_desk(rig, bridge)
    yield desk
    bridge.answer_now.set()
    await desk.lanes.drain()


async def test_what_is_more_urgent_goes_first_and_equals_in_their_order(
    desk: Desk, bridge: ScriptedBridge
) -> None:
    low = await desk.owe(2)
    high = await desk.owe(2, priority=50)
    highest = await desk.owe(priority=100)
    await desk.later(0)

    assert bridge.sent == highest + high + low


async def test_what_is_planned_holds_up_nobody_and_goes_at_its_time(
    desk: Desk, bridge: ScriptedBridge, rig: Rig
) -> None:
    planned = await desk.owe(priority=100, in_ms=60_000)
    now = await desk.owe(2)
    await desk.later(0)
    assert bridge.sent == now
    assert (desk.line.id, rig.clock.now_ms() + 60_000) in rig.wake_ups.lines

    await desk.later(59_999)
    assert bridge.sent == now
    await desk.later(1)

    assert bridge.sent == now + planned


async def test_what_is_planned_queues_behind_what_came_before_its_time(
    rig: Rig, bridge: ScriptedBridge
) -> None:
    desk = await a_desk(rig, bridge, pace_ms=1_000)
    planned = await desk.owe(in_ms=1_500)
    waiting = await desk.owe(4)
    await desk.later(0)
    for _ in range(6):
        await desk.later(1_000)

    assert bridge.sent == waiting + planned
    await desk.lanes.drain()


async def test_a_waiting_retry_holds_up_its_equals_but_not_the_urgent(
    desk: Desk, bridge: ScriptedBridge
) -> None:
    """The line was away: others would fail as well, and use up their tries."""
    bridge.script.append(Act.OFFLINE)
    first, second = await desk.owe(2)
    await desk.later(0)
    assert bridge.performed == [first]
    [urgent] = await desk.owe(priority=1)
    await desk.later(0)
    assert bridge.performed == [first, urgent]
    await desk.later(1_000)

    assert bridge.sent == [urgent, first, second]


async def guarded(rig: Rig, bridge: ScriptedBridge, guard: SendGuard, *, pace_ms: int = 0) -> Desk:
    desk = await a_desk(rig, bridge, pace_ms=pace_ms)
    desk.guard = guard
    desk.restarted()
    return desk


async def test_what_is_put_off_stands_aside_and_comes_back(rig: Rig, bridge: ScriptedBridge) -> None:
    guard = PuttingOff()
    desk = await guarded(rig, bridge, guard)
    night, other = await desk.owe(2)
    guard.until_ms[night] = rig.clock.now_ms() + 5_000
    await desk.later(0)
    assert (bridge.sent, [item.error for item in await desk.items()]) == ([other], ["quiet_hours", None])
    await desk.later(5_000)

    assert bridge.sent == [other, night]
    await desk.lanes.drain()


async def test_what_is_put_off_uses_up_no_pace_and_no_try(rig: Rig, bridge: ScriptedBridge) -> None:
    guard = PuttingOff()
    desk = await guarded(rig, bridge, guard, pace_ms=10_000)
    ids = await desk.owe(5)
    guard.until_ms.update(dict.fromkeys(ids[:4], rig.clock.now_ms() + 60_000))
    await desk.later(0)

    assert bridge.sent == ids[4:]
    assert [item.attempt_count for item in await desk.items()] == [0, 0, 0, 0, 1]
    await desk.lanes.drain()


async def test_a_retry_that_is_put_off_does_not_hold_up_the_line(rig: Rig, bridge: ScriptedBridge) -> None:
    guard = PuttingOff()
    bridge.script.append(Act.OFFLINE)
    desk = await guarded(rig, bridge, guard)
    first, second = await desk.owe(2)
    await desk.later(0)
    guard.until_ms[first] = rig.clock.now_ms() + 60_000
    await desk.later(1_000)

    assert bridge.sent == [second]
    assert guard.asked[0] == (first, False)
    await desk.lanes.drain()


async def test_what_must_not_go_out_any_more_fails_with_the_reason(rig: Rig, bridge: ScriptedBridge) -> None:
    guard = PuttingOff()
    desk = await guarded(rig, bridge, guard)
    stopped, other = await desk.owe(2)
    guard.refused.add(stopped)
    await desk.later(0)

    items = await desk.items()
    assert (items[0].state, items[0].error) == (OutboxState.FAILED, "contact_opted_out: They said STOP.")
    assert bridge.sent == [other]
    await desk.lanes.drain()
