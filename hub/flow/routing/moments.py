"""Start the routes whose moment has come, each moment once, whoever looks at the clock."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import structlog

from hub.flow.ports import Clock
from hub.flow.route_store import Runs
from hub.flow.routing.book import RouteBook
from hub.flow.routing.facts import wish_for
from hub.flow.routing.parts import RunTexts
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.run import Decided, Once, RunVerdict
from hub.rules.routes.model import ScheduleTrigger
from hub.rules.routes.schedules import last_fire, next_fire
from hub.rules.runs.wishing import SCHEDULE, Standing, ask, digest

log = structlog.get_logger("routes")

#: A moment that was missed for longer, because nothing ran, is let go.
LATEST_MS: Final = 3_600_000
_REMEMBER_MS: Final = 7 * 86_400_000


class Moments:
    """Looks at the clock for all routes with a schedule."""

    def __init__(
        self, *, runs: Runs, book: RouteBook, clock: Clock, new_id: IdFactory, texts: RunTexts
    ) -> None:
        self._runs = runs
        self._book = book
        self._clock = clock
        self._new_id = new_id
        self._texts = texts
        #: The last moment of each schedule that was seen to.
        self._seen: dict[tuple[str, int], int] = {}

    async def fire(self) -> list[Decided]:
        """Start what is due; of moments that were missed, the last one."""
        await self._book.refresh()
        decided: list[Decided] = []
        for standing in self._book.scheduled:
            for place, trigger in enumerate(standing.route.triggers):
                if isinstance(trigger, ScheduleTrigger):
                    decided += await self._fire(standing, place, trigger)
        return decided

    def next_at(self) -> int | None:
        """Give the instant of the next moment of any schedule. Unix ms."""
        now_ms = self._clock.now_ms()
        found = [
            next_fire(trigger.schedule, trigger.timezone, now_ms)
            for standing in self._book.scheduled
            for trigger in standing.route.triggers
            if isinstance(trigger, ScheduleTrigger)
        ]
        return min((each for each in found if each is not None), default=None)

    async def _fire(self, standing: Standing, place: int, trigger: ScheduleTrigger) -> list[Decided]:
        now_ms = self._clock.now_ms()
        kept = self._book.kept[standing.route.id]
        since_ms = max(kept.changed_at, now_ms - LATEST_MS)
        at_ms = last_fire(trigger.schedule, trigger.timezone, since_ms=since_ms, until_ms=now_ms)
        if at_ms is None or self._seen.get((standing.route.id, place)) == at_ms:
            return []
        decided = await self._start(standing, trigger, at_ms=at_ms, now_ms=now_ms)
        self._seen[standing.route.id, place] = at_ms
        return decided

    async def _start(
        self, standing: Standing, trigger: ScheduleTrigger, *, at_ms: int, now_ms: int
    ) -> list[Decided]:
        event = moment_event(trigger, at_ms)
        if not standing.when.holds(event, now_ms):
            return []
        found = ask([standing], event, env_name=self._texts.env_name, hops=0, now_ms=now_ms)
        for each in found.decided:
            log.warning("route.undecided", route=each.route_id, reason=each.reason)
        once = Once(
            key=digest(standing.route.id, SCHEDULE, f"{trigger.schedule}/{trigger.timezone}/{at_ms}"),
            until_ms=at_ms + _REMEMBER_MS,
        )
        begun = [
            await self._runs.begin(
                wish_for(
                    replace(wanted, once=once),
                    event,
                    run_id=self._new_id(),
                    event_id=None,
                    contact_timezone=None,
                    hops=1,
                    now_ms=now_ms,
                )
            )
            for wanted in found.wanted
        ]
        for each in begun:
            if each.run_id is not None and each.verdict is RunVerdict.BEGUN:
                run = id_text(Prefix.RUN, each.run_id)
                log.info("route.scheduled", route=each.route_id, run=run, late_ms=now_ms - at_ms)
        return begun


def moment_event(trigger: ScheduleTrigger, at_ms: int) -> dict[str, Any]:
    """Give what a route sees as the event of a moment."""
    return {
        "id": f"{SCHEDULE}_{at_ms}",
        "type": SCHEDULE,
        "occurred_at": at_ms,
        "schedule": trigger.schedule,
        "timezone": trigger.timezone,
    }
