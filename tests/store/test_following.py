"""Following on both databases: nothing is missed or told twice, over any ends and beginnings and any process."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.flow.announcing import AnnouncingStore
from hub.flow.event_store import Event, EventFilter
from hub.flow.feed import CutOff, Feed, FeedOver
from hub.flow.follow import follow_from, read_or_wait, read_position
from hub.flow.repositories import Store
from hub.model.errors import StoreUnavailable
from hub.model.ids import Prefix, first_id_at, id_text, id_time_ms
from hub.model.live import LiveEvent
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.store.conftest import KEY
from tests.store.specimens import event
from tests.store.test_reading import ALL, Writer, insert
from tests.worker.time_by_hand import eventually

TYPING = LiveEvent("typing.started", 1, 1, 5, "{}")
OTHERS = EventFilter(types=frozenset({"message.sent"}))


@pytest.fixture
async def feed(store: Store) -> AsyncIterator[Feed]:
    """A feed that nothing rings: it looks by itself."""
    feed = Feed(store.events, most_waiting=5, sweep_seconds=0.01)
    yield feed
    await feed.stop()


async def ids(
    feed: Feed, store: Store, count: int, *, after: int | None, wanted: EventFilter = ALL
) -> list[int]:
    """Follow until so many events were told."""
    found: list[int] = []
    following = follow_from(feed, store.events, wanted, after=after, beat_seconds=20)
    async with contextlib.aclosing(following):
        async for progress in following:
            found += [each.id for each in progress.told if isinstance(each, Event)]
            if len(found) >= count:
                return found
    raise AssertionError("it ended")


async def test_what_came_before_and_what_comes_is_told_once(store: Store, feed: Feed) -> None:
    await insert(store, event(1), event(2))
    following = asyncio.ensure_future(ids(feed, store, 4, after=1))
    await eventually(lambda: feed.follower_count)
    await insert(store, event(3), event(4))
    await insert(store, event(5))

    assert await asyncio.wait_for(following, 20) == [2, 3, 4, 5]
    assert feed.follower_count == 0


async def test_without_a_position_it_begins_now(store: Store, feed: Feed) -> None:
    await insert(store, event(1))
    following = follow_from(feed, store.events, ALL, after=None, beat_seconds=20)
    async with contextlib.aclosing(following):
        first = await anext(following)
        await insert(store, event(2))
        second = await anext(following)

    assert (first.told, first.position) == ([], 1)
    assert ([each.id for each in second.told if isinstance(each, Event)], second.position) == ([2], 2)


async def test_whoever_comes_while_another_follows_misses_nothing(store: Store, feed: Feed) -> None:
    """The read under way when they come looks for what the other one wants, and not for what they want."""
    async with feed.follow(OTHERS) as first:
        coming = asyncio.ensure_future(ids(feed, store, 2, after=None))
        await eventually(lambda: feed.follower_count == 2)
        position = await store.events.newest_position()
        while position < 2:
            await insert(store, event(position + 1), event(position + 2, type="message.sent"))
            position += 2
        assert len(await asyncio.wait_for(coming, 20)) >= 1
        taken = await first.take(20)

    assert {each.type for each in taken} == {"message.sent"}


async def test_a_silent_follower_learns_how_far_it_has_come(store: Store, feed: Feed) -> None:
    """What it does not want it need not look at again when it comes back."""
    following = follow_from(feed, store.events, OTHERS, after=0, beat_seconds=0.01)
    async with contextlib.aclosing(following):
        await anext(following)
        await insert(store, event(7))
        async for progress in following:
            assert progress.told == []
            if progress.position == 7:
                return


async def test_a_slow_follower_is_cut_off_and_keeps_what_it_had(store: Store, feed: Feed) -> None:
    """Five may wait; its position is that of the fifth, so it comes back for the sixth."""
    async with feed.follow() as slow, feed.follow() as quick:
        for number in range(1, 9):
            await insert(store, event(number))
            await quick.take(20)
        taken = await slow.take(20)
        with pytest.raises(CutOff):
            await slow.take(20)

    assert [each.position for each in taken if isinstance(each, Event)] == [1, 2, 3, 4, 5]
    assert slow.position <= 5


async def test_what_a_cut_off_follower_missed_is_told_when_it_comes_back(store: Store, feed: Feed) -> None:
    following = follow_from(feed, store.events, ALL, after=0, beat_seconds=20)
    told: list[int] = []
    position = 0

    async def follow_slowly() -> None:
        nonlocal position
        async with contextlib.aclosing(following):
            async for progress in following:
                told.extend(each.id for each in progress.told if isinstance(each, Event))
                position = progress.position
                if not told:
                    await insert(store, *map(event, range(1, 10)))
                    await eventually(lambda: feed._position == 9)

    with pytest.raises(CutOff):
        await follow_slowly()
    told += await ids(feed, store, 9 - len(told), after=position)

    assert told == list(range(1, 10))


async def test_signs_of_life_are_told_while_they_last_and_cut_nobody_off(store: Store, feed: Feed) -> None:
    feed.tell(TYPING)
    async with feed.follow() as follower, feed.follow(OTHERS) as other:
        for _ in range(9):
            feed.tell(TYPING)
        taken = await follower.take(20)
        await insert(store, event(1))
        after = await follower.take(20)

        assert await other.take(0.01) == []
    assert taken == [TYPING] * 5
    assert [each.id for each in after if isinstance(each, Event)] == [1]


async def test_closing_ends_those_who_follow_and_those_who_come(store: Store, feed: Feed) -> None:
    """What waits can still be taken."""
    async with feed.follow() as follower:
        await insert(store, event(1))
        await eventually(lambda: follower.position == 1)
        feed.close()

        assert len(await follower.take(20)) == 1
        with pytest.raises(FeedOver):
            await follower.take(20)
    async with feed.follow() as late:
        with pytest.raises(FeedOver):
            await late.take(20)


async def test_nobody_reads_while_nobody_follows(store: Store, feed: Feed) -> None:
    changes: list[bool] = []
    feed.on_followed = changes.append
    async with feed.follow():
        pass
    await eventually(lambda: changes == [True, False])
    async with feed.follow():
        assert changes == [True, False, True]


class AwayEvents:
    """Events that cannot be read for a while; else the real ones."""

    def __init__(self, store: Store) -> None:
        self._events = store.events
        self.is_away = False
        self.failures = 0

    def __getattr__(self, name: str) -> object:
        if self.is_away:
            self.failures += 1
            raise StoreUnavailable("the database is away")
        return getattr(self._events, name)


async def test_a_database_that_is_away_refuses_the_first_and_keeps_who_follows(store: Store) -> None:
    away = AwayEvents(store)
    feed = Feed(away, most_waiting=5, sweep_seconds=0.01)  # type: ignore[arg-type] # passes everything on
    away.is_away = True
    with pytest.raises(StoreUnavailable):
        async with feed.follow():
            raise AssertionError("from where on?")
    away.is_away = False
    async with feed.follow() as follower:
        away.is_away = True
        async with feed.follow() as second:
            await insert(store, event(1))
            await eventually(lambda: away.failures > 3)
            away.is_away = False

            for each in (follower, second):
                assert [told.type for told in await each.take(20)] == ["message.received"]
    await feed.stop()


async def test_a_commit_with_new_events_rings_and_others_do_not(store: Store) -> None:
    rings: list[int] = []
    hot = AnnouncingStore(store.hot, lambda: rings.append(1))
    await hot.write(lambda tx: tx.revision())
    await hot.read(lambda tx: tx.revision())
    assert rings == []
    await hot.write(lambda tx: tx.insert_events([event(1)]))
    assert rings == [1]
    await hot.write(lambda tx: tx.insert_events([event(2, dedupe_key="1")]))
    assert rings == [1]
    assert await hot.write(lambda tx: tx.record([event(3)], [])) == (1, {3})
    assert rings == [1, 1]

    async def changed_its_mind(tx: object) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await hot.write(changed_its_mind)
    assert rings == [1, 1]


async def test_a_wait_is_answered_by_a_ring(store: Store) -> None:
    """The feed would look by itself only after the test's own time."""
    feed = Feed(store.events, most_waiting=5, sweep_seconds=100)
    hot = AnnouncingStore(store.hot, feed.ring)
    waiting = asyncio.ensure_future(read_or_wait(feed, store.events, ALL, after=0, limit=9, seconds=30))
    await eventually(lambda: feed.follower_count)
    await hot.write(lambda tx: tx.insert_events([event(1)]))

    assert [each.id for each in (await asyncio.wait_for(waiting, 20)).events] == [1]
    await feed.stop()


