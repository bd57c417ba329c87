"""Whoever waits for an outbox item asks ever more seldom, never longer than was wished, and never with too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from hub.flow.verdicts import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, Verdicts
from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from tests.support.hub_world import Naps
from tests.support.manual_time import ManualClock

ITEM = OutboxItem(
    id=7,
    line_id=1,
    kind=OperationKind.SEND,
    payload={},
    state=OutboxState.PENDING,
    attempt_count=0,
    next_attempt_at=0,
    dispatched_at=None,
    provider_id=None,
    error=None,
    created_at=0,
    completed_at=None,
)


class Items:
    """An outbox whose items become what the test says, look by look."""

    def __init__(self, state_at: Callable[[int], OutboxState | None]) -> None:
        self._state_at = state_at
        self.looks = 0

    async def get(self, outbox_id: int) -> OutboxItem | None:
        state = self._state_at(self.looks)
        self.looks += 1
        return None if state is None else replace(ITEM, id=outbox_id, state=state)


def waiting(items: Items, *, most: int = 10) -> tuple[Verdicts, Naps]:
    clock = ManualClock()
    naps = Naps(clock)
    monotonic = lambda: clock.now_ms() / 1000  # noqa: E731 - the clock as seconds
    return Verdicts(outbox=items, sleep=naps, monotonic=monotonic, most_waiting=most), naps


async def test_a_finished_item_is_given_at_once() -> None:
    for state in (OutboxState.SENT, OutboxState.FAILED, OutboxState.CANCELLED):
        verdicts, naps = waiting(Items(lambda look, state=state: state))  # type: ignore[misc] # bound early on purpose
        item, is_granted = await verdicts.wait(7, seconds=30)

        assert item is not None
        assert (item.state, is_granted, naps.taken) == (state, True, [])


async def test_the_item_is_given_as_soon_as_it_is_finished() -> None:
    verdicts, naps = waiting(Items(lambda look: OutboxState.SENT if look == 3 else OutboxState.DISPATCHED))
    item, _ = await verdicts.wait(7, seconds=30)

    assert item is not None
    assert (item.state, len(naps.taken)) == (OutboxState.SENT, 3)


async def test_pauses_grow_to_a_limit_and_end_with_the_time() -> None:
    items = Items(lambda look: OutboxState.UNKNOWN)
    verdicts, naps = waiting(items)
    item, is_granted = await verdicts.wait(7, seconds=10)

    assert item is not None
    assert (item.state, is_granted) == (OutboxState.UNKNOWN, True)
    assert naps.taken[0] == FIRST_PAUSE_SECONDS
    assert max(naps.taken) == LONGEST_PAUSE_SECONDS
    assert naps.taken[:-1] == sorted(naps.taken[:-1])
    assert abs(sum(naps.taken) - 10) < 0.01
    assert items.looks < 32


async def test_what_does_not_exist_is_not_waited_for() -> None:
    verdicts, naps = waiting(Items(lambda look: None))

    assert (await verdicts.wait(7, seconds=30), naps.taken) == ((None, True), [])


async def test_nobody_waits_where_too_many_wait() -> None:
    verdicts, naps = waiting(Items(lambda look: OutboxState.PENDING), most=1)
    napping, forever = asyncio.Event(), asyncio.Event()

    async def stay(seconds: float) -> None:
        napping.set()
        await forever.wait()

    naps.meanwhile = stay
    first = asyncio.ensure_future(verdicts.wait(7, seconds=30))
    await napping.wait()
    item, is_granted = await verdicts.wait(8, seconds=30)

    assert item is not None
    assert (item.id, is_granted, verdicts.waiting) == (8, False, 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert verdicts.waiting == 0
