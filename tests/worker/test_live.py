"""What is only live: told over the real Valkey between processes, forgotten, lost with it, silent unless followed."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from arq.connections import ArqRedis

from hub.app.core import connect_redis
from hub.embedded.datafolder import open_data_folder
from hub.embedded.valkey import ValkeyServer, running_valkey
from hub.flow.event_store import Event
from hub.flow.feed import Feed, Told
from hub.flow.ports import LiveSigns, LiveTyping
from hub.flow.repositories import Store
from hub.model.live import LiveEvent, Typist
from hub.store.open import open_store
from hub.store.sealing import Sealer
from hub.worker.ending import end
from hub.worker.live import CHANNEL, FOLLOWED, MOST_WAITING, TYPING, RedisLive
from tests.store.specimens import event
from tests.support.local_live import LocalLive
from tests.support.manual_time import ManualClock
from tests.worker.time_by_hand import eventually

pytestmark = pytest.mark.slow

ANN, BEN = Typist(1, "+1", 5), Typist(1, "+2", 5)
TYPES = LiveEvent("typing.started", 1, 1, 5, '{"handle":"+1"}')
READ = LiveEvent("receipt.read", 1, 1, 5, '{"handle":"+1"}')


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    with running_valkey(open_data_folder(tmp_path / "data")) as server:
        yield server


@pytest.fixture
async def redis(valkey: ValkeyServer) -> AsyncIterator[ArqRedis]:
    client = connect_redis(valkey.url)
    yield client
    await client.aclose(close_connection_pool=True)


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated, tmp_path / "hub.db")
    opened = await open_store(f"sqlite:///{tmp_path / 'hub.db'}", sealer=Sealer([bytes(32)]), cache_mib=2)
    yield opened.store
    await opened.close()


@dataclass
class Process:
    """A process that records, and one whose readers follow."""

    live: RedisLive
    feed: Feed

    async def flush(self) -> None:
        await self.live.flush()


@contextlib.asynccontextmanager
async def process(name: str, redis: ArqRedis, store: Store, clock: ManualClock) -> AsyncIterator[Process]:
    """One that would look into the database by itself only after the test's own time."""
    feed = Feed(store.events, most_waiting=9, sweep_seconds=100)
    live = RedisLive(redis, clock, process=name)
    live.attach(feed)
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(live.ask_for_ever()), loop.create_task(live.listen_for_ever(feed))]
    yield Process(live, feed)
    await end(tasks)
    await feed.stop()
    await live.flush()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def here(redis: ArqRedis, store: Store, clock: ManualClock) -> AsyncIterator[Process]:
    async with process("here", redis, store, clock) as made:
        yield made


@pytest.fixture
async def there(redis: ArqRedis, store: Store, clock: ManualClock) -> AsyncIterator[Process]:
    async with process("there", redis, store, clock) as made:
        yield made


class Board:
    """One that takes signs of typing and tells of them: the real one and the fake."""

    def __init__(self, live: RedisLive | LocalLive) -> None:
        self.signs: LiveSigns = live
        self.typing: LiveTyping = live
        self._live = live

    async def typists(self, chat_id: int = 1) -> list[tuple[str, int]]:
        if isinstance(self._live, RedisLive):
            await self._live.flush()
        return [(each.handle, each.updated_at) for each in await self.typing.typists(chat_id)]


@pytest.fixture(params=["redis", "local"])
def board(request: pytest.FixtureRequest, redis: ArqRedis, store: Store, clock: ManualClock) -> Board:
    if request.param == "local":
        return Board(LocalLive(Feed(store.events, most_waiting=9), clock))
    return Board(RedisLive(redis, clock, process="here"))


async def test_who_types_is_known_until_they_stop(board: Board, clock: ManualClock) -> None:
    board.signs.typing(BEN, is_typing=True)
    clock.advance(10)
    board.signs.typing(ANN, is_typing=True)
    board.signs.typing(ANN._replace(chat_id=2), is_typing=True)
    now = clock.now_ms()

    assert await board.typists() == [("+1", now), ("+2", now - 10)]
    board.signs.typing(ANN, is_typing=False)
    assert await board.typists() == [("+2", now - 10)]
    assert await board.typists(2) == [("+1", now)]
    assert await board.typists(3) == []