async def test_positions_are_read_from_what_callers_have(store: Store) -> None:
    await insert(store, event(2**40), event(2**41))
    await insert(store, event(2**30))
    events = store.events

    assert await read_position(events, id_text(Prefix.EVENT, 2**30)) == 2**41 + 1
    assert await read_position(events, id_text("pos", 77)) == 77
    assert await read_position(events, id_text(Prefix.EVENT, 2**40 + 5)) in range(2**40 - 2**21, 2**40 + 1)
    assert await read_position(events, id_text(Prefix.EVENT, 2**50)) == 2**41 + 1
    assert await read_position(events, id_text(Prefix.MESSAGE, 2**40)) is None
    assert await read_position(events, "pos_") is None


# ---- any ends and beginnings


class Process:
    """A web process: a store of its own and a feed that only looks by itself, as without Redis."""

    def __init__(self, store: Store) -> None:
        self.events = store.events
        self.feed = Feed(store.events, most_waiting=4, sweep_seconds=0.002)


class Reader:
    """Follows now here, now there, leaves whenever it likes, and comes back with the last id."""

    def __init__(
        self, processes: list[Process], wanted: EventFilter, draw: random.Random, after: int
    ) -> None:
        self._processes = processes
        self._wanted = wanted
        self._draw = draw
        self._last = after
        self.told: list[Event] = []

    async def follow(self, until: int) -> None:
        """Follow until this event was told."""
        while not (self.told and self.told[-1].id == until):
            process = self._draw.choice(self._processes)
            with contextlib.suppress(CutOff):
                async for _ in self._once(process):
                    if self._draw.random() < 0.15 or (self.told and self.told[-1].id == until):
                        break
                    if self._draw.random() < 0.1:
                        await asyncio.sleep(0.004)  # slow enough to be cut off now and then

    async def _once(self, process: Process) -> AsyncIterator[None]:
        following = follow_from(
            process.feed, process.events, self._wanted, after=self._last, beat_seconds=0.01
        )
        async with contextlib.aclosing(following):
            async for progress in following:
                for each in progress.told:
                    assert isinstance(each, Event)
                    if self._draw.random() < 0.05:
                        return  # the connection broke in the middle of what was sent
                    self.told.append(each)
                    self._last = each.position
                self._last = max(self._last, progress.position)
                yield


