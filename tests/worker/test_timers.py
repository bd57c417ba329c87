"""Both kinds of timers: never early by the hub's clock, once, and in order."""

from __future__ import annotations

import asyncio
import time

import pytest

from hub.worker.timers import LoopTimers, Timers
from tests.support.manual_time import ManualClock
from tests.worker.time_by_hand import ManualTimers, eventually


class LateClock:
    """The machine's clock, seen from a hub whose own is behind and catches up: timers of the loop ring too early."""

    def __init__(self) -> None:
        self._calls = 0

    def now_ms(self) -> int:
        self._calls += 1
        return time.time_ns() // 1_000_000 - max(0, 30 - 3 * self._calls)


class Kit:
    """Timers, and how time passes for them."""

    def __init__(self, kind: str) -> None:
        self.manual = ManualClock()
        self.hands = ManualTimers(self.manual)
        late = LateClock()
        self.clock: ManualClock | LateClock = self.manual if kind == "manual" else late
        self.timers: Timers = self.hands if kind == "manual" else LoopTimers(late)

    async def until(self, rung: list[int], count: int) -> None:
        if self.clock is self.manual:
            self.hands.advance(1_000)
        await eventually(lambda: len(rung) >= count)


@pytest.fixture(params=["manual", "loop"])
async def kit(request: pytest.FixtureRequest) -> Kit:
    return Kit(request.param)


async def test_a_timer_rings_once_and_never_early(kit: Kit) -> None:
    at_ms = kit.clock.now_ms() + 25
    rung: list[int] = []
    kit.timers.call_at(at_ms, lambda: rung.append(kit.clock.now_ms()))
    await kit.until(rung, 1)
    await asyncio.sleep(0.02)

    assert len(rung) == 1
    assert rung[0] >= at_ms


async def test_timers_ring_in_the_order_of_their_times(kit: Kit) -> None:
    now = kit.clock.now_ms()
    rung: list[int] = []
    for wait in (120, 60, 0):
        kit.timers.call_at(now + wait, lambda wait=wait: rung.append(wait))  # type: ignore[misc] # bound early
    await kit.until(rung, 3)

    assert rung == [0, 60, 120]
