"""A worker process: `hub work`, and the worker behind `hub up`."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Iterable, Mapping
from functools import partial

import structlog

from hub.api.dialect import webhook_forms
from hub.app.bridges import bridge_world, host_of, open_adapter
from hub.app.bulk import Workshop
from hub.app.collector import calm_collector
from hub.app.core import Core, event_recorder, open_core
from hub.app.late_routing import LateRouting
from hub.app.line_care import line_watch
from hub.app.measuring import CountedSending, DeliveryReport, counted
from hub.app.outgoing import outbound_client
from hub.config.settings import Settings
from hub.dialects.registry import DIALECTS
from hub.flow.attachments import AttachmentFetching
from hub.flow.bulk_feeding import BulkFeeding
from hub.flow.capabilities import CapabilityBook
from hub.flow.consent import ConsentBook
from hub.flow.deliver import Deliverer
from hub.flow.disable import DisableWebhook
from hub.flow.file_cleanup import FileCleanup
from hub.flow.heartbeats import Heartbeats
from hub.flow.opt_outs import OptOuts
from hub.flow.outgoing import MOST_ATTEMPTS
from hub.flow.ports import BridgeAdapter
from hub.flow.receivers import DeliveryDefaults
from hub.flow.replay import ReplayJobs
from hub.flow.safety import LineGuard
from hub.flow.send import Sending, SendTimeouts
from hub.model.delivery import Outcome
from hub.outbound.client import OutboundClient
from hub.outbound.downloads import GuardedDownloads
from hub.outbound.errors import OutboundError
from hub.rules.breaker import BreakerPolicy
from hub.rules.retry import RetryPolicy
from hub.rules.sending import SendPolicy
from hub.store.faults import Refused
from hub.worker.adapters import AdapterBook
from hub.worker.bulk import BulkRounds
from hub.worker.committer import Committer
from hub.worker.dispatcher import Dispatcher, DispatchLimits
from hub.worker.feeds import Feeds
from hub.worker.fetches import Fetches
from hub.worker.health import health_server
from hub.worker.lines import LineLanes
from hub.worker.maintenance import Maintenance
from hub.worker.ownership import Ownership
from hub.worker.receivers import ReceiverBook
from hub.worker.service import WorkerParts, WorkerService
from hub.worker.timers import LoopTimers

log = structlog.get_logger("worker")

DAY_MS = 86_400_000
#: Deliveries in memory in one worker; some 2 KB each.
MOST_QUEUED = 20_000


async def work(settings: Settings, *, name: str, redis_url: str) -> None:
    """Run a worker until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_core(settings, kind="worker", name=name, redis_url=redis_url) as core:
        client = outbound_client(settings)
        report = DeliveryReport(core.metrics)
        service = build_worker(core, client, report)
        await service.start()
        listening = _listen(core, service)
        calm_collector()
        log.info("worker.started", name=name, database=core.opened.dialect)
        watching = loop.create_task(service.watch())
        stopping = loop.create_task(stop.wait())
        await asyncio.wait({watching, stopping}, return_when=asyncio.FIRST_COMPLETED)
        log.info("worker.stopping")
        if listening is not None:
            listening.cancel()
        await service.stop()
        report.flush()
        await client.aclose()
        stopping.cancel()
        if watching.done() and not stop.is_set():
            watching.result()
        watching.cancel()


def _listen(core: Core, service: WorkerService) -> asyncio.Task[None] | None:
    """Serve health and metrics where `worker.listen` says."""
    listen, metrics = core.settings.worker.listen, core.settings.metrics
    if not listen:
        return None
    server = health_server(
        listen,
        is_ready=service.why_not_ready,
        render_metrics=core.exchange.render if metrics.enabled else None,
        metrics_token=metrics.token,
    )
    return asyncio.get_running_loop().create_task(server.serve())


