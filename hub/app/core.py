"""What web and worker share: store, Redis, ids, directory, wake-ups, metrics."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import structlog
from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from hub.app.files import file_parts
from hub.app.reach import await_database
from hub.app.refused import refused_book
from hub.app.world import SystemClock
from hub.config.settings import Settings
from hub.embedded.datafolder import open_data_folder
from hub.embedded.secretkey import SecretKeyError, parse_key, read_key_file, read_or_create_key
from hub.flow.announcing import AnnouncingStore
from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.feed import Feed
from hub.flow.files import FileParts
from hub.flow.hearing import Hearing
from hub.flow.inbound_files import InboundFiles
from hub.flow.ingest import Ingest
from hub.flow.line_policies import LinePolicies
from hub.flow.record import Recorder
from hub.flow.refused import RefusedBook
from hub.flow.repositories import Store
from hub.model.ids import IdFactory
from hub.observe.exchange import MetricsExchange
from hub.observe.metrics import Metrics
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer
from hub.worker.bell import RedisBell
from hub.worker.live import RedisLive
from hub.worker.ownership import Membership
from hub.worker.wakeups import QUEUE, RedisWakeUps

log = structlog.get_logger("process")

#: A process that was not seen for so long has left, and its node number is free.
FORGOTTEN_MS = 10 * 60_000
SEEN_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Core:
    """The parts of one process."""

    settings: Settings
    opened: OpenStore
    store: Store
    redis: ArqRedis
    clock: SystemClock
    new_id: IdFactory
    membership: Membership
    directory: DirectoryHolder
    wake_ups: RedisWakeUps
    metrics: Metrics
    exchange: MetricsExchange
    ingest: Ingest
    #: For those who follow events in this process.
    feed: Feed
    live: RedisLive
    #: Wakes agents that wait for work, and those who wait for agents.
    bell: RedisBell
    files: FileParts
    policies: LinePolicies
    #: What bridges brought and could not be taken in.
    refused: RefusedBook


def event_recorder(core: Core) -> Recorder:
    """Give what records events of this process's own, with what they owe."""
    return Recorder(
        store=core.store.hot,
        directory=core.directory,
        take_ids=core.new_id.take,
        wake_ups=core.wake_ups,
        clock=core.clock,
    )


def store_url(settings: Settings) -> str:
    """The database: the one that is set, or SQLite in the data folder."""
    return settings.store.url or f"sqlite:///{open_data_folder(settings.data_folder).database_path}"


def encryption_key(settings: Settings) -> bytes:
    """The key that seals secrets at rest: from the settings, a file, or made once in the data folder."""
    if settings.secrets.encryption_key:
        return parse_key(settings.secrets.encryption_key, origin="secrets.encryption_key")
    if settings.secrets.key_file:
        return read_key_file(Path(settings.secrets.key_file))
    folder = open_data_folder(settings.data_folder)
    if folder.database_path.exists() and not folder.key_path.exists():
        raise SecretKeyError(
            f"{folder.key_path} is missing, and what {folder.database_path.name} seals cannot be read without it. "
            "Put it back from a backup; a new key would not fit."
        )
    return read_or_create_key(folder.key_path)


async def open_database(settings: Settings) -> OpenStore:
    """Open the store under the settings; neither migrates nor joins anything."""
    return await open_store(
        store_url(settings),
        sealer=Sealer([encryption_key(settings)]),
        cache_mib=settings.store.sqlite_cache_mib,
        pool_size=settings.store.pool_size,
    )


def connect_redis(url: str) -> ArqRedis:
    """Make the client; connections are opened at need and healed by themselves."""
    pool = ConnectionPool.from_url(url, socket_timeout=15, socket_connect_timeout=5, max_connections=50)
    return ArqRedis(
        pool_or_conn=pool,
        job_serializer=msgspec.msgpack.encode,
        job_deserializer=msgspec.msgpack.decode,
        default_queue_name=QUEUE,
    )


@contextlib.asynccontextmanager
async def open_core(settings: Settings, *, kind: str, name: str, redis_url: str) -> AsyncIterator[Core]:
    """Open everything that a web or worker process shares, and close it again.

    Args:
        settings: The settings.
        kind: `web` or `worker`.
        name: This process among its kind; a worker that restarts under its name keeps its leases.
        redis_url: Where Redis is, the embedded one included.
    """
    clock = SystemClock()
    await await_database(settings)
    opened = await open_database(settings)
    redis = connect_redis(redis_url)
    try:
        await opened.check()
        await _tell_of_redis(redis)
        live = RedisLive(redis, clock, process=f"{kind}-{name}")
        store = replace(opened.store, hot=AnnouncingStore(opened.store.hot, live.recorded))
        feed = Feed(store.events, most_waiting=settings.streams.buffer_events)
        live.attach(feed)
        now_ms = clock.now_ms()
        node = await store.processes.join(
            kind=kind, name=name, now=now_ms, forgotten_before=now_ms - FORGOTTEN_MS
        )
        new_id = IdFactory(node, clock.now_ms)
        directory = DirectoryHolder(store, await load_directory(store))
        wake_ups, metrics = RedisWakeUps(redis, clock), Metrics()
        policies = LinePolicies(settings.safety_policy, lambda: directory.current)
        files = file_parts(settings, store=store, clock=clock, new_id=new_id, secret=encryption_key(settings))
        core = Core(
            settings=settings,
            opened=opened,
            store=store,
            redis=redis,
            clock=clock,
            new_id=new_id,
            membership=Membership(node=node, name=name),
            directory=directory,
            wake_ups=wake_ups,
            metrics=metrics,
            files=files,
            exchange=MetricsExchange(metrics, redis, process=f"{kind}-{name}"),
            ingest=Ingest(
                store=store.hot,
                directory=directory,
                take_ids=new_id.take,
                wake_ups=wake_ups,
                clock=clock,
                most_running=1 if opened.dialect == "sqlite" else 2,
                hearing=Hearing(policies, new_id.take),
                live=live,
                files=InboundFiles(files.links, new_id.take),
            ),
            policies=policies,
            feed=feed,
            live=live,
            bell=RedisBell(redis),
            refused=refused_book(
                store, directory, settings=settings, clock=clock, new_id=new_id, metrics=metrics
            ),
        )
        loop = asyncio.get_running_loop()
        presence, asking = loop.create_task(_stay_seen(core)), loop.create_task(live.ask_for_ever())
        try:
            yield core
        finally:
            presence.cancel()
            asking.cancel()
            await core.refused.aclose()
            await wake_ups.flush()
            await live.flush()
            await core.bell.aclose()
    finally:
        await redis.aclose(close_connection_pool=True)
        await opened.close()


async def _tell_of_redis(redis: ArqRedis) -> None:
    """Say so if Redis is away at the start; everything works without it, only later."""
    try:
        await redis.ping()
    except (RedisError, OSError) as error:
        log.warning("redis.away", error=str(error), reason="deliveries go on at the pace of the sweeps")


async def _stay_seen(core: Core) -> None:
    while True:
        await asyncio.sleep(SEEN_SECONDS)
        with contextlib.suppress(Exception):  # the next turn says it again; a lost turn changes nothing
            await core.store.processes.seen(core.membership.node, now=core.clock.now_ms())


def process_name(settings: Settings) -> str:
    """A name for a process that was given none: unique on this machine while it lives."""
    return f"{settings.instance_name}-{os.getpid()}-{secrets.token_hex(2)}"
