"""Forget runs when their routes (`keep`), else the settings, say: first what they knew, then that they were."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Final

from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.routing.book import RouteBook
from hub.rules.routes.model import Keep

#: Runs of one transaction.
PAGE: Final = 100
#: Pages of one route in one sweep; the next sweep goes on.
MOST_PAGES: Final = 400


class RunForgetting:
    """Forgets."""

    def __init__(
        self, *, store: Store, book: RouteBook, clock: Clock, payload_ms: int, log_ms: int, events_ms: int
    ) -> None:
        self._store = store
        self._book = book
        self._clock = clock
        self._payload_ms = payload_ms
        self._log_ms = log_ms
        #: Revisions explain events as long as those are kept.
        self._events_ms = events_ms

    async def __call__(self) -> Mapping[str, int]:
        """Forget what is old; give what that was, by what it is called."""
        retention, now_ms = self._store.run_retention, self._clock.now_ms()
        counts = dict.fromkeys(("run_payloads", "runs", "route_revisions"), 0)
        routes = await self._store.routes.all()
        await self._book.ensure({each.revision_id for each in routes})
        for kept in routes:
            route = self._book.find(kept.revision_id)
            payload_ms, log_ms = self._times(None if route is None else route.keep)
            drop_runs = partial(retention.drop_runs, kept.id, before_ms=now_ms - log_ms, limit=PAGE)
            drop_payloads = partial(
                retention.drop_payloads, kept.id, before_ms=now_ms - payload_ms, limit=PAGE
            )
            counts["runs"] += await _all(drop_runs)
            counts["run_payloads"] += await _all(drop_payloads)
        counts["route_revisions"] += await retention.drop_revisions(before_ms=now_ms - self._events_ms)
        return counts

    def _times(self, keep: Keep | None) -> tuple[int, int]:
        if keep is None:
            return self._payload_ms, self._log_ms
        return keep.payload_ms, keep.log_ms


async def _all(drop: Callable[[], Awaitable[int]]) -> int:
    total = 0
    for _ in range(MOST_PAGES):
        count = await drop()
        total += count
        if count < PAGE:
            break
    return total
