"""/api/v1/automations: routes of the hub that were made there (contracts: coop §6).

What the vendor wrote is kept in the route's `metadata.coop`; routes without it are no automations. What they are made
into is hub.dialects.coop.automation_shapes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.route_shapes import OneRoute, RouteList, RouteReply
from hub.api.route_writing import RouteDeleted, TrialReply
from hub.api.run_shapes import RunReply
from hub.dialects.coop.automation_shapes import (
    Action,
    ActionType,
    Compiled,
    Condition,
    Field,
    Logic,
    Operator,
    Trigger,
    Written,
    compiled,
    expression,
)
from hub.dialects.coop.contacts import Deleted
from hub.dialects.coop.names import AUTOMATION, DIALECT_NAME, native_id, spelled
from hub.dialects.coop.paging import Found, Paged, PageQuery, ask_page, read
from hub.dialects.coop.times import iso
from hub.dialects.native import ask, ask_after_reading
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, id_time_ms, parse_id

_NATIVE: Final = "route"
_RECENT: Final = 10
#: Our action → theirs.
_TYPES: Final[Mapping[str, ActionType]] = {
    "contact.update": "create_contact",
    "http.request": "call_webhook",
    "log": "log_to_crm",
    "message.reply": "send_reply",
}
_STATUS: Final[Mapping[str, str]] = {
    "active": "running",
    "cancelled": "cancelled",
    "completed": "completed",
    "failed": "failed",
    "parked": "running",
}


class Automation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An automation."""

    id: str
    name: str
    trigger: Trigger
    conditions: tuple[Condition, ...]
    logic: Logic
    actions: tuple[Action, ...]
    enabled: bool
    created_at: str
    updated_at: str


