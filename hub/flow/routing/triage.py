"""Decide which routes an event starts, and give it to the runs that wait for it: once for each event (decision 20)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.event_store import Event, EventFilter
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.route_store import Arrival, ArrivalLost, EventDecision, RunWait
from hub.flow.routing.book import RouteBook
from hub.flow.routing.contexts import Contexts
from hub.flow.routing.facts import wish_for
from hub.flow.routing.parts import RunTexts
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.run import Decided, RunVerdict, Triage
from hub.rules.runs.listening import ANYWHERE, is_of, place_of, sides_of, waited
from hub.rules.runs.looking import arrived
from hub.rules.runs.results import StepStatus
from hub.rules.runs.seen import Context, hops_of, seen
from hub.rules.runs.waits import find_wait
from hub.rules.runs.wishing import ask, fits

log = structlog.get_logger("routes")

#: Events that are decided in one transaction.
PAGE: Final = 100
_encode: Final = msgspec.json.Encoder().encode


class TriageLost(Exception):
    """Somebody else goes on from the same position."""


class Triages:
    """Looks at events, one after the other."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        book: RouteBook,
        clock: Clock,
        new_id: IdFactory,
        texts: RunTexts,
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._new_id = new_id
        self._texts = texts
        self._contexts = Contexts(store, directory)
        #: The event types that some run listens to. Runs that begin to listen meanwhile do so to later events.
        self._awaited: frozenset[str] = frozenset()
        #: Told of events of which something was decided.
        self.on_triaged: Callable[[Sequence[Triage]], None] = lambda triages: None

    async def position(self) -> int:
        """Give the position up to which events were looked at; where nobody wants any, that is now."""
        before = await self._store.routes.position()
        # In this order: a run that begins to listen after we asked who does must not miss what comes next.
        newest = await self._store.events.newest_position()
        if await self.types():
            return before
        if newest > before:
            await self._store.routes.skip_to(newest)
        return max(newest, before)

    async def go_on(self) -> tuple[bool, list[Decided]]:
        """Look at the next events that are stored.

        Returns:
            Whether there are more, and what became of what routes wanted.

        Raises:
            TriageLost: Somebody else looks at them.
        """
        before = await self.position()
        types = self._book.types | self._awaited
        if not types:
            return False, []
        page = await self._store.events.read_on(EventFilter(types=types), after=before, limit=PAGE)
        decided, _ = await self.decide(page.events, before=before)
        return not page.is_end, decided

    async def decide(self, events: Sequence[Event], *, before: int) -> tuple[list[Decided], int]:
        """Decide in as few transactions as possible; an event that was waited for has one of its own.

        Args:
            events: By position, all of those that routes want beyond `before`.
            before: The position up to which events were looked at.

        Returns:
            What became of what routes wanted, and the position up to which events were looked at now.

        Raises:
            TriageLost: Somebody else looks at them.
        """
        decided: list[Decided] = []
        together: list[EventDecision] = []
        for decision, event in zip(await self.decisions(events), events, strict=True):
            if decision.arrivals:
                if together:
                    place = event.position - 1
                    decided += await self._commit(together, before=before, position=place)
                    before, together = place, []
                decided += await self._arrive(event, before=before)
                before = event.position
            elif decision.wishes or decision.triage.decided:
                together.append(decision)
        if together:
            decided += await self._commit(together, before=before, position=events[-1].position)
            before = events[-1].position
        return decided, before

    async def pass_over(self, *, before: int, position: int) -> int:
        """Keep that events up to a position were looked at, and nobody wanted any beyond `before`.

        Returns:
            The position.

        Raises:
            TriageLost: Somebody else looks at them.
        """
        await self._commit([], before=before, position=position)
        return position

    async def types(self) -> frozenset[str]:
        """Give the event types that some route, or some run, listens to now."""
        await self._book.refresh()
        self._awaited = await self._store.runs.awaited_types()
        return self._book.types | self._awaited

    async def _arrive(self, event: Event, *, before: int) -> list[Decided]:
        """Decide for an event that runs wait for: as they wait now, since an event before it may have moved them."""
        while True:
            (decision,) = await self.decisions([event])
            with contextlib.suppress(ArrivalLost):
                return await self._commit([decision], before=before, position=event.position)

    async def _commit(
        self, decisions: Sequence[EventDecision], *, before: int, position: int
    ) -> list[Decided]:
        found = await self._store.routes.decide(decisions, before=before, position=position)
        if found is None:
            raise TriageLost
        self.on_triaged([each.triage for each in decisions])
        return [each for decided in found for each in decided]

    async def decisions(self, events: Sequence[Event]) -> list[EventDecision]:
        """Work out what events start and end."""
        data = [msgspec.json.decode(event.data) for event in events]
        contexts = await self._contexts.of(events, data)
        return [
            await self._decision(event, each, context)
            for event, each, context in zip(events, data, contexts, strict=True)
        ]

    async def _decision(self, event: Event, data: dict[str, Any], context: Context) -> EventDecision:
        now_ms = self._clock.now_ms()
        shown = seen(id_text(Prefix.EVENT, event.id), event.type, event.occurred_at, data, context)
        hops = hops_of(data)
        candidates = ask(
            [
                each
                for each in self._book.matching(event.type, shown, now_ms)
                if event.position > each.since_position and each.fits(event.type, data)
            ],
            shown,
            env_name=self._texts.env_name,
            hops=hops,
            now_ms=now_ms,
        )
        for each in candidates.decided:
            log.warning("route.undecided", route=each.route_id, event_id=shown["id"], reason=each.reason)
        is_awaited = event.type in self._awaited
        arrivals, taken = await self._arrivals(event, data, shown, now_ms) if is_awaited else ((), ())
        return EventDecision(
            triage=Triage(
                event_id=event.id,
                decided_at=now_ms,
                context=_encode(context).decode(),
                decided=(*taken, *candidates.decided),
            ),
            wishes=tuple(
                wish_for(
                    each,
                    shown,
                    run_id=self._new_id(),
                    event_id=event.id,
                    contact_timezone=context.timezone,
                    hops=hops + 1,
                    now_ms=now_ms,
                )
                for each in candidates.wanted
            ),
            arrivals=arrivals,
        )

    async def _arrivals(
        self, event: Event, data: dict[str, Any], shown: dict[str, Any], now_ms: int
    ) -> tuple[tuple[Arrival, ...], tuple[Decided, ...]]:
        """Give what runs get that wait for the event, and what to tell of that, a step each."""
        near = {ANYWHERE, event.chat_id or ANYWHERE, *map(place_of, sides_of(shown))}
        waiting = await self._store.runs.waiting(event.type, near)
        await self._book.ensure({revision_of(each) for each in waiting})
        found: dict[int, Arrival] = {}
        taken: list[Decided] = []
        for wait in waiting:
            route = self._book.find(revision_of(wait))
            step = None if route is None else find_wait(route, wait.result.inputs["pointer"])
            if route is None or step is None or wait.result.status is not StepStatus.WAITING:
                continue
            listens = waited(step, wait.result, timezone=route.timezone)
            is_theirs = is_of(listens.people, event.type, shown) and fits(step.trigger, event.type, data)
            if not is_theirs or not listens.when.holds(shown, now_ms):
                continue
            result = arrived(wait.result, shown, now_ms=now_ms)
            known = found.get(wait.run_id)
            results = (*known.results, result) if known else (result,)
            found[wait.run_id] = Arrival(run_id=wait.run_id, version=wait.version, results=results)
            taken.append(_taken(wait))
        return tuple(found.values()), tuple(taken)


def _taken(wait: RunWait) -> Decided:
    return Decided(
        route_id=wait.route_id,
        revision_id=wait.revision_id,
        verdict=RunVerdict.JOINED,
        run_id=wait.run_id,
        step=wait.result.name or wait.path,
    )


def revision_of(wait: RunWait) -> int:
    """Give the revision whose route says what is waited for: the run's, or that of a route that it called."""
    called = wait.result.inputs["revision"]
    return wait.revision_id if called is None else int(called)