@pytest.mark.slow
@settings(
    max_examples=10,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    database=None,
)
@given(seed=st.integers(0, 2**32))
async def test_no_loss_and_no_doubles_over_any_reconnects(url: str, seed: int) -> None:
    draw = random.Random(seed)
    opened = [await open_store(url, sealer=Sealer([KEY])) for _ in range(4)]
    start = await opened[0].store.events.newest_position()
    now_ms = id_time_ms(start) + 60_000
    writers = [
        Writer(each, node, now_ms=now_ms + draw.randrange(-3000, 3000), draw=draw)
        for node, each in enumerate(opened[:2])
    ]
    processes = [Process(each.store) for each in opened[2:]]
    readers = [
        Reader(processes, wanted, draw, start) for wanted in (ALL, EventFilter(line_ids=frozenset({1})))
    ]
    end = first_id_at(now_ms + 600_000)
    following = [asyncio.ensure_future(reader.follow(end)) for reader in readers]
    try:
        await asyncio.gather(*[writer.run(15) for writer in writers])
        await insert(opened[0].store, event(end))
        async with asyncio.timeout(60):
            await asyncio.gather(*following)
    finally:
        for future in following:
            future.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        for process in processes:
            await process.feed.stop()
        for each in opened:
            await each.close()
    committed = [number for writer in writers for number in writer.committed] + [end]

    for reader in readers:
        assert sorted(each.id for each in reader.told) == sorted(committed)
        positions = [each.position for each in reader.told]
        assert positions == sorted(set(positions))
