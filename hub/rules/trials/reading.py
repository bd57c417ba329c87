"""Read tests of routes strictly: a test with a misspelt key would pass, whatever the route does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.rules.fixtures.events import NOW_MS
from hub.rules.fixtures.examples import FIXTURES, check_overrides, unknown_fixture
from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.model import CallStep, Route, UseStep
from hub.rules.runs.instants import read_instant
from hub.rules.runs.waits import all_steps
from hub.rules.runs.wishing import MANUAL
from hub.rules.trials.expecting import read_expected
from hub.rules.trials.mocking import read_mocks
from hub.rules.trials.model import Expected, Happening, Trial

_KEYS: Final = ("name", "route", "beside", "event", "events", "now", "vars", "mock", "expect")
MOST_EVENTS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What a test of a route may name."""

    steps: frozenset[str]
    #: Those of the routes that it calls, too.
    actions: frozenset[str]


def read_tests(
    reading: Reading, value: object, pointer: str, routes: Mapping[str, Route], *, alone: str | None = None
) -> tuple[Trial, ...]:
    """Read a list of tests.

    Args:
        reading: Takes the problems.
        value: As written.
        pointer: Where it stands.
        routes: All that may be tested, by id.
        alone: The route that is meant where a test names none.
    """
    reader = _TestReader(reading, routes, alone)
    return reading.list_of(value, pointer, reader.read, noun="`tests`")


def names_of(route: Route, routes: Mapping[str, Route]) -> Names:
    """Give what a test of a route may name: its steps, and those of the routes that it calls."""
    steps: set[str] = set()
    actions: set[str] = set()
    for each in _with_called(route, routes, set()):
        for step in all_steps((*each.steps, *each.on_error)):
            if step.id is not None:
                steps.add(step.id)
            if isinstance(step, UseStep):
                actions.add(step.action)
    return Names(steps=frozenset(steps), actions=frozenset(actions))


def _with_called(route: Route, routes: Mapping[str, Route], seen: set[str]) -> Iterator[Route]:
    if route.id in seen:
        return
    seen.add(route.id)
    yield route
    for step in all_steps((*route.steps, *route.on_error)):
        if isinstance(step, CallStep) and step.route in routes:
            yield from _with_called(routes[step.route], routes, seen)


