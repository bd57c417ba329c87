"""The routes of the hub, compiled: those that stand now, and the revisions that unfinished runs began with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

import msgspec
import structlog

from hub.flow.route_store import Routes
from hub.model.run import KeptRoute
from hub.rules.routes.index import ListenerIndex
from hub.rules.routes.model import Route, WebhookTrigger
from hub.rules.routes.reading import read_kept
from hub.rules.runs.facts import RevisionUnknown
from hub.rules.runs.wishing import SCHEDULE, Standing, in_order, types_of

log = structlog.get_logger("routes")

#: Revisions in memory beyond those that stand.
MOST_OLD: Final = 2_000


class RouteBook:
    """Knows the routes; one in each process. hub.rules.runs.facts.Callees."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._version = -1
        self._kept: dict[str, KeptRoute] = {}
        self._standing: dict[str, Standing] = {}
        self._by_revision: dict[int, Route] = {}
        self._types: frozenset[str] = frozenset()
        self._hooks: frozenset[str] = frozenset()
        self._index: ListenerIndex[Standing] = ListenerIndex(())

    async def refresh(self) -> bool:
        """Take over what was installed since; tell whether anything was."""
        version = await self._routes.version()
        if version == self._version:
            return False
        kept = await self._routes.current()
        self._kept = {each.id: each for each in kept}
        known = {each.revision_id: each.source for each in kept}
        self._compile(known)
        standings = [
            standing
            for each in kept
            if (standing := self._stand(each)) is not None and standing.route.is_enabled
        ]
        self._standing = {each.route.id: each for each in standings}
        self._index = ListenerIndex(in_order(standings))
        self._types = frozenset(each for standing in standings for each in standing.types) - {SCHEDULE}
        self._hooks = frozenset(
            trigger.path
            for standing in standings
            for trigger in standing.route.triggers
            if isinstance(trigger, WebhookTrigger)
        )
        self._version = version
        self._forget(known)
        return True

    async def ensure(self, revisions: Collection[int]) -> None:
        """Have revisions at hand that may be older than those that stand."""
        missing = {revision for revision in revisions if revision not in self._by_revision}
        if missing:
            self._compile(await self._routes.sources(missing))

    # ---- hub.rules.runs.facts.Callees

    def newest(self, route_id: str) -> int | None:
        standing = self._standing.get(route_id)
        return None if standing is None else standing.revision_id

    def route(self, revision: int) -> Route:
        route = self._by_revision.get(revision)
        if route is None:
            raise RevisionUnknown(revision)
        return route

    def find(self, revision: int) -> Route | None:
        """Give the route of a revision that was asked for (`ensure`); None if it is gone or cannot be read."""
        return self._by_revision.get(revision)

    # ---- events

    @property
    def types(self) -> frozenset[str]:
        """The event types that some route listens to."""
        return self._types

    def has_hook(self, path: str) -> bool:
        """Tell whether a route listens at a path of its own."""
        return path in self._hooks

    @property
    def scheduled(self) -> list[Standing]:
        """The routes that have a schedule."""
        return [each for each in self._standing.values() if SCHEDULE in each.types]

    def matching(self, event_type: str, event: Mapping[str, Any], now_ms: int) -> Iterator[Standing]:
        """Give the routes whose `when` holds, in the order in which they are asked."""
        return self._index.matching(event_type, event, now_ms)

    def of_type(self, event_type: str) -> list[Standing]:
        """Give all routes that listen to a type, for explanations."""
        return self._index.of_type(event_type)

    def standing(self, route_id: str) -> Standing | None:
        """Give a route that runs."""
        return self._standing.get(route_id)

    @property
    def kept(self) -> Mapping[str, KeptRoute]:
        """All routes that are not retired, those that are switched off included."""
        return self._kept

    def _compile(self, sources: Mapping[int, str]) -> None:
        for revision, source in sources.items():
            if revision in self._by_revision:
                continue
            found = read_kept(msgspec.json.decode(source))
            if isinstance(found, Route):
                self._by_revision[revision] = found
            else:  # checked when it was installed: by another version of the hub
                log.error("route.unreadable", revision=revision, reason=str(found))

    def _stand(self, kept: KeptRoute) -> Standing | None:
        route = self._by_revision.get(kept.revision_id)
        if route is None:
            return None
        return Standing(
            route=route,
            revision_id=kept.revision_id,
            since_position=kept.since_position,
            types=types_of(route),
        )

    def _forget(self, known: Collection[int]) -> None:
        if len(self._by_revision) > len(known) + MOST_OLD:
            self._by_revision = {each: self._by_revision[each] for each in known}
