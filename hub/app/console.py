"""The store as one command of the command line needs it: opened, used, closed."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from bridge.registry import KINDS
from bridge.sandbox import contacts
from hub.api.dialect import key_prefixes, webhook_forms
from hub.app.bulk import Workshop
from hub.app.core import connect_redis, encryption_key, open_database
from hub.app.files import file_links
from hub.app.outgoing import egress_policy
from hub.app.reach import require_database, require_existing
from hub.app.run_texts import run_texts
from hub.app.world import SystemClock
from hub.config.sections import Bridge
from hub.config.settings import Settings
from hub.dialects.registry import DIALECTS
from hub.embedded.datafolder import open_data_folder
from hub.embedded.socketpath import find_socket_path
from hub.flow.bridges import BridgeBook
from hub.flow.bulk import BulkDesk
from hub.flow.consent import ConsentBook
from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.enrolments import EnrolmentDesk
from hub.flow.hearing import Hearing
from hub.flow.inbound_files import InboundFiles
from hub.flow.ingest import Ingest
from hub.flow.keys import KeyRing
from hub.flow.line_policies import LinePolicies
from hub.flow.repositories import Store
from hub.flow.routing.book import RouteBook
from hub.flow.routing.desk import RouteDesk
from hub.flow.sandbox import SandboxStage
from hub.flow.webhooks import WebhookRegistry
from hub.model.ids import IdFactory
from hub.worker.live import RedisLive
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
    bridges: BridgeBook
    bulk: BulkDesk
    consents: ConsentBook
    enrolments: EnrolmentDesk
    ingest: Ingest
    keys: KeyRing
    book: RouteBook
    routes: RouteDesk
    sandbox: SandboxStage
    webhooks: WebhookRegistry
    #: Whether a running hub will hear of what the command did; if not, the next start finds it.
    is_heard: Callable[[], Awaitable[bool]]


def redis_url(settings: Settings) -> str:
    """The Redis that the running hub uses, the embedded one included."""
    return settings.redis.url or f"unix://{find_socket_path(open_data_folder(settings.data_folder))}"


@contextlib.asynccontextmanager
async def open_console(settings: Settings) -> AsyncIterator[Console]:
    """Open the store beside a hub that may be running.

    Raises:
        NoHubHere: There is none.
        DatabaseUnavailable: PostgreSQL cannot be reached.
    """
    require_existing(settings)
    await require_database(settings)
    clock = SystemClock()
    opened = await open_database(settings)
    redis = connect_redis(redis_url(settings))
    try:
        await opened.check()
        store, now_ms = opened.store, clock.now_ms()
        node = await store.processes.join(
            kind="console", name="console", now=now_ms, forgotten_before=now_ms - 600_000
        )
        directory = DirectoryHolder(store, await load_directory(store))
        wake_ups, live = RedisWakeUps(redis, clock), RedisLive(redis, clock, process="console")
        new_id = IdFactory(node, clock.now_ms)
        yield _console(settings, store, directory, wake_ups, live, new_id, lambda: _answers(redis))
        await wake_ups.flush()
        await live.flush()
        await store.processes.leave(node)
    finally:
        await redis.aclose(close_connection_pool=True)
        await opened.close()


async def _answers(redis: ArqRedis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


def _console(  # noqa: PLR0917 - one place puts the parts together
    settings: Settings,
    store: Store,
    directory: DirectoryHolder,
    wake_ups: RedisWakeUps,
    live: RedisLive,
    new_id: IdFactory,
    is_heard: Callable[[], Awaitable[bool]],
) -> Console:
    clock = SystemClock()
    policies = LinePolicies(settings.safety_policy, lambda: directory.current)
    links = file_links(settings, clock=clock, secret=encryption_key(settings))
    ingest = Ingest(
        store=store.hot,
        directory=directory,
        take_ids=new_id.take,
        wake_ups=wake_ups,
        clock=clock,
        hearing=Hearing(policies, new_id.take),
        live=live,
        files=InboundFiles(links, new_id.take),
    )
    book = RouteBook(store.routes)
    bridges = _bridge_book(store, directory, wake_ups, new_id, settings.bridge)
    return Console(
        settings=settings,
        store=store,
        clock=clock,
        new_id=new_id,
        directory=directory,
        wake_ups=wake_ups,
        is_heard=is_heard,
        bulk=Workshop(
            store=store,
            directory=directory,
            policies=policies,
            clock=clock,
            new_id=new_id,
            wake_ups=wake_ups,
            links=links,
        ).desk(),
        consents=ConsentBook(
            store=store, directory=directory, take_ids=new_id.take, wake_ups=wake_ups, clock=clock
        ),
        bridges=bridges,
        enrolments=_enrolment_desk(store, bridges, wake_ups, new_id, clock),
        ingest=ingest,
        keys=KeyRing(
            store=store,
            clock=clock,
            new_id=new_id,
            random_bytes=secrets.token_bytes,
            prefixes=key_prefixes(DIALECTS),
        ),
        book=book,
        routes=RouteDesk(
            store=store,
            directory=directory,
            book=book,
            clock=clock,
            new_id=new_id,
            wake_ups=wake_ups,
            texts=run_texts(settings),
        ),
        sandbox=SandboxStage(
            store=store,
            directory=directory,
            contacts=contacts,
            ingest=ingest,
            clock=clock,
            random_bytes=secrets.token_bytes,
        ),
        webhooks=WebhookRegistry(
            store=store,
            directory=directory,
            clock=clock,
            new_id=new_id,
            random_bytes=secrets.token_bytes,
            wake_ups=wake_ups,
            egress=egress_policy(settings),
            forms=webhook_forms(DIALECTS),
        ),
    )


def _bridge_book(
    store: Store, directory: DirectoryHolder, wake_ups: RedisWakeUps, new_id: IdFactory, limits: Bridge
) -> BridgeBook:
    return BridgeBook(
        store=store,
        directory=directory,
        clock=SystemClock(),
        new_id=new_id,
        random_bytes=secrets.token_bytes,
        wake_ups=wake_ups,
        kinds=KINDS,
        machine_values=limits.machine_values,
    )


def _enrolment_desk(
    store: Store, bridges: BridgeBook, wake_ups: RedisWakeUps, new_id: IdFactory, clock: SystemClock
) -> EnrolmentDesk:
    return EnrolmentDesk(
        store=store,
        bridges=bridges,
        clock=clock,
        new_id=new_id,
        random_bytes=secrets.token_bytes,
        wake_ups=wake_ups,
    )
