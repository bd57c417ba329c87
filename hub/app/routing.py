"""Wire routes: read from their folder where the REST surface is served, run by the workers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from hub.app.core import Core
from hub.app.route_folder import RouteFolder
from hub.app.run_report import RunReport
from hub.app.run_texts import run_texts
from hub.flow.actions import Actions
from hub.flow.routing.book import RouteBook
from hub.flow.routing.driving import Driver
from hub.flow.routing.installing import Installing
from hub.flow.routing.moments import Moments
from hub.flow.routing.triage import Triages
from hub.model.run import Decided
from hub.worker.runs import MomentRounds, RunRounds, TriageRounds, committing


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteRounds:
    """The parts of a worker that run routes."""

    book: RouteBook
    runs: RunRounds
    triage: TriageRounds
    moments: MomentRounds


def route_rounds(core: Core, actions: Actions) -> RouteRounds:
    """Wire what a worker needs to run routes."""
    book, texts = RouteBook(core.store.routes), run_texts(core.settings)
    driver = Driver(
        store=core.store,
        book=book,
        actions=actions,
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
        book=book,
        runs=runs,
        triage=TriageRounds(triages=triages, feed=core.feed, events=core.store.events, on_decided=on_decided),
        moments=MomentRounds(moments=moments, clock=core.clock, on_decided=on_decided),
    )


def route_folder(core: Core, actions: Actions) -> RouteFolder:
    """Follow the folder of routes in a process that serves the REST surface."""
    return RouteFolder(
        core.settings.routes.folder.expanduser(),
        actions=actions,
        installing=Installing(routes=core.store.routes, clock=core.clock, new_id=core.new_id),
        clock=core.clock,
        on_installed=core.wake_ups.routes_changed,
        on_read=lambda status: core.metrics.route_problems.set(len(status.problems)),
    )
