"""Grouping: a lone item waits for nobody, a crowd shares, and only the guilty fail."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from hub.flow.batching import Batcher
from hub.model.errors import StoreUnavailable


class Press:
    """Doubles numbers, in batches that a test holds back; refuses negative ones."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.running = 0
        self.most_running = 0
        self.may_go = asyncio.Event()
        self.may_go.set()
        self.is_away = False

    async def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.may_go.wait()
            if self.is_away:
                raise StoreUnavailable("away")
            if any(item < 0 for item in items):
                raise ValueError("negative")
            return [2 * item for item in items]
        finally:
            self.running -= 1


async def test_a_lone_item_goes_at_once() -> None:
    press = Press()

    assert await Batcher(press, most_items=10).submit(4) == 8
    assert press.batches == [[4]]


async def test_a_crowd_shares_batches_and_each_gets_its_own_result() -> None:
    press = Press()
    batcher = Batcher(press, most_items=10)

    assert await asyncio.gather(*(batcher.submit(item) for item in range(25))) == [2 * i for i in range(25)]
    assert [len(batch) for batch in press.batches] == [1, 10, 10, 4]
    assert [item for batch in press.batches for item in batch] == list(range(25))
    assert press.most_running == 1


async def test_no_more_batches_run_than_allowed() -> None:
    press = Press()
    press.may_go.clear()
    batcher = Batcher(press, most_items=1, most_running=2)
    submitted = [asyncio.ensure_future(batcher.submit(item)) for item in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert batcher.waiting_count == 4
    press.may_go.set()
    await asyncio.gather(*submitted)

    assert press.most_running == 2


async def test_only_the_guilty_fail() -> None:
    press = Press()
    batcher = Batcher(press, most_items=10)
    items = [0, 1, -2, 3, -4, 5]
    results = await asyncio.gather(*(batcher.submit(item) for item in items), return_exceptions=True)

    assert [isinstance(result, ValueError) for result in results] == [item < 0 for item in items]
    assert [result for result in results if isinstance(result, int)] == [0, 2, 6, 10]


async def test_an_outage_is_told_to_all_without_trying_each() -> None:
    press = Press()
    press.is_away = True
    batcher = Batcher(press, most_items=100)
    results = await asyncio.gather(*(batcher.submit(item) for item in range(100)), return_exceptions=True)

    assert all(isinstance(result, StoreUnavailable) for result in results)
    assert len(press.batches) == 2  # the first one alone, then the crowd
    press.is_away = False
    assert await batcher.submit(1) == 2


async def test_who_gives_up_harms_nobody() -> None:
    press = Press()
    press.may_go.clear()
    batcher = Batcher(press, most_items=10)
    submitted = [asyncio.ensure_future(batcher.submit(item)) for item in range(3)]
    await asyncio.sleep(0)
    submitted[0].cancel()
    submitted[1].cancel()
    press.may_go.set()

    assert await submitted[2] == 4
    with pytest.raises(asyncio.CancelledError):
        await submitted[1]
