"""A web process: `hub serve`, and the web service behind `hub up`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import time
from collections.abc import Iterator, Sequence

import structlog
import uvicorn

from bridge.sandbox import contacts
from hub.api.agent_sockets import MOST_HEAD_BYTES
from hub.api.bridge_events import BridgeEventsEndpoint, BridgeLimits
from hub.api.dialect import key_prefixes, webhook_forms
from hub.api.parts import ApiParts, ApiSettings, LiveParts, ReadyCheck
from hub.api.ratelimit import RedisRateLimiter
from hub.api.surface import build
from hub.app.ai import ai_connection
from hub.app.bridges import bridge_world, has_adapter, host_of
from hub.app.collector import calm_collector
from hub.app.connections import Connection
from hub.app.core import Core, encryption_key, open_core
from hub.app.following import LateActions, route_folder
from hub.app.measuring import counted
from hub.app.outgoing import egress_policy, outbound_client, raise_file_limit
from hub.app.port import with_free_port
from hub.app.run_texts import run_texts
from hub.app.sources import refresh_sources_for_ever, source_book, source_parts
from hub.config.settings import Settings
from hub.dialects.registry import DIALECTS
from hub.flow.connection_states import ConnectionStanding, ListConnections
from hub.flow.heartbeats import Heartbeats
from hub.flow.routing.late_book import LateBook
from hub.flow.routing.parts import RouteParts
from hub.flow.source_book import SourceBook
from hub.flow.stream_tokens import stream_secret
from hub.outbound.client import OutboundClient
from hub.outbound.downloads import GuardedDownloads

log = structlog.get_logger("web")

#: Other processes' changes are noticed within this time even if their note is lost.
REFRESH_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 75
#: How often the other end of a WebSocket is asked for a sign of life, and how long that is waited for.
PING_SECONDS = 20.0
#: A reader of a stream who takes nothing for so long is gone, or might as well be.
STREAM_STALL_SECONDS = 60.0


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the process decides when to stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, *, name: str, redis_url: str) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way and end.

    Raises:
        HubError: It cannot start: the port is taken, the database is away or of another version.
    """
    raise_file_limit()
    settings = with_free_port(settings)
    async with open_core(settings, kind="web", name=name, redis_url=redis_url) as core:
        client = outbound_client(settings)
        sources = source_book(settings)
        sources.refresh(core.clock.now_ms())
        routes = LateBook(core.store.routes)
        await routes.refresh()
        actions = LateActions(core, client)
        folder = route_folder(core, actions)
        parts = RouteParts(
            late_book=routes, texts=run_texts(settings), actions=actions, folder=lambda: folder.status
        )
        server = _Server(_config(settings, core, client, sources, parts))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _stop, server, core)
        listening = loop.create_task(core.live.listen_for_ever(core.feed))
        refreshing = loop.create_task(_refresh_for_ever(core, routes))
        publishing = loop.create_task(core.exchange.publish_for_ever())
        rereading = loop.create_task(refresh_sources_for_ever(sources, core.clock))
        routing = loop.create_task(folder.follow(settings.routes.reload_seconds))
        calm_collector()
        log.info("web.started", host=settings.web.host, port=settings.web.port, database=core.opened.dialect)
        try:
            await server.serve()
        finally:
            listening.cancel()
            refreshing.cancel()
            publishing.cancel()
            rereading.cancel()
            routing.cancel()
            await core.feed.stop()
            await client.aclose()
            await core.store.processes.leave(core.membership.node)


def _stop(server: uvicorn.Server, core: Core) -> None:
    server.should_exit = True
    core.feed.close()  # streams never end by themselves
    core.bell.close()  # nor do agents that wait for work, for a while


def _config(
    settings: Settings, core: Core, client: OutboundClient, sources: SourceBook, routes: RouteParts
) -> uvicorn.Config:
    return uvicorn.Config(
        build(api_parts(settings, core, client, sources, routes), DIALECTS),
        host=settings.web.host,
        port=settings.web.port,
        http=Connection,
        ws="none",  # but for agents: hub.app.connections
        ws_max_size=settings.bridge.max_body_bytes + MOST_HEAD_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing depends on the caller's address
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.web.graceful_shutdown_seconds,
        backlog=2048,
    )


