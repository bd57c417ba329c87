"""Read a document of routes: everything that is wrong with it is told at once, or it is sound.

Not here: whether actions and connections exist, which fields an event has, and the file itself (hub.config).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.rules.expressions.scope import Scope
from hub.rules.local_time import find_zone
from hub.rules.problems import Problem
from hub.rules.routes import compiling
from hub.rules.routes.asked import read_when
from hub.rules.routes.blueprints import (
    Blueprints,
    Bound,
    bind_examples,
    bind_instance,
    is_blueprint,
    read_blueprint,
)
from hub.rules.routes.compiling import ASKED, FAILING, INPUT, RUNNING
from hub.rules.routes.document import Reading, at, named, shown
from hub.rules.routes.model import Keep, Retry, Route, Step, Trigger, Written
from hub.rules.routes.policies import (
    read_concurrency,
    read_debounce,
    read_dedupe,
    read_keep,
    read_metadata,
    read_quiet_hours,
    read_retry,
    read_throttle,
)
from hub.rules.routes.reads import check_reads, check_shared
from hub.rules.routes.steps import StepReader
from hub.rules.routes.triggers import read_triggers

VERSION: Final = 1
_FILE_KEYS: Final = ("version", "defaults", "routes", "tests")
_DEFAULT_KEYS: Final = ("timezone", "timeout", "retry", "on_error", "keep")
_ROUTE_KEYS: Final = (
    "id",
    "description",
    "tags",
    "owner",
    "metadata",
    "enabled",
    "mode",
    "trigger",
    "when",
    "if",
    "priority",
    "stop_others",
    "dedupe",
    "throttle",
    "debounce",
    "concurrency",
    "quiet_hours",
    "vars",
    "steps",
    "timezone",
    "timeout",
    "retry",
    "on_error",
    "keep",
)
MOST_ROUTES: Final = 5000


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteDocument:
    """All routes of one file."""

    routes: tuple[Route, ...]
    #: As each was read, in the same order.
    bound: tuple[Bound, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Defaults:
    timezone: str | None
    timeout_ms: int | None
    retry: Retry | Literal[False] | None
    on_error: tuple[Step, ...]
    keep: Keep | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PartlyRead:
    """A document; where something is wrong with it, routes lack parts, and only serve to find more that is."""

    routes: tuple[Route, ...]
    #: Those of blueprints included, whether they are sound or not.
    bound: tuple[Bound, ...]
    problems: list[Problem]


NO_BLUEPRINTS: Final[Blueprints] = {}


def read_routes(document: object, blueprints: Blueprints = NO_BLUEPRINTS) -> RouteDocument | list[Problem]:
    """Read a document, or give everything that is wrong with it."""
    found = read_as_far_as_sound(document, blueprints)
    return found.problems or RouteDocument(routes=found.routes, bound=found.bound)


def read_as_far_as_sound(document: object, blueprints: Blueprints = NO_BLUEPRINTS) -> PartlyRead:
    """Read a document: routes, and uses of blueprints; or a blueprint, with its examples."""
    reading = Reading()
    if is_blueprint(document):
        assert isinstance(document, Mapping), "a blueprint is a map"
        _require_version(reading, document)
        blueprint = read_blueprint(reading, document, "")
        return _read_bound(reading, None, [] if blueprint is None else bind_examples(blueprint))
    if document is None:
        reading.refuse(
            "", "the file is empty", "it says no routes", "Write version: 1, then routes: and a list"
        )
        return _read_bound(reading, None, [])
    if isinstance(document, list):
        fix = "Write version: 1 and routes: above it, and indent the list"
        reading.refuse("", "the file is a list", "the list of routes stands below `routes`", fix)
        return _read_bound(reading, None, [])
    whole = reading.map(document, "", noun="a file of routes", keys=_FILE_KEYS)
    if whole:
        _require_version(reading, whole)
    found = reading.required(whole, "routes", "", noun="the file", fix="Write routes: and a list")
    bound: list[Bound] = []
    if isinstance(found, list) and len(found) > MOST_ROUTES:
        reading.refuse(
            "/routes", "there are too many routes", f"{MOST_ROUTES} are the most", "Take another file"
        )
    elif found is not None:
        lists = reading.list_of(
            found, "/routes", lambda value, here: _bound(reading, value, here, blueprints), noun="`routes`"
        )
        bound = [each for some in lists for each in some]
    return _read_bound(reading, whole.get("defaults"), bound)


def read_kept(document: Mapping[str, Any]) -> Route | Problem:
    """Read a route as it is kept (`kept`), or say why it cannot be read."""
    origin = document.get("blueprint") or {}
    reading = Reading()
    bound = Bound(pointer="/routes/0", document=document["routes"][0], inputs=origin.get("inputs"))
    found = _read_bound(reading, document.get("defaults"), [bound])
    return found.problems[0] if found.problems else found.routes[0]


def kept(bound: Bound, defaults: object) -> dict[str, Any]:
    """Give a route as it is kept: a document of its own, the same for the same meaning."""
    alone: dict[str, Any] = {"version": VERSION, "routes": [bound.document]}
    if defaults:
        alone["defaults"] = defaults
    if bound.blueprint is not None:
        alone["blueprint"] = {"name": bound.blueprint, "inputs": bound.inputs}
    return alone


def _require_version(reading: Reading, document: Mapping[str, Any]) -> None:
    if document.get("version") != VERSION:
        why = "this hub reads version 1"
        what = f"`version` is {shown(document.get('version'))}"
        pointer = at("", "version") if "version" in document else ""
        reading.refuse(pointer, what, why, "Write version: 1 at the top")


def _bound(reading: Reading, value: object, pointer: str, blueprints: Blueprints) -> list[Bound]:
    if isinstance(value, Mapping) and "use_blueprint" in value:
        return bind_instance(reading, value, pointer, blueprints)
    return [Bound(pointer=pointer, document=value)]


def _read_bound(reading: Reading, written_defaults: Any, bound: list[Bound]) -> PartlyRead:
    defaults = _defaults(reading, written_defaults)
    read = [
        (each, _RouteReader(reading, defaults, each.inputs).read(each.document, each.pointer))
        for each in bound
    ]
    routes = tuple(route for _, route in read if route is not None)
    _require_own_ids(reading, routes)
    check_shared(reading, defaults.on_error)
    for route in routes:
        check_reads(reading, route)
    return PartlyRead(
        routes=routes,
        bound=tuple(each for each, route in read if route is not None),
        problems=reading.problems,
    )


def _defaults(reading: Reading, value: Any) -> _Defaults:
    if value is None:
        return _Defaults(timezone=None, timeout_ms=None, retry=None, on_error=(), keep=None)
    pointer = "/defaults"
    defaults = reading.map(value, pointer, noun="`defaults`", keys=_DEFAULT_KEYS)
    timezone = _timezone(reading, defaults.get("timezone"), pointer)
    return _Defaults(
        timezone=timezone,
        timeout_ms=reading.duration(defaults.get("timeout"), at(pointer, "timeout")),
        retry=read_retry(reading, defaults.get("retry"), at(pointer, "retry")),
        on_error=_on_error(reading, defaults, pointer, timezone=timezone, scope=FAILING),
        keep=read_keep(reading, defaults.get("keep"), at(pointer, "keep")),
    )


class _RouteReader:
    def __init__(self, reading: Reading, defaults: _Defaults, inputs: Mapping[str, Any] | None) -> None:
        self._reading = reading
        self._defaults = defaults
        self._inputs = inputs or {}
        self._more = () if inputs is None else (INPUT,)

    def _scope(self, scope: Scope) -> Scope:
        return scope.plus(*self._more) if self._more else scope

    def read(self, value: object, pointer: str) -> Route | None:
        """Read one route."""
        reading, defaults, asked = self._reading, self._defaults, self._scope(ASKED)
        route = reading.map(value, pointer, noun="a route", keys=_ROUTE_KEYS)
        if not route:
            return None
        timezone = _timezone(reading, route.get("timezone"), pointer) or defaults.timezone
        name = reading.required(route, "id", pointer, noun="a route", fix="Write id: lead-to-crm")
        started = reading.required(
            route, "trigger", pointer, noun="a route", fix="Write trigger: message.received"
        )
        done = reading.required(route, "steps", pointer, noun="a route", fix="Write steps: and a list")
        triggers: tuple[Trigger, ...] = ()
        if started is not None:
            triggers = read_triggers(reading, started, at(pointer, "trigger"), timezone=timezone)
        steps: tuple[Step, ...] = ()
        if done is not None:
            reader = StepReader(reading, timezone=timezone, scope=self._scope(RUNNING))
            steps = reader.steps(done, at(pointer, "steps"))
        route_id = None if name is None else reading.slug(name, at(pointer, "id"), noun="`id`")
        timeout = reading.duration(route.get("timeout"), at(pointer, "timeout"))
        retry = read_retry(reading, route.get("retry"), at(pointer, "retry"))
        on_error = _on_error(reading, route, pointer, timezone=timezone, scope=self._scope(FAILING))
        return Route(
            pointer=pointer,
            id=route_id or "",
            description=reading.text(
                route.get("description"), at(pointer, "description"), noun="`description`"
            ),
            tags=reading.texts(route.get("tags"), at(pointer, "tags"), noun="a tag"),
            owner=reading.text(route.get("owner"), at(pointer, "owner"), noun="`owner`"),
            metadata=read_metadata(reading, route.get("metadata"), at(pointer, "metadata")),
            is_enabled=reading.flag(
                route.get("enabled"), at(pointer, "enabled"), noun="`enabled`", default=True
            ),
            mode=reading.one_of(
                route.get("mode"), at(pointer, "mode"), ("live", "shadow"), noun="`mode`", default="live"
            ),
            triggers=triggers,
            when=read_when(reading, route, pointer, timezone=timezone),
            if_=compiling.condition(reading, route, pointer, asked),
            priority=reading.number(
                route.get("priority"),
                at(pointer, "priority"),
                noun="`priority`",
                least=-1000,
                most=1000,
                default=0,
            ),
            stop_others=reading.flag(
                route.get("stop_others"), at(pointer, "stop_others"), noun="`stop_others`", default=False
            ),
            dedupe=read_dedupe(reading, route.get("dedupe"), at(pointer, "dedupe"), asked),
            throttle=read_throttle(reading, route.get("throttle"), at(pointer, "throttle"), asked),
            debounce=read_debounce(reading, route.get("debounce"), at(pointer, "debounce"), asked),
            concurrency=read_concurrency(
                reading, route.get("concurrency"), at(pointer, "concurrency"), asked
            ),
            quiet_hours=read_quiet_hours(
                reading, route.get("quiet_hours"), at(pointer, "quiet_hours"), timezone=timezone
            ),
            vars=self._vars(route, pointer),
            steps=steps,
            retry=defaults.retry if retry is None else retry,
            timeout_ms=defaults.timeout_ms if timeout is None else timeout,
            on_error=on_error or defaults.on_error,
            keep=read_keep(reading, route.get("keep"), at(pointer, "keep")) or defaults.keep,
            timezone=timezone,
            inputs=self._inputs,
        )

    def _vars(self, route: Mapping[str, Any], pointer: str) -> Mapping[str, Written]:
        if route.get("vars") is None:
            return {}
        return compiling.values(
            self._reading, route["vars"], at(pointer, "vars"), self._scope(RUNNING), noun="`vars`"
        )


def _on_error(
    reading: Reading, document: Mapping[str, Any], pointer: str, *, timezone: str | None, scope: Scope
) -> tuple[Step, ...]:
    value = document.get("on_error")
    if value is None:
        return ()
    reader = StepReader(reading, timezone=timezone, scope=scope)
    return reader.steps(value, at(pointer, "on_error"), noun="`on_error`")


def _timezone(reading: Reading, value: Any, pointer: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or find_zone(value) is None:
        why, fix = "zones are named as IANA does", "Write one such as America/New_York"
        reading.refuse(at(pointer, "timezone"), f"{shown(value)} is no time zone", why, fix)
        return None
    return value


def _require_own_ids(reading: Reading, routes: tuple[Route, ...]) -> None:
    first: dict[str, str] = {}
    for route in routes:
        other = first.setdefault(route.id, route.pointer)
        if route.id and other != route.pointer:
            what, why = f"two routes are called {route.id}", f"the other one is {named(other)}"
            reading.refuse(at(route.pointer, "id"), what, why, "Give each route an id of its own")
