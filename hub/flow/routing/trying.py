"""Try a route that stands: what it would make of an event. Nothing is sent, and nothing is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.routing.parts import RouteParts, no_route
from hub.model.errors import InvalidRequest
from hub.rules.expressions import compile_condition
from hub.rules.expressions.templates import Condition
from hub.rules.problems import Problem
from hub.rules.routes.compiling import ASKED
from hub.rules.routes.model import Route
from hub.rules.runs.facts import Known
from hub.rules.runs.trying import Tried, asked, imagined, try_route


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of it."""

    event: Mapping[str, Any]
    tried: Tried
    #: Of each expression: whether it holds, or why it has no value.
    answers: tuple[bool | str, ...]


async def try_standing(
    store: Store,
    parts: RouteParts,
    clock: Clock,
    route_id: str,
    *,
    given: Mapping[str, Any],
    expressions: Sequence[str] = (),
) -> Trial:
    """Try a route that is not retired.

    Args:
        store: Where it is.
        parts: The book and the actions.
        clock: Tells when the event happens.
        route_id: Of the route, which may be switched off.
        given: Fields of the event; the others are those of an example.
        expressions: What else is asked of the same event.

    Raises:
        InvalidRequest: route_id_not_found, or invalid_parameter_value for the event or an expression.
    """
    conditions = [_compiled(text, place) for place, text in enumerate(expressions)]
    route = await _standing(store, parts, route_id)
    now_ms, env_name = clock.now_ms(), parts.texts.env_name
    event = imagined(route, given, now_ms=now_ms)
    if isinstance(event, Problem):
        param = f"event{event.pointer.replace('/', '.')}"
        raise InvalidRequest("invalid_parameter_value", f"'{param}': {_said(event)}", param=param)
    known = Known(actions=parts.actions.specs(), callees=parts.book)

    def work() -> Trial:
        return Trial(
            event=event,
            tried=try_route(route, event, known, env_name=env_name, now_ms=now_ms),
            answers=tuple(asked(each, route, event, env_name=env_name, now_ms=now_ms) for each in conditions),
        )

    return await asyncio.to_thread(work)  # a route may be long


async def _standing(store: Store, parts: RouteParts, route_id: str) -> Route:
    kept = await store.routes.get(route_id)
    if kept is None or kept.retired_at is not None:
        raise no_route()
    await parts.book.refresh()
    await parts.book.ensure({kept.revision_id})
    route = parts.book.find(kept.revision_id)
    if route is None:
        raise no_route()
    return route


def _compiled(text: str, place: int) -> Condition:
    found = compile_condition(text, ASKED)
    if isinstance(found, Condition):
        return found
    param = f"expressions[{place}]"
    told = " ".join(_said(each.at("")) for each in found[:3])
    raise InvalidRequest("invalid_parameter_value", f"'{param}': {told}", param=param)


def _said(problem: Problem) -> str:
    return str(Problem(pointer="", what=problem.what, why=problem.why, fix=problem.fix))
