"""What people ask of routes and runs: start one by hand, cancel one, take one up again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NoReturn

import msgspec

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import Store
from hub.flow.route_store import RunFilter
from hub.flow.routing.book import RouteBook
from hub.flow.routing.contexts import Contexts
from hub.flow.routing.facts import wish_for
from hub.flow.routing.parts import RunTexts, no_route
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.run import UNFINISHED, Run, RunState, RunVerdict, RunWish
from hub.rules.lanes import shard_of
from hub.rules.routes.model import ManualTrigger, Route
from hub.rules.runs.evaluating import WrittenWrong
from hub.rules.runs.results import StepResult
from hub.rules.runs.seen import seen
from hub.rules.runs.taking_up import Misfit, called_in, taken_up
from hub.rules.runs.wishing import MANUAL, Standing, by_hand, fits

StartAt = Literal["start", "failed"]
OnRevision = Literal["same", "latest"]
REFUSED: Final = "invalid_parameter_value"
NOT_STARTABLE: Final = "route_not_startable"
CONFLICT: Final = "run_state_conflict"


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What became of the failed runs of a route."""

    #: Those that began, the oldest of the failed ones first.
    runs: tuple[Run, ...]
    #: Failed runs that cannot be taken up again, and why.
    left: Mapping[int, str]
    has_more: bool


