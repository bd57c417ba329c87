"""Read a document of routes: everything that is wrong with it is told at once, or it is sound.

Not here: whether actions and connections exist, which fields an event has, and the file itself (hub.config).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.rules.local_time import find_zone
from hub.rules.problems import Problem
from hub.rules.routes import compiling
from hub.rules.routes.compiling import FAILING, RUNNING
from hub.rules.routes.document import Reading, at, named, shown
from hub.rules.routes.model import Concurrency, Keep, Retry, Route, Step, Trigger, Written
from hub.rules.routes.policies import (
    read_concurrency,
    read_debounce,
    read_dedupe,
    read_keep,
    read_quiet_hours,
    read_retry,
    read_throttle,
)
from hub.rules.routes.reads import check_reads, check_shared
from hub.rules.routes.steps import StepReader, read_when
from hub.rules.routes.triggers import read_triggers

VERSION: Final = 1
_FILE_KEYS: Final = ("version", "defaults", "routes", "tests")
_DEFAULT_KEYS: Final = ("timezone", "timeout", "retry", "on_error", "keep")
_ROUTE_KEYS: Final = (
    "id",
    "description",
    "tags",
    "owner",
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Defaults:
    timezone: str | None
    timeout_ms: int | None
    retry: Retry | Literal[False] | None
    on_error: tuple[Step, ...]
    keep: Keep | None


def read_routes(document: object) -> RouteDocument | list[Problem]:
    """Read a document, or give everything that is wrong with it."""
    routes, problems = read_as_far_as_sound(document)
    return problems or RouteDocument(routes=routes)


def read_as_far_as_sound(document: object) -> tuple[tuple[Route, ...], list[Problem]]:
    """Read a document; where something is wrong with it, routes lack parts, and only serve to find more that is."""
    reading = Reading()
    whole = reading.map(document, "", noun="a file of routes", keys=_FILE_KEYS)
    if whole and whole.get("version") != VERSION:
        why = "this hub reads version 1"
        what = f"`version` is {shown(whole.get('version'))}"
        reading.refuse(
            at("", "version") if "version" in whole else "", what, why, "Write version: 1 at the top"
        )
    defaults = _defaults(reading, whole.get("defaults"))
    found = reading.required(whole, "routes", "", noun="the file", fix="Write routes: and a list")
    routes: tuple[Route, ...] = ()
    if isinstance(found, list) and len(found) > MOST_ROUTES:
        reading.refuse(
            "/routes", "there are too many routes", f"{MOST_ROUTES} are the most", "Take another file"
        )
    elif found is not None:
        one = _RouteReader(reading, defaults)
        routes = reading.list_of(found, "/routes", one.read, noun="`routes`")
    _require_own_ids(reading, routes)
    check_shared(reading, defaults.on_error)
    for route in routes:
        check_reads(reading, route)
    return routes, reading.problems


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
        on_error=_on_error(reading, defaults, pointer, timezone=timezone),
        keep=read_keep(reading, defaults.get("keep"), at(pointer, "keep")),
    )


class _RouteReader:
    def __init__(self, reading: Reading, defaults: _Defaults) -> None:
        self._reading = reading
        self._defaults = defaults

    def read(self, value: object, pointer: str) -> Route | None:
        """Read one route."""
        reading, defaults = self._reading, self._defaults
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
            steps = StepReader(reading, timezone=timezone, scope=RUNNING).steps(done, at(pointer, "steps"))
        route_id = None if name is None else reading.slug(name, at(pointer, "id"), noun="`id`")
        timeout = reading.duration(route.get("timeout"), at(pointer, "timeout"))
        retry = read_retry(reading, route.get("retry"), at(pointer, "retry"))
        on_error = _on_error(reading, route, pointer, timezone=timezone)
        return Route(
            pointer=pointer,
            id=route_id or "",
            description=reading.text(
                route.get("description"), at(pointer, "description"), noun="`description`"
            ),
            tags=reading.texts(route.get("tags"), at(pointer, "tags"), noun="a tag"),
            owner=reading.text(route.get("owner"), at(pointer, "owner"), noun="`owner`"),
            is_enabled=reading.flag(
                route.get("enabled"), at(pointer, "enabled"), noun="`enabled`", default=True
            ),
            mode=reading.one_of(
                route.get("mode"), at(pointer, "mode"), ("live", "shadow"), noun="`mode`", default="live"
            ),
            triggers=triggers,
            when=read_when(reading, route, pointer, timezone=timezone),
            if_=compiling.condition(reading, route, pointer, compiling.ASKED),
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
            dedupe=read_dedupe(reading, route.get("dedupe"), at(pointer, "dedupe")),
            throttle=read_throttle(reading, route.get("throttle"), at(pointer, "throttle")),
            debounce=read_debounce(reading, route.get("debounce"), at(pointer, "debounce")),
            concurrency=self._concurrency(route, pointer),
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
        )

    def _concurrency(self, route: Mapping[str, Any], pointer: str) -> Concurrency | None:
        return read_concurrency(self._reading, route.get("concurrency"), at(pointer, "concurrency"))

    def _vars(self, route: Mapping[str, Any], pointer: str) -> Mapping[str, Written]:
        if route.get("vars") is None:
            return {}
        return compiling.values(self._reading, route["vars"], at(pointer, "vars"), RUNNING, noun="`vars`")


def _on_error(
    reading: Reading, document: Mapping[str, Any], pointer: str, *, timezone: str | None
) -> tuple[Step, ...]:
    value = document.get("on_error")
    if value is None:
        return ()
    reader = StepReader(reading, timezone=timezone, scope=FAILING)
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
