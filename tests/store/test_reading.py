"""Events are read on by position on both databases: whole, in order, in bounded steps, whoever writes meanwhile."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from hub.flow.event_store import Event, EventFilter
from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.flow.rows import EventRow
from hub.model.ids import IdFactory, id_time_ms
from hub.store.database import Database
from hub.store.open import OpenStore, open_store
from hub.store.repositories.events import SqlEvents
from hub.store.sealing import Sealer
from tests.store.conftest import KEY
from tests.store.specimens import event

ALL = EventFilter()


async def insert(store: Store, *rows: EventRow) -> None:
    await store.hot.write(lambda tx: tx.insert_events(rows))


def small_windows(store: Store) -> SqlEvents:
    """The same events, looked at a few at a time."""
    database: Database = store.events._database  # type: ignore[attr-defined] # the one that the fixture opened
    return SqlEvents(database, windows=(2, 3))


async def read_all(store: Store, wanted: EventFilter, *, limit: int = 3, is_up: bool = True) -> list[int]:
    """Page through to the end; give the ids."""
    reader, ids, position = small_windows(store), [], 0 if is_up else 2**63 - 1
    while True:
        if is_up:
            page = await reader.read_on(wanted, after=position, limit=limit)
        else:
            page = await reader.read_back(wanted, before=position, limit=limit)
        ids += [each.id for each in page.events]
        position = page.position
        if page.is_end:
            return ids


async def test_a_position_is_the_id_where_ids_are_committed_in_order(store: Store) -> None:
    await insert(store, event(10), event(11))
    await insert(store, event(20))

    assert await store.events.newest_position() == 20
    page = await store.events.read_on(ALL, after=0, limit=9)
    assert [(each.id, each.position) for each in page.events] == [(10, 10), (11, 11), (20, 20)]


async def test_an_id_that_comes_late_is_placed_behind_what_was_there(store: Store) -> None:
    """Whoever has read up to 20 finds it."""
    await insert(store, event(20))
    await insert(store, event(10), event(12))
    page = await store.events.read_on(ALL, after=20, limit=9)

    assert [(each.id, each.position) for each in page.events] == [(10, 21), (12, 23)]


async def test_what_was_known_takes_no_place(store: Store) -> None:
    await insert(store, event(1, dedupe_key="a"))
    await insert(store, event(2, dedupe_key="a"), event(3))

    assert await read_all(store, ALL) == [1, 3]
    assert (await store.events.read_on(ALL, after=0, limit=9)).position == 3


async def test_an_empty_store_is_at_its_end(store: Store) -> None:
    page = await store.events.read_on(ALL, after=7, limit=9)
    back = await store.events.read_back(ALL, before=7, limit=9)

    assert (page.events, page.position, page.is_end) == ([], 7, True)
    assert (back.events, back.position, back.is_end) == ([], 7, True)
    assert await store.events.newest_position() == 0


async def test_a_read_that_finds_nothing_says_how_far_it_looked(store: Store) -> None:
    """Five events in windows of two and three, then the rest: nobody looks at them twice."""
    await insert(store, *map(event, range(1, 8)))
    none = EventFilter(types=frozenset({"message.failed"}))
    reader = small_windows(store)
    first = await reader.read_on(none, after=0, limit=9)
    second = await reader.read_on(none, after=first.position, limit=9)
    back = await reader.read_back(none, before=8, limit=9)

    assert (first.events, first.position, first.is_end) == ([], 5, False)
    assert (second.events, second.position, second.is_end) == ([], 7, True)
    assert (back.events, back.position, back.is_end) == ([], 3, False)


async def test_a_full_page_ends_at_its_last_event(store: Store) -> None:
    await insert(store, *map(event, range(1, 8)))
    page = await store.events.read_on(ALL, after=0, limit=3)
    back = await store.events.read_back(ALL, before=8, limit=3)

    assert ([each.id for each in page.events], page.position) == ([1, 2, 3], 3)
    assert ([each.id for each in back.events], back.position) == ([7, 6, 5], 5)


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize(
    "wanted",
    [
        ALL,
        EventFilter(types=frozenset({"a", "b"})),
        EventFilter(line_ids=frozenset({1, 2})),
        EventFilter(line_ids=frozenset()),
        EventFilter(chat_id=5),
        EventFilter(types=frozenset({"a"}), line_ids=frozenset({1}), chat_id=4),
        EventFilter(first_position=10, last_position=20),
        EventFilter(types=frozenset({"c"}), first_position=3, last_position=29),
    ],
    ids=["all", "types", "lines", "no line", "chat", "together", "range", "type in range"],
)
async def test_pages_are_what_a_filter_says(store: Store, wanted: EventFilter, *, is_up: bool) -> None:
    """Against the same choice made in plain sight, with windows smaller than a page."""
    draw = random.Random(3)
    rows = [
        event(number, type=draw.choice("abc"))._replace(
            line_id=draw.choice([None, 1, 2, 3]), chat_id=draw.choice([None, 4, 5])
        )
        for number in range(1, 33)
    ]
    await insert(store, *rows)
    expected = [
        row.id
        for row in rows
        if wanted.fits(row.type, row.line_id, row.chat_id)
        and wanted.first_position <= row.id <= wanted.last_position
    ]

    assert await read_all(store, wanted, is_up=is_up) == (expected if is_up else expected[::-1])


# ---- while others write


class Writer:
    """A process of its own: its own store, node and clock, which may be wrong."""

    def __init__(self, opened: OpenStore, node: int, *, now_ms: int, draw: random.Random) -> None:
        self._opened = opened
        self._draw = draw
        self._now = now_ms
        self._take = IdFactory(node, lambda: self._now).take
        self.committed: list[int] = []

    async def run(self, batches: int) -> None:
        await asyncio.gather(*[self._batch() for _ in range(batches)])

    async def _batch(self) -> None:
        self._now += self._draw.randrange(-20, 30)
        # Some ids are taken long before their transaction, some within it, and some transactions fail.
        early = self._take(self._draw.randrange(1, 4)) if self._draw.random() < 0.5 else None
        await asyncio.sleep(self._draw.random() * 0.005)
        ids = list(early or self._take(self._draw.randrange(1, 4)))
        fails = self._draw.random() < 0.2

        async def work(tx: HotTransaction) -> None:
            await tx.insert_events([event(number) for number in ids])
            for _ in range(self._draw.randrange(3)):
                await tx.revision()
            if fails:
                raise KeyError("changed its mind")

        try:
            await self._opened.store.hot.write(work)
        except KeyError:
            return
        self.committed += ids


class Tail:
    """A reader that goes on from where it was, and never looks back."""

    def __init__(self, store: Store, *, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._position = 0
        self.seen: list[Event] = []

    async def look(self) -> None:
        page = await self._store.events.read_on(ALL, after=self._position, limit=self._limit)
        self.seen += page.events
        self._position = page.position

    async def follow(self, until: asyncio.Event) -> None:
        while not until.is_set():
            await self.look()
            await asyncio.sleep(0.001)
        for _ in range(1_000):
            before = self._position
            await self.look()
            if self._position == before:
                return


@pytest.mark.slow
@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    database=None,
)
@given(seed=st.integers(0, 2**32), errors=st.lists(st.integers(-5_000, 5_000), min_size=3, max_size=3))
async def test_no_reader_misses_or_doubles_whatever_commits_when(
    url: str, seed: int, errors: list[int]
) -> None:
    """Three processes with wrong clocks commit out of the order of their ids; two read on all the while."""
    draw = random.Random(seed)
    opened = [await open_store(url, sealer=Sealer([KEY])) for _ in range(4)]
    start = await opened[0].store.events.newest_position()
    now_ms = id_time_ms(start) + 60_000
    writers = [
        Writer(each, node, now_ms=now_ms + error, draw=draw)
        for node, (each, error) in enumerate(zip(opened[:3], errors, strict=True))
    ]
    tails = [Tail(opened[3].store, limit=limit) for limit in (2, 100)]
    for tail in tails:
        tail._position = start
    is_over = asyncio.Event()
    following = [asyncio.ensure_future(tail.follow(is_over)) for tail in tails]
    try:
        await asyncio.gather(*[writer.run(12) for writer in writers])
    finally:
        is_over.set()
        await asyncio.gather(*following)
        for each in opened:
            await each.close()
    committed = {number for writer in writers for number in writer.committed}

    for tail in tails:
        positions = [each.position for each in tail.seen]
        assert len(tail.seen) == len(committed)
        assert {each.id for each in tail.seen} == committed
        assert positions == sorted(set(positions))