@dataclass
class _TestReader:
    reading: Reading
    routes: Mapping[str, Route]
    alone: str | None
    _names: dict[str, str] = field(default_factory=dict)

    def read(self, value: object, pointer: str) -> Trial | None:
        reading = self.reading
        test = reading.map(value, pointer, noun="a test", keys=_KEYS)
        if not test:
            return None
        name = self._name(test, pointer)
        route = self._route(test, pointer)
        happenings = self._happenings(test, pointer)
        now_ms = self._now(test, pointer)
        if route is None:
            return None
        names = names_of(route, self.routes)
        mocks = read_mocks(reading, test.get("mock"), at(pointer, "mock"), names.steps | names.actions)
        each, last = self._expected(test, pointer, happenings, names)
        given = test.get("vars")
        if given is not None and not isinstance(given, Mapping):
            fix = "Write { to: … }"
            reading.refuse(at(pointer, "vars"), f"`vars` is {shown(given)}", "it is a map of values", fix)
        if given is not None and not any(each.fixture == MANUAL for each in happenings):
            fix = "Write event: { fixture: manual }, or take `vars` away"
            reading.refuse(
                at(pointer, "vars"), "`vars` are given to nobody", "who starts by hand gives it", fix
            )
        return Trial(
            pointer=pointer,
            name=name or "",
            route=route.id,
            beside=self._beside(test, pointer, route),
            happenings=happenings,
            each=each,
            last=last,
            mocks=mocks,
            given=dict(given) if isinstance(given, Mapping) else {},
            now_ms=now_ms,
        )

    def _name(self, test: Mapping[str, Any], pointer: str) -> str | None:
        found = self.reading.required(
            test, "name", pointer, noun="a test", fix="Write name: and what is to be"
        )
        name = self.reading.text(found, at(pointer, "name"), noun="`name`")
        if name is not None and self._names.setdefault(name, pointer) != pointer:
            why, fix = "results would be told apart by nobody", "Give each test a name of its own"
            self.reading.refuse(at(pointer, "name"), f"two tests are called {shown(name)}", why, fix)
        return name

    def _route(self, test: Mapping[str, Any], pointer: str) -> Route | None:
        name = test.get("route", self.alone)
        if name is None:
            fix = "Write route: and the id of the one that is tested"
            self.reading.required(test, "route", pointer, noun="a test", fix=fix)
            return None
        found = self.routes.get(name) if isinstance(name, str) else None
        if found is None:
            near = suggestion(str(name), self.routes)
            fix = (
                f"Did you mean {near}"
                if near
                else "Write the id of a route in this file, or in one beside it"
            )
            here = at(pointer, "route") if "route" in test else pointer
            self.reading.refuse(here, f"there is no route {shown(name)}", "it is tested here", fix)
        return found

    def _beside(self, test: Mapping[str, Any], pointer: str, route: Route) -> tuple[str, ...]:
        """Read the routes that may keep events from the one that is tested; those that never would are refused."""
        here = at(pointer, "beside")
        names = self.reading.texts(test.get("beside"), here, noun="a route")
        for name in names:
            other = self.routes.get(name)
            if other is None or name == route.id:
                near = suggestion(name, {*self.routes} - {route.id})
                fix = (
                    f"Did you mean {near}"
                    if near
                    else "Write the id of another one in this file or beside it"
                )
                self.reading.refuse(
                    here, f"there is no route {shown(name)} beside it", "it is named here", fix
                )
            elif not other.stop_others:
                why, fix = "it has no `stop_others`, so it makes no difference here", "Take it away"
                self.reading.refuse(here, f"{name} keeps nothing from {route.id}", why, fix)
            elif (-other.priority, name) > (-route.priority, route.id):
                why = "the higher priority is asked first, then by id"
                fix = f"Give {name} a priority above {route.priority}"
                self.reading.refuse(here, f"{name} is asked after {route.id}", why, fix)
        return tuple(name for name in names if name in self.routes)

    def _now(self, test: Mapping[str, Any], pointer: str) -> int:
        written = test.get("now")
        if written is None:
            return NOW_MS
        found = read_instant(written, timezone="UTC")
        if found is None:
            why = "it is a date and a time with its offset, or Unix ms"
            fix = 'Write now: "2026-08-04T22:10:00-07:00"'
            self.reading.refuse(at(pointer, "now"), f"`now` is {shown(written)}", why, fix)
        return NOW_MS if found is None else found

    # ---- what happens

    def _happenings(self, test: Mapping[str, Any], pointer: str) -> tuple[Happening, ...]:
        reading = self.reading
        if ("event" in test) is ("events" in test):
            why = "both are there" if "event" in test else "neither is there"
            fix = "Write event: { fixture: message.received }"
            reading.refuse(pointer, "a test needs `event` or `events`", why, fix)
            return ()
        if "event" in test:
            found = self._happening(test["event"], at(pointer, "event"))
            return () if found is None else (found,)
        found_all = reading.list_of(test["events"], at(pointer, "events"), self._happening, noun="`events`")
        if len(found_all) > MOST_EVENTS:
            fix = "Write several tests"
            reading.refuse(
                at(pointer, "events"), "there are too many events", f"{MOST_EVENTS} are the most", fix
            )
        return found_all

    def _happening(self, value: object, pointer: str) -> Happening | None:
        reading = self.reading
        if isinstance(value, str):
            value = {"fixture": value}
        if not isinstance(value, Mapping) or not value:
            fix = "Write { fixture: message.received }, with what is to be otherwise beside it"
            reading.refuse(pointer, f"an event is {shown(value)}", "it is a map with `fixture`", fix)
            return None
        after_ms = reading.duration(value.get("after"), at(pointer, "after")) or 0
        fixture = value.get("fixture")
        overrides = {key: each for key, each in value.items() if key not in {"fixture", "after"}}
        if fixture is None and not overrides and "after" in value:
            return Happening(fixture=None, overrides={}, after_ms=after_ms, pointer=pointer)
        if fixture is None:
            fix = "Write fixture: message.received"
            reading.refuse(pointer, "an event needs `fixture`", "it says what it is made from", fix)
            return None
        if fixture not in FIXTURES:
            reading.add([unknown_fixture(fixture, at(pointer, "fixture"))])
            return None
        reading.add(check_overrides(fixture, overrides, pointer))
        return Happening(fixture=fixture, overrides=overrides, after_ms=after_ms, pointer=pointer)

    # ---- what is expected

    def _expected(
        self, test: Mapping[str, Any], pointer: str, happenings: tuple[Happening, ...], names: Names
    ) -> tuple[tuple[Expected, ...] | None, Expected | None]:
        reading, here = self.reading, at(pointer, "expect")
        written = reading.required(
            test, "expect", pointer, noun="a test", fix="Write expect: { outcome: completed }"
        )
        if written is None:
            return None, None
        if not isinstance(written, list):
            return None, read_expected(reading, written, here, names.steps, names.actions)
        found = reading.list_of(
            written,
            here,
            lambda value, place: read_expected(reading, value, place, names.steps, names.actions),
            noun="`expect`",
        )
        count = sum(each.fixture is not None for each in happenings)
        if len(written) != count:
            what = f"{len(written)} things are expected of {count} events"
            fix = "Write one for each, or one map for the last run"
            reading.refuse(here, what, "a list has one for each event", fix)
        return found, None