async def test_typing_that_nobody_repeats_is_over_after_a_minute(board: Board, clock: ManualClock) -> None:
    board.signs.typing(ANN, is_typing=True)
    await board.typists()
    clock.advance(59_999)
    board.signs.typing(BEN, is_typing=True)
    assert len(await board.typists()) == 2
    clock.advance(1)
    assert [handle for handle, _ in await board.typists()] == ["+2"]
    board.signs.typing(ANN, is_typing=True)
    assert len(await board.typists()) == 2


async def test_what_redis_keeps_of_typing_runs_out_by_itself(redis: ArqRedis, clock: ManualClock) -> None:
    live = RedisLive(redis, clock, process="here")
    live.typing(ANN, is_typing=True)
    await live.flush()

    assert 0 < await redis.pttl(f"{TYPING}:1") <= 60_000


async def test_a_ring_in_one_process_is_heard_in_another(here: Process, there: Process, store: Store) -> None:
    async with there.feed.follow() as follower:
        await eventually(lambda: here.live.is_followed)
        await store.hot.write(lambda tx: tx.insert_events([event(1)]))
        here.live.recorded()
        told = await follower.take(20)

    assert [each.id for each in told if isinstance(each, Event)] == [1]


async def test_a_ring_in_the_same_process_needs_no_redis(
    here: Process, store: Store, valkey: ValkeyServer
) -> None:
    await asyncio.to_thread(valkey.stop)
    async with here.feed.follow() as follower:
        await store.hot.write(lambda tx: tx.insert_events([event(1)]))
        here.live.recorded()

        assert len(await follower.take(20)) == 1


async def test_signs_of_life_are_told_everywhere_once(here: Process, there: Process) -> None:
    async with there.feed.follow() as far, here.feed.follow() as near:
        await eventually(lambda: here.live._is_followed_elsewhere)
        for sign in (TYPES, READ):
            here.live.tell(sign)
        far_told: list[Told] = []
        while len(far_told) < 2:
            far_told += await far.take(20)
        near_told = await near.take(20)
        await here.flush()

        assert far_told == near_told == [TYPES, READ]
        assert await near.take(0.05) == []


async def test_nothing_is_published_while_nobody_follows(here: Process, redis: ArqRedis) -> None:
    """Recording costs nothing then but a question in memory."""
    async with redis.pubsub(ignore_subscribe_messages=True) as listener:
        await listener.subscribe(CHANNEL)
        for _ in range(5):
            here.live.recorded()
            here.live.tell(READ)
        await here.flush()

        assert not here.live.is_followed
        assert here.live._task is None
        assert await listener.get_message(timeout=0.05) is None


async def test_whoever_followed_last_is_forgotten(here: Process, there: Process, redis: ArqRedis) -> None:
    async with there.feed.follow():
        await eventually(lambda: here.live.is_followed)
        assert 0 < await redis.ttl(FOLLOWED) <= 6
    await redis.delete(FOLLOWED)  # as when its time is over
    await eventually(lambda: not here.live.is_followed)


async def test_while_redis_is_away_nobody_waits_and_nothing_piles_up(
    here: Process, valkey: ValkeyServer
) -> None:
    async with here.feed.follow():
        await eventually(lambda: here.live._is_followed_elsewhere)
        await asyncio.to_thread(valkey.stop)
        for number in range(2 * MOST_WAITING):
            here.live.recorded()
            here.live.tell(READ)
            here.live.typing(Typist(number, "+1", 5), is_typing=True)

        assert len(here.live._signs) <= MOST_WAITING
        assert len(here.live._typing) <= MOST_WAITING
        assert await here.live.typists(1) == []
        await asyncio.wait_for(here.flush(), 20)


async def test_after_a_restart_everything_is_heard_again(
    here: Process, there: Process, valkey: ValkeyServer, store: Store
) -> None:
    async with there.feed.follow() as follower:
        await eventually(lambda: here.live._is_followed_elsewhere)
        await asyncio.to_thread(valkey.stop)
        await eventually(lambda: not here.live._is_followed_elsewhere)
        valkey.start()
        await eventually(lambda: here.live._is_followed_elsewhere)
        await store.hot.write(lambda tx: tx.insert_events([event(1)]))
        here.live.recorded()

        assert len(await follower.take(20)) == 1


async def test_a_stranger_on_the_channel_stops_nobody(here: Process, there: Process, redis: ArqRedis) -> None:
    async with there.feed.follow() as follower:
        await eventually(lambda: here.live._is_followed_elsewhere)
        for stranger in (b"", b"\xff", b"hello", b"\x92\x01\x02"):
            await redis.publish(CHANNEL, stranger)
        here.live.tell(TYPES)

        assert await follower.take(20) == [TYPES]
