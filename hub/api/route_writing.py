"""/v1/routes, written: make, replace and delete routes that stand in no file, and try any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.route_shapes import JsonObject, OneRoute, Shown
from hub.api.routes import one_route

if TYPE_CHECKING:
    from hub.flow.routing.trying import Trial
    from hub.rules.routes.when import Judged
    from hub.rules.runs.signals import Attempt

ExpressionText = Annotated[str, Meta(min_length=1, max_length=8000)]


class WrittenRoute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A route as in a file: docs/reference/routes.md lists its keys."""

    route: JsonObject


class RouteDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The route stands no more."""

    id: str
    deleted: bool = True
    request_id: str


class RouteTrial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be tried."""

    #: Fields of the event, nested or dotted, as routes see it; `type` chooses among what starts the route. The others
    #: are those of an example.
    event: JsonObject
    #: Conditions, as under `if`, that are asked of the same event beside the route's own.
    expressions: Annotated[tuple[ExpressionText, ...], Meta(max_length=100)] = ()


class JudgedReply(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of the route."""

    #: Where it looks in the event; `now` for the clock, `if` for the route's expression.
    path: str
    #: Empty for a plain value.
    matcher: str
    #: JSON, cut, or the expression.
    expected: str
    #: JSON, cut, or `missing`; of an expression `true`, `false`, or why it has no value.
    actual: str
    holds: bool


class AskedReply(msgspec.Struct, frozen=True, kw_only=True):
    """One expression that was asked beside."""

    expression: str
    holds: bool
    #: Why it has no value for the event.
    error: str | None


class StepTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One action that the route would do."""

    path: str
    #: The step's id.
    id: str | None
    #: The action.
    does: str
    inputs: Shown


class TrialReply(msgspec.Struct, frozen=True, kw_only=True):
    """What would come of the event. Nothing was sent."""

    #: Whether it would begin a run. `enabled`, `dedupe`, `throttle` and `debounce` are not asked.
    matches: bool
    #: Whether the route listens to such events.
    is_of_type: bool
    conditions: list[JudgedReply]
    expressions: list[AskedReply]
    #: Empty if nothing matches. What actions would give stands for itself as their samples.
    would: list[StepTrial]
    #: `completed`, `failed`, `waiting` (for an event), `unfinished` (it would do more than is tried); null if nothing
    #: matches.
    outcome: str | None
    #: Why it would fail or stop.
    reason: str | None
    request_id: str


async def _make(call: Call[NoQuery, WrittenRoute]) -> Reply:
    call.uses.lines.require(call.key, None)
    route_id = await call.uses.route_writing.make(call.body.route)
    return Reply(content=await _one(call, route_id), status=201)


async def _replace(call: Call[NoQuery, WrittenRoute]) -> Reply:
    call.uses.lines.require(call.key, None)
    await call.uses.route_writing.replace(call.path["id"], call.body.route)
    return Reply(content=await _one(call, call.path["id"]))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    call.uses.lines.require(call.key, None)
    await call.uses.route_writing.delete(call.path["id"])
    return Reply(content=RouteDeleted(id=call.path["id"], request_id=call.request_id))


async def _one(call: Call[Any, Any], route_id: str) -> OneRoute:
    return await one_route(call.uses.store, call.uses.parts.routes.book, route_id, request_id=call.request_id)


async def _try(call: Call[NoQuery, RouteTrial]) -> Reply:
    from hub.flow.routing.trying import try_standing  # noqa: PLC0415 - decision 28

    call.uses.lines.require(call.key, None)
    parts, body = call.uses.parts, call.body
    trial = await try_standing(
        call.uses.store,
        parts.routes,
        parts.clock,
        call.path["id"],
        given=body.event,
        expressions=body.expressions,
    )
    return Reply(content=_told(trial, body.expressions, call.request_id))


def _told(trial: Trial, expressions: tuple[str, ...], request_id: str) -> TrialReply:
    tried = trial.tried
    return TrialReply(
        matches=tried.matches,
        is_of_type=tried.is_of_type,
        conditions=[_judged(each) for each in tried.conditions],
        expressions=[_asked(*each) for each in zip(expressions, trial.answers, strict=True)],
        would=[_step(each) for each in tried.attempts],
        outcome=tried.outcome,
        reason=tried.reason,
        request_id=request_id,
    )


def _judged(judged: Judged) -> JudgedReply:
    return JudgedReply(
        path=judged.path,
        matcher=judged.matcher,
        expected=judged.expected,
        actual=judged.actual,
        holds=judged.holds,
    )


def _asked(expression: str, answer: bool | str) -> AskedReply:
    error = answer if isinstance(answer, str) else None
    return AskedReply(expression=expression, holds=answer is True, error=error)


def _step(attempt: Attempt) -> StepTrial:
    begun = attempt.begun
    return StepTrial(path=begun.path, id=attempt.step.id, does=attempt.step.action, inputs=begun.inputs)


_EXAMPLE = {
    "trigger": "message.received",
    "when": {"text": {"contains": "refund"}},
    "steps": [{"use": "message.reply", "with": {"text": "We look into it."}}],
}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/routes",
        name="make_route",
        summary="Make a route that stands in no file; without an `id` it gets one.",
        description="Everything that is wrong with it is told at once; `param` names the first. docs/routes-api.md.",
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=WrittenRoute,
        reply=OneRoute,
        status=201,
        errors=("line_not_accessible", "name_taken", "route_limit_reached"),
        example={"route": {"id": "refunds", **_EXAMPLE}},
        handle=_make,
    ),
    Endpoint(
        method="PUT",
        path="/v1/routes/{id}",
        name="replace_route",
        summary="Let a route that was made here be as it is written now, as a whole.",
        description="Runs end on the revision that they began with. Routes of files are changed in their files.",
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=WrittenRoute,
        reply=OneRoute,
        errors=("line_not_accessible", "route_id_not_found", "route_in_file"),
        example={"route": _EXAMPLE},
        handle=_replace,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/routes/{id}",
        name="delete_route",
        summary="Delete a route that was made here; its runs go on to their end.",
        tag="routes",
        scope="routes:write",
        query=NoQuery,
        body=NoBody,
        reply=RouteDeleted,
        errors=("line_not_accessible", "route_id_not_found", "route_in_file"),
        handle=_delete,
    ),
    Endpoint(
        method="POST",
        path="/v1/routes/{id}/try",
        name="try_route",
        summary="Say what a route would make of an event, condition by condition; nothing is sent.",
        description="The route may be switched off. What it remembers (`dedupe`, `throttle` …) is not asked.",
        tag="routes",
        scope="routes:read",
        query=NoQuery,
        body=RouteTrial,
        reply=TrialReply,
        errors=("line_not_accessible", "route_id_not_found"),
        example={"event": {"text": "I want a refund", "from": "+15550100001"}},
        handle=_try,
    ),
)
