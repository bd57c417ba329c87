"""Routes that are made, replaced and deleted one by one, by who asks the hub for it; those of files are not touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.flow.actions import KnownActions
from hub.flow.ports import Clock, WakeUps
from hub.flow.route_store import Adding, RouteChange, Routes
from hub.flow.routing.book import RouteBook
from hub.flow.routing.installing import API, FILES
from hub.flow.routing.parts import no_route
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory, id_text
from hub.model.run import KeptRoute
from hub.rules.problems import Problem
from hub.rules.routes.checking import check_routes
from hub.rules.routes.document import named
from hub.rules.routes.model import Route
from hub.rules.routes.reading import VERSION, RouteDocument, kept, read_routes

#: How ids begin that the hub makes up.
ID_PREFIX: Final = "route"
#: Problems that are told one by one; the rest is counted.
MOST_TOLD: Final = 10
#: Where the one route stands in the document that it is read from.
_POINTER: Final = "/routes/0"
#: How callers call the field that it came in.
_FIELD: Final = "route"
_BLUEPRINT: Final = "use_blueprint"


class RouteWriting:
    """Writes routes of origin `api`."""

    def __init__(
        self,
        *,
        routes: Routes,
        book: RouteBook,
        actions: KnownActions,
        clock: Clock,
        new_id: IdFactory,
        wake_ups: WakeUps,
        most_routes: int,
    ) -> None:
        self._routes = routes
        self._book = book
        self._actions = actions
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups
        #: That stand at once.
        self._most_routes = most_routes

    async def make(self, written: Mapping[str, Any]) -> str:
        """Make a route, and give its id.

        Args:
            written: As in a file; without `id` it gets one.

        Raises:
            InvalidRequest: invalid_parameter_value with everything that is wrong, name_taken or route_limit_reached.
        """
        given = {"id": id_text(ID_PREFIX, self._new_id()), **written}
        route, source = await self.read(given)
        change, now = self._change(route.id, source), self._clock.now_ms()
        match await self._routes.add(change, most=self._most_routes, now=now):
            case Adding.TAKEN:
                message = (
                    f"There is a route {route.id}. Give this one another id, or replace that one with PUT."
                )
                raise InvalidRequest("name_taken", message, param=f"{_FIELD}.id")
            case Adding.FULL:
                raise self._full()
        await self._tell()
        return route.id

    async def replace(self, route_id: str, written: Mapping[str, Any]) -> None:
        """Let a route be as it is written now; runs end on the revision that they began with.

        Raises:
            InvalidRequest: route_id_not_found, route_in_file, or invalid_parameter_value with all that is wrong.
        """
        stands = await self._mine(route_id)
        if written.get("id", route_id) != route_id:
            message = f"'{_FIELD}.id' is not that of the path. An id stays: make another route instead."
            raise InvalidRequest("invalid_parameter_value", message, param=f"{_FIELD}.id")
        _, source = await self.read({**written, "id": route_id})
        if source == stands.source:
            return
        if not await self._routes.replace(self._change(route_id, source), now=self._clock.now_ms()):
            raise no_route()
        await self._tell()

    async def delete(self, route_id: str) -> None:
        """Let a route stand no more; its unfinished runs go on.

        Raises:
            InvalidRequest: route_id_not_found or route_in_file.
        """
        await self._mine(route_id)
        if not await self._routes.retire(route_id, origin=API, now=self._clock.now_ms()):
            raise no_route()
        await self._tell()

    async def read(self, written: Mapping[str, Any]) -> tuple[Route, str]:
        """Read a route, and give it with its canonical form.

        Raises:
            InvalidRequest: invalid_parameter_value with everything that is wrong.
        """
        if _BLUEPRINT in written:
            message = f"'{_FIELD}.{_BLUEPRINT}': only files of routes use blueprints. Write the route itself."
            raise InvalidRequest("invalid_parameter_value", message, param=f"{_FIELD}.{_BLUEPRINT}")
        found = read_routes({"version": VERSION, "routes": [written]})
        if not isinstance(found, RouteDocument):
            raise _refused(found)
        await self._book.refresh()
        (route,) = found.routes
        problems = check_routes(
            found.routes,
            actions=self._actions.specs(),
            connections=self._actions.connections(),
            callable_ids=frozenset({*self._book.kept, route.id}),
        )
        if problems:
            raise _refused(problems)
        return route, msgspec.json.encode(kept(found.bound[0], None), order="sorted").decode()

    async def _mine(self, route_id: str) -> KeptRoute:
        kept = await self._routes.get(route_id)
        if kept is None or (kept.retired_at is not None and kept.origin != FILES):
            raise no_route()
        if kept.origin != API:
            place = f"{kept.file}:{kept.line}" if kept.file else "a file"
            message = f"The route comes from {place}, and what comes from files is changed there."
            raise InvalidRequest("route_in_file", message)
        return kept

    def _full(self) -> InvalidRequest:
        message = (
            f"Of the routes that are made by the API, {self._most_routes} are the most that may stand, and as many do. "
            "Delete one, put routes into files, or raise limits.routes in hub.yaml."
        )
        return InvalidRequest("route_limit_reached", message)

    async def _tell(self) -> None:
        await self._book.refresh()
        self._wake_ups.routes_changed()

    def _change(self, route_id: str, source: str) -> RouteChange:
        return RouteChange(
            id=route_id, origin=API, revision_id=self._new_id(), source=source, file=None, line=None
        )


def _refused(problems: list[Problem]) -> InvalidRequest:
    """Tell everything that is wrong, each with its place; the field is that of the first."""
    told = [f"{place_of(each)}: {each.what}: {each.why}. {_fix(each)}" for each in problems[:MOST_TOLD]]
    if len(problems) > MOST_TOLD:
        told.append(f"And {len(problems) - MOST_TOLD} more.")
    return InvalidRequest("invalid_parameter_value", " ".join(told), param=place_of(problems[0]))


def place_of(problem: Problem) -> str:
    """Write where a problem is as callers see it: `route.steps[0].with.text`."""
    return named(f"/{_FIELD}{problem.pointer.removeprefix(_POINTER)}")


def _fix(problem: Problem) -> str:
    return f"{problem.fix}{'?' if problem.fix.startswith('Did you mean') else '.'}"