def api_parts(
    settings: Settings, core: Core, client: OutboundClient, sources: SourceBook, routes: RouteParts
) -> ApiParts:
    """Wire the REST surface; the client fetches files from addresses that callers give."""
    metrics = core.metrics
    return ApiParts(
        store=core.store,
        directory=core.directory,
        clock=core.clock,
        monotonic=time.monotonic,
        new_id=core.new_id,
        random_bytes=secrets.token_bytes,
        wake_ups=core.wake_ups,
        egress=egress_policy(settings),
        settings=ApiSettings(
            public_url=settings.web.public_url,
            max_body_bytes=settings.web.max_body_bytes,
            cors_origins=settings.web.cors_origins,
            requests_per_hour=settings.limits.requests_per_hour,
            json_depth=settings.limits.json_depth,
            most_routes=settings.limits.routes,
            rotation_overlap_hours=settings.delivery.rotation_overlap_hours,
            metrics_token=settings.metrics.token,
            upload_seconds=settings.files.upload_seconds,
            idle_seconds=settings.files.idle_seconds,
            fetch_seconds=settings.files.fetch_seconds,
            availability_keep_ms=settings.contacts.availability_hours * 3_600_000,
            contacts_region=settings.contacts.default_region,
            contacts_file_bytes=settings.contacts.import_max_bytes,
            number_places=settings.contacts.number_places,
            streams_per_key=settings.streams.per_key,
            streams_total=settings.streams.total,
            stream_beat_seconds=settings.streams.heartbeat_seconds,
            stream_stall_seconds=STREAM_STALL_SECONDS,
        ),
        rate_limiter=RedisRateLimiter(core.redis),
        ready_checks=_ready_checks(core),
        ingest=counted(core.ingest, metrics),
        files=core.files,
        downloads=GuardedDownloads(client),
        contacts=contacts,
        policies=core.policies,
        render_metrics=core.exchange.render if settings.metrics.enabled else None,
        bridge_limits=_bridge_limits(settings),
        bell=core.bell,
        bridge_events=BridgeEventsEndpoint(
            directory=core.directory,
            ingest=core.ingest,
            clock=core.clock,
            limits=_bridge_limits(settings),
            metrics=metrics,
            heartbeats=Heartbeats(core.store.bridges, core.clock),
            refused=core.refused,
        ),
        refused=core.refused,
        bridges=bridge_world(host_of(core), client),
        routes=routes,
        sources=source_parts(settings, sources, is_hook=routes.late_book.has_hook),
        connections=_connections(core),
        webhook_forms=webhook_forms(DIALECTS),
        key_prefixes=key_prefixes(DIALECTS),
        can_send=lambda line: has_adapter(core, line),
        ai=ai_connection(settings.ai, outbound=client, clock=core.clock, metrics=metrics),
        live=LiveParts(
            feed=core.feed, stream_secret=stream_secret(encryption_key(settings)), metrics=metrics
        ),
        live_typing=core.live,
        on_answer=lambda status: metrics.requests.labels(str(status)).inc(),
        on_upload=lambda outcome: metrics.uploads.labels(outcome).inc(),
    )


def _bridge_limits(settings: Settings) -> BridgeLimits:
    return BridgeLimits(
        max_body_bytes=settings.bridge.max_body_bytes,
        max_events=settings.bridge.max_events_per_request,
        json_depth=settings.limits.json_depth,
        tolerance_seconds=settings.bridge.timestamp_tolerance_seconds,
        most_sockets=settings.bridge.agent_sockets,
    )


def _connections(core: Core) -> ListConnections:
    """What reads connectors is loaded when it is asked first: few ask, and it is large."""
    found: list[ListConnections] = []

    async def listed() -> Sequence[ConnectionStanding]:
        if not found:
            from hub.app.connectors import connection_lister  # noqa: PLC0415 - as said

            found.append(connection_lister(core.settings, store=core.store, clock=core.clock))
        return await found[0]()

    return listed


def _ready_checks(core: Core) -> list[ReadyCheck]:
    async def database() -> str | None:
        await core.store.hot.read(lambda tx: tx.revision())
        return None

    # Redis is not asked: without it events are still accepted and delivered, only later (docs/operations.md).
    return [ReadyCheck(name="database", check=database)]


async def _refresh_for_ever(core: Core, routes: LateBook) -> None:
    """Notice what other processes changed: keys, webhooks, lines, routes."""
    while True:
        await asyncio.sleep(REFRESH_SECONDS)
        try:
            await core.directory.refresh()
            await routes.refresh()
        except Exception as error:
            log.warning("directory.unrefreshed", error=str(error))