class RouteDesk:
    """Does what people ask."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        book: RouteBook,
        clock: Clock,
        new_id: IdFactory,
        wake_ups: WakeUps,
        texts: RunTexts,
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups
        self._texts = texts
        self._contexts = Contexts(store, directory)

    # ---- start

    async def start(
        self,
        route_id: str,
        *,
        event: Mapping[str, Any] | None = None,
        event_id: int | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> Run:
        """Start a route by hand: its conditions, dedupe, throttle and debounce are not asked; its lane is kept.

        Args:
            route_id: Of a route that is not switched off.
            event: What it is to take for its event; for routes with a manual trigger.
            event_id: Of an event that happened, instead.
            given: Values that stand in place of the route's `vars`, or beside them.

        Raises:
            InvalidRequest: route_id_not_found, event_not_found, route_not_startable, or an event that is not for it.
        """
        standing = await self._standing(route_id)
        now_ms = self._clock.now_ms()
        if event_id is None:
            shown = self._made_up(standing, event or {}, now_ms)
        else:
            shown = await self._happened(standing, event_id)
        try:
            wanted = by_hand(standing, shown, env_name=self._texts.env_name, now_ms=now_ms)
        except WrittenWrong as wrong:
            raise InvalidRequest(
                REFUSED, f"The route cannot take this event: {wrong}.", param="event"
            ) from None
        wish = wish_for(
            wanted,
            shown,
            run_id=self._new_id(),
            event_id=event_id,
            contact_timezone=None,
            hops=1,
            now_ms=now_ms,
        )
        facts = msgspec.json.decode(wish.run.facts) | {"given": given or {}}
        run = replace(wish.run, facts=msgspec.json.encode(facts).decode())
        return await self._begin(replace(wish, run=run))

    async def _standing(self, route_id: str) -> Standing:
        await self._book.refresh()
        standing = self._book.standing(route_id)
        if standing is not None:
            return standing
        kept = await self._store.routes.get(route_id)
        if kept is None:
            raise no_route()
        why = "is retired: it stands no more" if kept.retired_at else "is switched off: enabled: false"
        raise InvalidRequest(NOT_STARTABLE, f"The route {why}.")

    def _made_up(self, standing: Standing, event: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
        if not any(isinstance(each, ManualTrigger) for each in standing.route.triggers):
            message = (
                "The route has no manual trigger; add `manual: true` to its triggers, or give an `event_id`."
            )
            raise InvalidRequest(NOT_STARTABLE, message)
        return {"id": f"{MANUAL}_{now_ms}", "type": MANUAL, "occurred_at": now_ms, **event}

    async def _happened(self, standing: Standing, event_id: int) -> dict[str, Any]:
        event = await self._store.events.get(event_id)
        if event is None:
            raise InvalidRequest("event_not_found", "Event not found.", param="event_id")
        data = msgspec.json.decode(event.data)
        is_meant = any(
            isinstance(each, ManualTrigger) or fits(each, event.type, data)
            for each in standing.route.triggers
        )
        if not is_meant:
            message = f"The route does not listen to {event.type} of this kind, and has no manual trigger."
            raise InvalidRequest(REFUSED, message, param="event_id")
        (context,) = await self._contexts.of([event], [data])
        return seen(id_text(Prefix.EVENT, event.id), event.type, event.occurred_at, data, context)

    # ---- cancel

    async def cancel(self, run_id: int, *, reason: str) -> Run:
        """Cancel a run that is not over; what is under way is let end, and its result kept.

        Raises:
            InvalidRequest: run_not_found or run_state_conflict.
        """
        cancelled = await self._store.runs.cancel(run_id, reason=reason, now=self._clock.now_ms())
        if cancelled is None:
            run = await self.get(run_id)
            _refuse(f"The run is over ({run.state.name.lower()}); there is nothing to cancel.")
        self._wake_ups.runs_due()
        return cancelled

    async def get(self, run_id: int) -> Run:
        """Give a run.

        Raises:
            InvalidRequest: run_not_found.
        """
        run = await self._store.runs.get(run_id)
        if run is None:
            raise InvalidRequest("run_not_found", "Run not found.")
        return run

    # ---- replay

    async def replay(self, run_id: int, *, start_at: StartAt, revision: OnRevision) -> Run:
        """Begin a new run that takes up one that is over.

        Args:
            run_id: Of the run that is over.
            start_at: `start`: all of it again, under new keys. `failed`: what was over stays over, and what failed
                is done again under the keys that it had, so that a provider that knows them does nothing twice.
            revision: On that of the run, or on the one at which the route stands now.

        Raises:
            InvalidRequest: run_not_found or run_state_conflict.
        """
        return await self._replay(await self.get(run_id), start_at=start_at, revision=revision)

    async def require(self, route_id: str) -> None:
        """Make sure that there is a route, perhaps a retired one.

        Raises:
            InvalidRequest: route_id_not_found.
        """
        if await self._store.routes.get(route_id) is None:
            raise no_route()

    async def replay_failed(
        self, wanted: RunFilter, *, start_at: StartAt, revision: OnRevision, limit: int
    ) -> Replayed:
        """Take up failed runs that nobody took up yet, the oldest first."""
        asked = replace(wanted, state=RunState.FAILED, is_not_replayed=True)
        found = await self._store.runs.page(asked, before=None, limit=limit + 1, is_oldest_first=True)
        begun: list[Run] = []
        left: dict[int, str] = {}
        for run in found[:limit]:
            try:
                begun.append(await self._replay(run, start_at=start_at, revision=revision))
            except InvalidRequest as refused:
                left[run.id] = refused.message
        return Replayed(runs=tuple(begun), left=left, has_more=len(found) > limit)

    async def _replay(self, run: Run, *, start_at: StartAt, revision: OnRevision) -> Run:
        _require_over(run)
        revision_id = run.revision_id if revision == "same" else await self._latest(run)
        route = await self._route(revision_id)
        results: tuple[StepResult, ...] = ()
        key_run_id = None
        if start_at == "failed":
            results = await self._results(run, route, is_other_revision=revision_id != run.revision_id)
            key_run_id = run.key_run_id or run.id
        begun = self._again(run, route, revision_id, key_run_id=key_run_id, has_results=bool(results))
        return await self._begin(RunWish(run=begun, event=""), results)

    async def _latest(self, run: Run) -> int:
        kept = await self._store.routes.get(run.route_id)
        if kept is None or kept.retired_at is not None:
            _refuse(f"{run.route_id} stands no more; replay the run on the same revision.")
        return kept.revision_id

    async def _route(self, revision_id: int) -> Route:
        await self._book.ensure({revision_id})
        route = self._book.find(revision_id)
        if route is None:
            _refuse(
                "The revision cannot be read by this version of the hub; replay the run on the latest one."
            )
        return route

    async def _results(self, run: Run, route: Route, *, is_other_revision: bool) -> tuple[StepResult, ...]:
        if run.state is not RunState.FAILED:
            _refuse(f"Nothing of the run failed: it is {run.state.name.lower()}. Replay it from the start.")
        if run.failed_path is None:
            _refuse("No step failed: a `stop` ended the run as failed. Replay it from the start.")
        recorded = (await self._store.runs.results([run.id]))[run.id]
        calls = called_in(recorded)
        await self._book.ensure(set(calls.values()))
        try:
            return taken_up(
                route,
                recorded,
                lambda path: self._book.find(calls[path]) if path in calls else None,
                is_other_revision=is_other_revision,
            )
        except Misfit as misfit:
            _refuse(f"{_sentence(misfit)}. Replay the run from the start, or on the same revision.")

    def _again(
        self, run: Run, route: Route, revision_id: int, *, key_run_id: int | None, has_results: bool
    ) -> Run:
        now_ms, run_id = self._clock.now_ms(), self._new_id()
        return Run(
            id=run_id,
            route_id=run.route_id,
            revision_id=revision_id,
            event_id=run.event_id,
            state=RunState.ACTIVE,
            shard=shard_of(run_id if run.lane is None else run.lane),
            lane=run.lane,
            lane_limit=run.lane_limit,
            next_at=now_ms,
            version=int(has_results),  # of a run that was never changed nobody looks for results
            created_at=now_ms,
            finished_at=None,
            facts=run.facts,
            is_shadow=route.mode == "shadow",
            hops=run.hops,
            origin_run_id=run.id,
            key_run_id=key_run_id,
        )

    async def _begin(self, wish: RunWish, results: tuple[StepResult, ...] = ()) -> Run:
        decided = await self._store.runs.begin(wish, results=results)
        if decided.verdict is not RunVerdict.BEGUN:
            message = "Another run of its lane is under way, and the route skips what comes meanwhile (concurrency)."
            raise InvalidRequest(NOT_STARTABLE, message)
        self._wake_ups.runs_due()
        return await self.get(wish.run.id)


def _require_over(run: Run) -> None:
    if run.state in UNFINISHED:
        _refuse(
            f"The run is {run.state.name.lower()}; it can be replayed when it is over. Cancel it, or wait."
        )
    if not run.facts:
        _refuse("What the run knew is kept no more (the route's `keep`), so it cannot be done again.")


def _refuse(message: str) -> NoReturn:
    raise InvalidRequest(CONFLICT, message)


def _sentence(misfit: Misfit) -> str:
    text = str(misfit)
    return f"{text[0].upper()}{text[1:]}"
