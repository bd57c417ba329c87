"""Wire what runs routes, once a worker needs it (hub.worker.late_rounds)."""

from __future__ import annotations

import random

from hub.app.actions import core_connectors, open_actions
from hub.app.core import Core
from hub.app.run_report import RunReport
from hub.app.run_texts import run_texts
from hub.connectors.actions import ConnectorActions
from hub.connectors.states import StateBook
from hub.connectors.watching import ConnectionWatch
from hub.flow.routing.book import RouteBook
from hub.flow.routing.driving import Driver
from hub.flow.routing.moments import Moments
from hub.flow.routing.triage import Triages
from hub.model.run import Decided
from hub.outbound.client import OutboundClient
from hub.worker.connection_rounds import ConnectionRounds
from hub.worker.runs import MomentRounds, RouteRounds, RunRounds, TriageRounds, committing


def route_rounds(core: Core, client: OutboundClient, book: RouteBook) -> RouteRounds:
    """Wire what a worker needs to run routes; connectors are asked for with the client."""
    texts, connectors = run_texts(core.settings), core_connectors(core, client)
    driver = Driver(
        store=core.store,
        book=book,
        actions=open_actions(core, client, connectors),
        clock=core.clock,
        draw=random.random,
        texts=texts,
        commit=committing(core.store.runs),
    )
    report = RunReport(core.metrics)
    driver.on_attempted, driver.on_ended = report.attempted, report.ended
    runs = RunRounds(
        runs=core.store.runs, driver=driver, clock=core.clock, most_at_once=core.settings.routes.runs_at_once
    )
    triages = Triages(
        store=core.store,
        directory=core.directory,
        book=book,
        clock=core.clock,
        new_id=core.new_id,
        texts=texts,
    )

    triages.on_triaged = report.decided

    def on_decided(decided: list[Decided]) -> None:
        if any(each.run_id is not None for each in decided):
            core.wake_ups.runs_due()
            runs.wake()

    moments = Moments(runs=core.store.runs, book=book, clock=core.clock, new_id=core.new_id, texts=texts)
    return RouteRounds(
        runs=runs,
        triage=TriageRounds(triages=triages, feed=core.feed, events=core.store.events, on_decided=on_decided),
        moments=MomentRounds(moments=moments, clock=core.clock, on_decided=on_decided),
        connections=_connection_rounds(core, connectors),
    )


def _connection_rounds(core: Core, connectors: ConnectorActions) -> ConnectionRounds:
    watch = ConnectionWatch(
        connectors,
        StateBook(core.store.connection_states),
        core.clock,
        is_testing=core.settings.routes.test_connections,
    )
    return ConnectionRounds(watch, metrics=core.metrics)
