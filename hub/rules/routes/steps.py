"""Read the steps of a route: each does exactly one thing, and is told so if it does none or two."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from hub.rules.expressions.scope import KEYWORDS, RESERVED, ROUTE_NAMES, Scope
from hub.rules.problems import suggestion
from hub.rules.routes import compiling
from hub.rules.routes.asked import read_asked
from hub.rules.routes.document import Reading, at, named, shown
from hub.rules.routes.model import (
    CallStep,
    Case,
    DelayStep,
    EventTrigger,
    ForeachStep,
    ParallelStep,
    SetStep,
    SourceTrigger,
    Step,
    StopStep,
    SwitchStep,
    UseStep,
    WaitStep,
)
from hub.rules.routes.policies import read_retry
from hub.rules.routes.triggers import read_waited

MOST_STEPS: Final = 200
MOST_DEPTH: Final = 8
MOST_ITEMS: Final = 1000
_ITEMS: Final = 100
_MOST_PARALLEL: Final = 50
#: `log` is the one action that belongs to nobody.
_ACTION: Final = re.compile(r"log|[a-z][a-z0-9_-]*\.[a-z][a-z0-9_]*", re.ASCII)
#: Names that an `as` must not take.
_TAKEN: Final = (ROUTE_NAMES - {"item"}) | RESERVED | KEYWORDS | {"index", compiling.INPUT}
_IGNORED: Final = ("suppression", "quiet_hours")

#: The one thing that a step does, and the keys that go with it.
VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "use": ("connection", "with", "timeout", "retry", "on_error", "ignore"),
    "delay": (),
    "wait_for": (),
    "switch": (),
    "foreach": ("as", "limit", "parallel", "steps"),
    "parallel": (),
    "call": (),
    "set": (),
    "stop": (),
}
_ALWAYS: Final = ("id", "if")
#: What other systems call the same.
_OTHER_VERBS: Final[Mapping[str, str]] = {
    "action": "use",
    "pause": "delay",
    "sleep": "delay",
    "uses": "use",
    "wait": "delay",
}
_CAPITAL: Final = re.compile(r"(?<=[a-z0-9])([A-Z])", re.ASCII)


class StepReader:
    """Reads the steps of one route."""

    def __init__(self, reading: Reading, *, timezone: str | None, scope: Scope) -> None:
        self._reading = reading
        #: The names that mean something to the step that is read.
        self._scope = scope
        self._timezone = timezone
        self._ids: dict[str, str] = {}
        self._count = 0
        self._depth = 0

    def steps(self, value: object, pointer: str, *, noun: str = "`steps`") -> tuple[Step, ...]:
        """Read a list of steps."""
        if self._depth >= MOST_DEPTH:
            fix = "Move the inner steps into a route of their own and `call` it"
            self._reading.refuse(
                pointer, "steps are nested too deep", f"{MOST_DEPTH} levels are the most", fix
            )
            return ()
        self._depth += 1
        found: tuple[Step, ...] = self._reading.list_of(value, pointer, self._step, noun=noun)
        self._depth -= 1
        return found

    def _steps_with(self, names: tuple[str, ...], value: object, pointer: str, noun: str) -> tuple[Step, ...]:
        outer, self._scope = self._scope, self._scope.plus(*names)
        found = self.steps(value, pointer, noun=noun)
        self._scope = outer
        return found

    def _step(self, value: object, pointer: str) -> Step | None:
        self._count += 1
        if self._count > MOST_STEPS:
            if self._count == MOST_STEPS + 1:
                fix = "Move some into a route of their own and `call` it"
                self._reading.refuse(
                    pointer, "the route has too many steps", f"{MOST_STEPS} are the most", fix
                )
            return None
        if not isinstance(value, Mapping):
            fix = "Write - use: connector.action, with its `with` below"
            self._reading.refuse(pointer, f"a step is {shown(value)}", "a step is a map", fix)
            return None
        verb = self._verb(value, pointer)
        if verb is None:
            return None
        known = (*_ALWAYS, verb, *VERBS[verb])
        otherwise = "Write it below `with` if the action takes it" if verb == "use" else None
        self._reading.map(value, pointer, noun=f"a `{verb}` step", keys=known, otherwise=otherwise)
        base = {
            "pointer": pointer,
            "id": self._id(value, pointer),
            "if_": compiling.condition(self._reading, value, pointer, self._scope),
        }
        return self._readers[verb](value, pointer, base)

    def _verb(self, step: Mapping[Any, Any], pointer: str) -> str | None:
        verbs = [verb for verb in VERBS if verb in step]
        if "foreach" in verbs and "parallel" in verbs:
            verbs.remove("parallel")  # of a foreach it is the number at once
        if len(verbs) == 1:
            return verbs[0]
        names = ", ".join(VERBS)
        if verbs:
            what = f"a step does {' and '.join(f'`{verb}`' for verb in verbs)}"
            self._reading.refuse(
                pointer, what, "a step does one thing", "Make a step of each: begin it with `- `"
            )
            return None
        self._reading.refuse(pointer, "a step does nothing", f"it needs one of {names}", _meant(step))
        return None

    def _id(self, step: Mapping[Any, Any], pointer: str) -> str | None:
        here = at(pointer, "id")
        name = self._reading.text(step.get("id"), here, noun="`id`")
        if name is None:
            return None
        if not compiling.is_name(name):
            why, fix = "expressions use it: small letters, digits and _", "Write it like found_contact"
            self._reading.refuse(here, f"`id` is {shown(name)}", why, fix)
            return None
        if name in self._ids:
            fix = "Give each step an id of its own"
            self._reading.refuse(
                here, f"two steps are called {name}", f"the other one is {named(self._ids[name])}", fix
            )
        self._ids.setdefault(name, pointer)
        return name

    # ---- one verb each

    def _use(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        reading = self._reading
        action = reading.text(step["use"], at(pointer, "use"), noun="`use`")
        if action is not None and not _ACTION.fullmatch(action):
            spelt = _CAPITAL.sub(r"_\1", action).replace("-", "_").lower()
            fix = f"Write {spelt}" if _ACTION.fullmatch(spelt) else "Write one such as slack.post_message"
            reading.refuse(
                at(pointer, "use"), f"`use` is {shown(action)}", "an action is connector.action", fix
            )
            action = None
        with_ = step.get("with", {})
        if not isinstance(with_, Mapping):
            fix = "Write the inputs below it, one a line"
            reading.refuse(at(pointer, "with"), f"`with` is {shown(with_)}", "it is a map of inputs", fix)
        ignored = reading.texts(step.get("ignore"), at(pointer, "ignore"), noun="`ignore`")
        words = [
            reading.one_of(each, at(pointer, "ignore"), _IGNORED, noun="`ignore`", default=None)
            for each in ignored
        ]
        on_error = self._on_error(step.get("on_error"), at(pointer, "on_error"))
        if action is None:
            return None
        return UseStep(
            **base,
            action=action,
            connection=reading.text(step.get("connection"), at(pointer, "connection"), noun="`connection`"),
            with_=compiling.value(reading, with_, at(pointer, "with"), self._scope),
            timeout_ms=reading.duration(step.get("timeout"), at(pointer, "timeout")),
            retry=read_retry(reading, step.get("retry"), at(pointer, "retry")),
            on_error=on_error,
            ignore=frozenset(word for word in words if word is not None),
        )

    def _on_error(self, value: Any, pointer: str) -> Literal["fail", "continue"] | tuple[Step, ...]:
        if isinstance(value, list):
            return self._steps_with(("error",), value, pointer, "`on_error`")
        words = ("fail", "continue")
        found: Literal["fail", "continue"] = self._reading.one_of(
            value, pointer, words, noun="`on_error`", default="fail"
        )
        return found

    def _delay(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        value, here = step["delay"], at(pointer, "delay")
        if isinstance(value, Mapping):
            delay = self._reading.map(value, here, noun="`delay`", keys=("until",))
            fix = 'Write until: "{{ … }}"'
            until = self._reading.required(delay, "until", here, noun="`delay`", fix=fix)
            written = (
                None
                if until is None
                else compiling.value(self._reading, until, at(here, "until"), self._scope)
            )
            return DelayStep(**base, ms=None, until=written)
        if value is None:
            self._reading.refuse(here, "`delay` says nothing", "it is empty", "Write delay: 10m")
        return DelayStep(**base, ms=self._reading.duration(value, here), until=None)

    def _wait_for(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        here, reading = at(pointer, "wait_for"), self._reading
        keys = ("trigger", "when", "timeout", "on_timeout")
        wait = reading.map(step["wait_for"], here, noun="`wait_for`", keys=keys)
        trigger = reading.required(
            wait, "trigger", here, noun="`wait_for`", fix="Write trigger: message.received"
        )
        waited = None if trigger is None else read_waited(reading, trigger, at(here, "trigger"))
        reading.required(wait, "timeout", here, noun="`wait_for`", fix="Write timeout: 1h")
        timeout = reading.duration(wait.get("timeout"), at(here, "timeout"))
        on_timeout = wait.get("on_timeout")
        steps = (
            () if on_timeout is None else self.steps(on_timeout, at(here, "on_timeout"), noun="`on_timeout`")
        )
        when, asked = read_asked(reading, wait, here, scope=self._scope, timezone=self._timezone)
        if not isinstance(waited, (EventTrigger, SourceTrigger)):
            return None
        return WaitStep(
            **base, trigger=waited, when=when, asked=asked, timeout_ms=timeout or 0, on_timeout=steps
        )

    def _switch(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        here = at(pointer, "switch")
        cases = self._reading.list_of(step["switch"], here, self._case, noun="`switch`")
        for case in cases[:-1]:
            if case.if_ is None:
                fix = "Move it to the end"
                self._reading.refuse(
                    case.pointer, "`else` is not last", "the cases below are never reached", fix
                )
        return SwitchStep(**base, cases=cases)

    def _case(self, value: object, pointer: str) -> Case | None:
        reading = self._reading
        case = reading.map(value, pointer, noun="a case", keys=("if", "else", "steps"))
        condition = compiling.condition(reading, case, pointer, self._scope)
        if ("if" in case) is ("else" in case) or ("else" in case and case["else"] is not True):
            fix = 'Write - if: "…", or - else: true'
            reading.refuse(
                pointer, "a case has no clear condition", "it has either `if` or `else: true`", fix
            )
        found = reading.required(case, "steps", pointer, noun="a case", fix="Write steps: and a list")
        steps = () if found is None else self.steps(found, at(pointer, "steps"))
        return Case(if_=condition, steps=steps, pointer=pointer)

    def _foreach(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        reading = self._reading
        items = compiling.items(reading, step["foreach"], at(pointer, "foreach"), self._scope)
        name = reading.text(step.get("as", "item"), at(pointer, "as"), noun="`as`") or "item"
        if not compiling.is_name(name):
            why, fix = "expressions use it: small letters, digits and _", "Write as: order"
            reading.refuse(at(pointer, "as"), f"`as` is {shown(name)}", why, fix)
        elif name in _TAKEN:
            why, fix = "it means something else in expressions", "Write as: order"
            reading.refuse(at(pointer, "as"), f"`as` is {shown(name)}", why, fix)
        found = reading.required(step, "steps", pointer, noun="`foreach`", fix="Write steps: and a list")
        inner = (name, "index")
        steps = () if found is None else self._steps_with(inner, found, at(pointer, "steps"), "`steps`")
        if items is None:
            return None
        return ForeachStep(
            **base,
            items=items,
            name=name,
            limit=reading.number(
                step.get("limit"),
                at(pointer, "limit"),
                noun="`limit`",
                least=1,
                most=MOST_ITEMS,
                default=_ITEMS,
            ),
            parallel=reading.number(
                step.get("parallel"),
                at(pointer, "parallel"),
                noun="`parallel`",
                least=1,
                most=_MOST_PARALLEL,
                default=1,
            ),
            steps=steps,
        )

    def _parallel(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        steps = self.steps(step["parallel"], at(pointer, "parallel"), noun="`parallel`")
        return ParallelStep(**base, steps=steps)

    def _call(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        here, reading = at(pointer, "call"), self._reading
        call = reading.map(step["call"], here, noun="`call`", keys=("route", "with"))
        name = reading.required(
            call, "route", here, noun="`call`", fix="Write route: and the id of another one"
        )
        route = reading.slug(name, at(here, "route"), noun="`route`")
        with_ = call.get("with", {})
        return (
            None
            if route is None
            else CallStep(
                **base, route=route, with_=compiling.value(reading, with_, at(here, "with"), self._scope)
            )
        )

    def _set(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        here = at(pointer, "set")
        found = compiling.values(self._reading, step["set"], here, self._scope, noun="`set`")
        return SetStep(**base, values=found)

    def _stop(self, step: Mapping[Any, Any], pointer: str, base: dict[str, Any]) -> Step | None:
        here, reading, value = at(pointer, "stop"), self._reading, step["stop"]
        if not isinstance(value, Mapping):
            text = reading.text(value, here, noun="`stop`")
            if value is None:
                reading.refuse(here, "`stop` says nothing", "runs show why they ended", "Write stop: and why")
            written = compiling.value(reading, text or "", here, self._scope)
            return StopStep(**base, outcome="completed", reason=written)
        stop = reading.map(value, here, noun="`stop`", keys=("as", "reason"))
        words = ("failed", "completed")
        outcome = reading.one_of(stop.get("as"), at(here, "as"), words, noun="`as`", default="completed")
        reason = reading.required(stop, "reason", here, noun="`stop`", fix="Write reason: and why")
        written = compiling.value(reading, reason or "", at(here, "reason"), self._scope)
        return StopStep(**base, outcome=outcome, reason=written)

    @property
    def _readers(self) -> Mapping[str, Callable[[Mapping[Any, Any], str, dict[str, Any]], Step | None]]:
        return {
            "use": self._use,
            "delay": self._delay,
            "wait_for": self._wait_for,
            "switch": self._switch,
            "foreach": self._foreach,
            "parallel": self._parallel,
            "call": self._call,
            "set": self._set,
            "stop": self._stop,
        }


def _meant(step: Mapping[Any, Any]) -> str:
    """Say what a step was probably meant to do."""
    keys = [str(key) for key in step]
    action = next((key for key in keys if "." in key and _ACTION.fullmatch(key)), None)
    if action is not None:
        return f"Write use: {action}, and its inputs below `with`"
    if "then" in keys or "else" in keys:
        return "Choose with switch: a list of cases, each with if: and steps:, the last with else: true"
    for key in keys:
        meant = _OTHER_VERBS.get(key) or suggestion(key, VERBS)
        if meant is not None:
            return f"Did you mean {meant}"
    return "Write use: …"
