"""Decide which routes an event starts, and give it to the runs that wait for it: once for each event (decision 20)."""

from __future__ import annotations

from collections.abc import Sequence
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
from hub.flow.routing.facts import RunTexts, wish_for
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.run import Decided, Triage
from hub.rules.runs.looking import arrived
from hub.rules.runs.results import StepStatus
from hub.rules.runs.seen import hops_of, seen
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

    async def go_on(self) -> tuple[bool, list[Decided]]:
        """Look at the next events.

        Returns:
            Whether there are more, and what became of what routes wanted.

        Raises:
            TriageLost: Somebody else looks at them.
        """
        types = await self.types()
        before = await self._store.routes.position()
        if not types:
            newest = await self._store.events.newest_position()
            if newest > before:
                await self._store.routes.skip_to(newest)
            return False, []
        page = await self._store.events.read_on(EventFilter(types=types), after=before, limit=PAGE)
        if page.position == before:
            return False, []
        decided = await self._decide(page.events, before=before, position=page.position)
        return not page.is_end, decided

    async def types(self) -> frozenset[str]:
        """Give the event types that some route, or some run, listens to now."""
        await self._book.refresh()
        self._awaited = await self._store.runs.awaited_types()
        return self._book.types | self._awaited

    async def _decide(self, events: Sequence[Event], *, before: int, position: int) -> list[Decided]:
        """Decide in as few transactions as possible; an event that was waited for has one of its own."""
        decided: list[Decided] = []
        together: list[EventDecision] = []
        for event in events:
            decision = await self.decision(event)
            if decision.arrivals:
                if together:
                    place = event.position - 1
                    decided += await self._commit(together, before=before, position=place)
                    before, together = place, []
                decided += await self._arrive(event, decision, before=before)
                before = event.position
            elif decision.wishes or decision.triage.decided:
                together.append(decision)
        if together or before < position:
            decided += await self._commit(together, before=before, position=position)
        return decided

    async def _arrive(self, event: Event, decision: EventDecision, *, before: int) -> list[Decided]:
        while True:
            try:
                return await self._commit([decision], before=before, position=event.position)
            except ArrivalLost:  # a run went on meanwhile; what it waits for now is another matter
                decision = await self.decision(event)

    async def _commit(
        self, decisions: Sequence[EventDecision], *, before: int, position: int
    ) -> list[Decided]:
        found = await self._store.routes.decide(decisions, before=before, position=position)
        if found is None:
            raise TriageLost
        return [each for decided in found for each in decided]

    async def decision(self, event: Event) -> EventDecision:
        """Work out what an event starts and ends."""
        now_ms = self._clock.now_ms()
        data = msgspec.json.decode(event.data)
        context = await self._contexts.of(event, data)
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
        return EventDecision(
            triage=Triage(
                event_id=event.id,
                decided_at=now_ms,
                context=_encode(context).decode(),
                decided=candidates.decided,
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
            arrivals=await self._arrivals(event, data, shown, now_ms) if event.type in self._awaited else (),
        )

    async def _arrivals(
        self, event: Event, data: dict[str, Any], shown: dict[str, Any], now_ms: int
    ) -> tuple[Arrival, ...]:
        waiting = await self._store.runs.waiting(event.type, event.chat_id)
        await self._book.ensure({revision_of(each) for each in waiting})
        found: dict[int, Arrival] = {}
        for wait in waiting:
            step = find_wait(self._book.route(revision_of(wait)), wait.result.inputs["pointer"])
            is_waiting = wait.result.status is StepStatus.WAITING
            is_wanted = step is not None and is_waiting and fits(step.trigger, event.type, data)
            if step is None or not is_wanted or not step.when.holds(shown, now_ms):
                continue
            result = arrived(wait.result, shown, now_ms=now_ms)
            known = found.get(wait.run_id)
            results = (*known.results, result) if known else (result,)
            found[wait.run_id] = Arrival(run_id=wait.run_id, version=wait.version, results=results)
        return tuple(found.values())


def revision_of(wait: RunWait) -> int:
    """Give the revision whose route says what is waited for: the run's, or that of a route that it called."""
    called = wait.result.inputs["revision"]
    return wait.revision_id if called is None else int(called)
