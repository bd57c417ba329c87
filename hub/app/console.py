"""The store as one command of the command line needs it: opened, used, closed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from hub.app.core import connect_redis, open_database
from hub.app.world import SystemClock
from hub.config.settings import Settings
from hub.embedded.datafolder import open_data_folder
from hub.embedded.socketpath import find_socket_path
from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.ingest import Ingest
from hub.flow.keys import KeyRing
from hub.flow.repositories import Store
from hub.model.ids import IdFactory
from hub.worker.wakeups import RedisWakeUps


@dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """What commands work with."""

    settings: Settings
    store: Store
    clock: SystemClock
    new_id: IdFactory
    directory: DirectoryHolder
    wake_ups: RedisWakeUps
    ingest: Ingest
    keys: KeyRing


def redis_url(settings: Settings) -> str:
    """The Redis that the running hub uses, the embedded one included."""
    return settings.redis.url or f"unix://{find_socket_path(open_data_folder(settings.data_folder))}"


@contextlib.asynccontextmanager
async def open_console(settings: Settings) -> AsyncIterator[Console]:
    """Open the store beside a hub that may be running."""
    clock = SystemClock()
    opened = await open_database(settings)
    redis = connect_redis(redis_url(settings))
    try:
        await opened.check()
        store, now_ms = opened.store, clock.now_ms()
        node = await store.processes.join(
            kind="console", name="console", now=now_ms, forgotten_before=now_ms - 600_000
        )
        new_id = IdFactory(node, clock.now_ms)
        directory = DirectoryHolder(store, await load_directory(store))
        wake_ups = RedisWakeUps(redis, clock)
        yield Console(
            settings=settings,
            store=store,
            clock=clock,
            new_id=new_id,
            directory=directory,
            wake_ups=wake_ups,
            ingest=Ingest(
                store=store.hot,
                directory=directory,
                take_ids=new_id.take,
                wake_ups=wake_ups,
                clock=clock,
            ),
            keys=KeyRing(store=store, clock=clock, new_id=new_id, random_bytes=secrets.token_bytes),
        )
        await wake_ups.flush()
        await store.processes.leave(node)
    finally:
        await redis.aclose(close_connection_pool=True)
        await opened.close()