class Execution(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One time that an automation ran."""

    id: str
    automation_id: str
    #: `running`, `completed`, `failed` or `cancelled`.
    status: str
    #: Why it failed.
    error: str | None
    started_at: str
    completed_at: str | None


class OneAutomation(Automation, frozen=True, kw_only=True, rename="camel"):
    """An automation with its latest executions, the newest first."""

    executions: list[Execution]


class TestMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is made up."""

    from_: Annotated[str, Meta(max_length=320)] | None = msgspec.field(name="from", default=None)
    to: Annotated[str, Meta(max_length=320)] | None = None
    body: Annotated[str, Meta(max_length=10_000)] = ""


class Test(msgspec.Struct, frozen=True, kw_only=True):
    """What an automation is to be tried with."""

    message: TestMessage


class Evaluated(msgspec.Struct, frozen=True, kw_only=True):
    """A condition, and whether it holds."""

    field: Field
    operator: Operator
    value: str | tuple[str, ...]
    matched: bool


class TestResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What would happen. Nothing was sent."""

    matched: bool
    conditions_evaluated: list[Evaluated]
    #: Types of actions, in order.
    actions_would_execute: list[ActionType]


# ---- reading


def _written(route: RouteReply) -> Written | None:
    """Give what an automation was written as; None for a route that is none."""
    try:
        parse_id(_NATIVE, route.id)
        return msgspec.convert(route.metadata.get(DIALECT_NAME), Written)
    except (InvalidId, msgspec.ValidationError):
        return None


def _fields(route: RouteReply, written: Written) -> dict[str, Any]:
    return {
        "id": spelled(AUTOMATION, route.id),
        "name": written.name,
        "trigger": written.trigger,
        "conditions": written.conditions,
        "logic": written.logic,
        "actions": written.actions,
        "enabled": route.is_enabled,
        "created_at": iso(id_time_ms(parse_id(_NATIVE, route.id))),
        "updated_at": iso(route.changed_at),
    }


def _path(call: Call[Any, Any]) -> dict[str, str]:
    return {"id": native_id(AUTOMATION, call.path["id"], "route_id")}


async def _find(call: Call[Any, Any]) -> tuple[OneRoute, Written]:
    route = (await ask(call, "get_route", OneRoute, path=_path(call))).content
    return route, _known(route)


def _known(route: RouteReply) -> Written:
    written = _written(route)
    if written is None or route.retired_at is not None:
        raise InvalidRequest("route_id_not_found", "Automation not found.")
    return written


def _execution(run: RunReply) -> Execution:
    return Execution(
        id=run.id,
        automation_id=spelled(AUTOMATION, run.route_id),
        status=_STATUS[run.state],
        error=run.reason,
        started_at=iso(run.created_at),
        completed_at=iso(run.finished_at),
    )


# ---- writing


@contextlib.contextmanager
def _in_their_words(made: Compiled) -> Iterator[None]:
    """Let what the route is refused for name the part of the automation that it comes from."""
    try:
        yield
    except InvalidRequest as error:
        place = max(
            (each for each in made.places if (error.param or "").startswith(each)), key=len, default=None
        )
        if place is None:
            raise
        theirs, message = made.places[place], error.message
        for native in sorted(made.places, key=len, reverse=True):
            message = message.replace(native, made.places[native])
        raise InvalidRequest(error.code, message, param=theirs) from None


async def _make(call: Call[NoQuery, Written]) -> Reply:
    made = compiled(call.body)
    with _in_their_words(made):
        route = (await ask(call, "make_route", OneRoute, body={"route": made.route})).content
    return Reply(content=Automation(**_fields(route, call.body)), status=201)


async def _replace(call: Call[NoQuery, Written]) -> Reply:
    await _find(call)
    made = compiled(call.body)
    with _in_their_words(made):
        body = {"route": made.route}
        route = (await ask(call, "replace_route", OneRoute, path=_path(call), body=body)).content
    return Reply(content=Automation(**_fields(route, call.body)))


async def _toggle(call: Call[NoQuery, NoBody]) -> Reply:
    def flipped(route: OneRoute) -> dict[str, Any]:
        written = msgspec.structs.replace(_known(route), enabled=not route.is_enabled)
        return {"route": compiled(written).route}

    route = (
        await ask_after_reading(
            call, "replace_route", OneRoute, reader="get_route", path=_path(call), body=flipped
        )
    ).content
    return Reply(content=Automation(**_fields(route, _known(route))))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    await _find(call)
    await ask(call, "delete_route", RouteDeleted, path=_path(call))
    return Reply(content=Deleted(id=call.path["id"]))


# ---- looking


async def _list(call: Call[NoQuery, NoBody]) -> Reply:
    found: list[Automation] = []
    cursor = None
    while True:
        query = {"origin": "api", "limit": 100, "cursor": cursor}
        page = (await ask(call, "list_routes", RouteList, query=query)).content
        for each in page.data:
            written = _written(each)
            if written is not None:
                found.append(Automation(**_fields(each, written)))
        cursor = page.next_cursor
        if cursor is None:
            return Reply(content=Found(data=found))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    route, written = await _find(call)
    page = (await ask(call, "list_runs", Listed, query={"route_id": route.id, "limit": _RECENT})).content
    executions = [_execution(read(each, RunReply)) for each in page.data]
    return Reply(content=OneAutomation(**_fields(route, written), executions=executions))


async def _executions(call: Call[PageQuery, NoBody]) -> Reply:
    route, _ = await _find(call)
    runs, pagination = await ask_page(call, "list_runs", RunReply, query={"route_id": route.id}, names={})
    return Reply(content=Paged(data=[_execution(each) for each in runs], pagination=pagination))


async def _test(call: Call[NoQuery, Test]) -> Reply:
    _, written = await _find(call)
    message = call.body.message
    body = {
        "event": {"text": message.body, "from": message.from_, "to": message.to},
        "expressions": [expression(each) for each in written.conditions],
    }
    told = (await ask(call, "try_route", TrialReply, path=_path(call), body=body)).content
    evaluated = [
        Evaluated(field=each.field, operator=each.operator, value=each.value, matched=answer.holds)
        for each, answer in zip(written.conditions, told.expressions, strict=True)
    ]
    result = TestResult(
        matched=told.matches,
        conditions_evaluated=evaluated,
        actions_would_execute=[_TYPES[each.does] for each in told.would],
    )
    return Reply(content=result)


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/api/v1/automations{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="automations",
        scope=more.pop("scope", "routes:read" if method == "GET" else "routes:write"),
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        reply=more.pop("reply", Automation),
        **more,
    )


_EXAMPLE: Final = {
    "name": "Refunds",
    "trigger": "message_received",
    "conditions": [{"field": "body", "operator": "contains", "value": "refund"}],
    "logic": "and",
    "actions": [{"type": "send_reply", "config": {"body": "We look into it."}}],
}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "POST",
        "",
        "make_automation",
        "Make one.",
        body=Written,
        status=201,
        example=_EXAMPLE,
        handle=_make,
    ),
    _endpoint("GET", "", "list_automations", "List them.", reply=Found[Automation], handle=_list),
    _endpoint(
        "GET", "/{id}", "get_automation", "Show one as it ran lately.", reply=OneAutomation, handle=_get
    ),
    _endpoint(
        "PUT",
        "/{id}",
        "replace_automation",
        "Write one anew, whole.",
        body=Written,
        example=_EXAMPLE,
        handle=_replace,
    ),
    _endpoint("DELETE", "/{id}", "delete_automation", "Delete one.", reply=Deleted, handle=_delete),
    _endpoint("PATCH", "/{id}/toggle", "toggle_automation", "Switch one off, or on again.", handle=_toggle),
    _endpoint(
        "POST",
        "/{id}/test",
        "test_automation",
        "Say what one would make of a message; nothing is sent.",
        scope="routes:read",
        body=Test,
        reply=TestResult,
        example={"message": {"from": "+15551234567", "body": "I want a refund"}},
        handle=_test,
    ),
    _endpoint(
        "GET",
        "/{id}/executions",
        "list_automation_executions",
        "List when one ran, the newest first.",
        query=PageQuery,
        reply=Paged[Execution],
        handle=_executions,
    ),
)