def build_worker(core: Core, client: OutboundClient, report: DeliveryReport) -> WorkerService:
    """Wire the parts of a worker; the report hears of every attempt that was recorded."""
    settings, store, clock = core.settings, core.store, core.clock
    committer = Committer(store.hot, refused=Refused)
    dispatcher = _dispatcher(core, client, committer)
    dispatcher.on_opened = core.metrics.breakers.inc
    report.attach(committer)
    adapters = AdapterBook(core.directory, partial(open_adapter, core, bridge_world(host_of(core), client)))
    adapters.refresh()
    lines = LineLanes(
        store=store.hot,
        directory=core.directory,
        sending=_sending(core),
        adapters=adapters,
        wake_ups=core.wake_ups,
        clock=clock,
        timers=LoopTimers(clock),
        draw=random.random,
        jitter_ratio=settings.sends.jitter_ratio,
    )
    feeds = Feeds(
        adapters=adapters,
        bridges=store.bridges,
        ingest=counted(core.ingest, core.metrics),
        new_id=core.new_id,
        capabilities=CapabilityBook(store.lines, core.directory, core.wake_ups),
        heartbeats=Heartbeats(store.bridges, clock),
        directory=core.directory,
        clock=clock,
        refused=core.refused,
        health=store.health,
    )
    feeds.on_refused = core.metrics.observations.labels("refused").inc

    routing = LateRouting(core, client)
    rounds = routing.rounds()

    def on_change(shards: Iterable[int]) -> None:
        WorkerService.take_shards((dispatcher, lines, feeds, rounds), shards)

    ownership = Ownership(
        store.processes,
        core.membership,
        clock=clock,
        lease_ms=int(settings.worker.shards_lease_seconds * 1000),
        on_change=on_change,
    )
    parts = WorkerParts(
        redis=core.redis,
        directory=core.directory,
        dispatcher=dispatcher,
        committer=committer,
        lines=lines,
        adapters=adapters,
        feeds=feeds,
        fetches=Fetches(_fetching(core, client, adapters).run_due),
        wake_ups=core.wake_ups,
        maintenance=_maintenance(core, routing),
        line_watch=line_watch(core, lambda: ownership.shards),
        bulk=BulkRounds(
            running=store.bulk.running,
            cut_off=store.bulk.cut_off,
            feed=_bulk_feeding(core).feed,
            shards=lambda: ownership.shards,
            clock=clock,
        ),
        routes=rounds,
        hear=partial(core.live.listen_for_ever, core.feed),
        metrics=core.metrics,
        exchange=core.exchange,
    )
    return WorkerService(
        parts,
        ownership,
        sweep_seconds=settings.worker.sweep_seconds,
        drain_seconds=settings.worker.drain_seconds,
    )


def _bulk_feeding(core: Core) -> BulkFeeding:
    return Workshop(
        store=core.store,
        directory=core.directory,
        policies=core.policies,
        clock=core.clock,
        new_id=core.new_id,
        wake_ups=core.wake_ups,
        links=core.files.links,
    ).feeding()


def _fetching(
    core: Core, client: OutboundClient, adapters: Mapping[int, BridgeAdapter]
) -> AttachmentFetching:
    fetching = AttachmentFetching(
        store=core.store,
        intake=core.files.intake,
        adapters=adapters,
        downloads=GuardedDownloads(client),
        clock=core.clock,
        timeout_seconds=core.settings.files.fetch_seconds,
    )
    counters = {each: core.metrics.attachment_fetches.labels(each.name.lower()).inc for each in Outcome}
    fetching.on_tried = lambda outcome: counters[outcome]()
    return fetching


def _dispatcher(core: Core, client: OutboundClient, committer: Committer) -> Dispatcher:
    delivery = core.settings.delivery
    defaults = DeliveryDefaults(
        retry=RetryPolicy(
            delays_seconds=delivery.schedule_seconds,
            jitter_ratio=delivery.jitter_ratio,
            retry_after_cap_seconds=delivery.retry_after_cap_seconds,
        ),
        timeout_seconds=delivery.timeout_seconds,
        max_response_bytes=delivery.max_response_bytes,
        concurrency=delivery.lane_concurrency,
    )
    return Dispatcher(
        store=core.store.hot,
        directory=core.directory,
        deliverer=Deliverer(
            poster=client,
            clock=core.clock,
            monotonic=time.perf_counter,
            draw=random.random,
            unreachable=OutboundError,
        ),
        receivers=ReceiverBook(
            directory=core.directory,
            poster=client,
            defaults=defaults,
            forms=webhook_forms(DIALECTS),
            clock=core.clock,
            refused=OutboundError,
        ),
        committer=committer,
        wake_ups=core.wake_ups,
        clock=core.clock,
        timers=LoopTimers(core.clock),
        limits=DispatchLimits(
            lane_concurrency=delivery.lane_concurrency,
            lane_queue=delivery.lane_queue,
            most_in_flight=delivery.max_in_flight,
            most_queued=MOST_QUEUED,
            breaker=BreakerPolicy(
                threshold=delivery.breaker_threshold,
                open_ms=delivery.breaker_open_seconds * 1000,
                open_max_ms=delivery.breaker_open_max_seconds * 1000,
            ),
            disable_after_ms=delivery.disable_after_days * DAY_MS,
        ),
        disable=_disable(core),
    )


def send_policy(settings: Settings) -> SendPolicy:
    """How patient lines are."""
    return SendPolicy(
        most_attempts=MOST_ATTEMPTS,
        retry_ms=1000,
        retry_max_ms=300_000,
        lookup_ms=5000,
        unknown_after_ms=int(settings.sends.unknown_after_seconds * 1000),
        in_flight_ms=int(max(settings.sends.in_flight_seconds, settings.sends.unknown_after_seconds) * 1000),
        fleeting_ms=10_000,
    )


def _sending(core: Core) -> Sending:
    return CountedSending(
        core.metrics,
        store=core.store.hot,
        recorder=event_recorder(core),
        clock=core.clock,
        guard=LineGuard(core.policies),
        links=core.files.links,
        opt_outs=OptOuts(_consents(core), core.policies),
        policy=send_policy(core.settings),
        timeouts=SendTimeouts(perform_seconds=core.settings.sends.timeout_seconds, lookup_seconds=10.0),
    )


def _consents(core: Core) -> ConsentBook:
    return ConsentBook(
        store=core.store,
        directory=core.directory,
        take_ids=core.new_id.take,
        wake_ups=core.wake_ups,
        clock=core.clock,
    )


def _disable(core: Core) -> DisableWebhook:
    return DisableWebhook(
        store=core.store,
        directory=core.directory,
        take_ids=core.new_id.take,
        wake_ups=core.wake_ups,
        clock=core.clock,
    )


#: What is kept as long as messages.
_OF_MESSAGES = ("messages", "reactions", "polls")


def _maintenance(core: Core, routing: LateRouting) -> Maintenance:
    keep = core.settings.retention
    jobs = ReplayJobs(
        store=core.store,
        directory=core.directory,
        take_ids=core.new_id.take,
        wake_ups=core.wake_ups,
        clock=core.clock,
    )
    return Maintenance(
        store=core.store,
        clock=core.clock,
        keep_ms={
            "raw_payloads": keep.raw_days * DAY_MS,
            "attempts": keep.attempts_days * DAY_MS,
            "deliveries": keep.deliveries_days * DAY_MS,
            "events": keep.events_days * DAY_MS,
            "outbox": keep.events_days * DAY_MS,
            "availability": keep.events_days * DAY_MS,
            "bulk_jobs": keep.events_days * DAY_MS,
            "source_memory": 0,
            "route_marks": DAY_MS,  # throttles count what waits for later windows
            "triages": keep.events_days * DAY_MS,
            "source_rejections": core.settings.sources.rejected_days * DAY_MS,
            "refused_payloads": core.settings.bridge.refused_days * DAY_MS,
            "idempotency_keys": keep.idempotency_hours * 3_600_000,
            **dict.fromkeys(_OF_MESSAGES if keep.messages_days else (), keep.messages_days * DAY_MS),
        },
        run_job=jobs.run_slice,
        clean_files=FileCleanup(
            store=core.store, blobs=core.files.blobs, clock=core.clock, unused_ms=core.files.unused_ms
        ).run,
        forget_runs=routing.forget_runs,
        directory=core.directory,
        disable=_disable(core),
        metrics=core.metrics,
    )
