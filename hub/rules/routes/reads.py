"""Check what the expressions of a route read: steps that ran before, vars that were set, fields that there are.

What may have run is enough: a step with an `if`, or in one case of a switch, is known to all steps after it.
Which fields an event or an output has is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from hub.rules.expressions import EACH, PlacedRead, Read, Structure
from hub.rules.problems import suggestion
from hub.rules.routes.document import Reading
from hub.rules.routes.model import (
    CallStep,
    DelayStep,
    ForeachStep,
    ManualTrigger,
    ParallelStep,
    Route,
    SetStep,
    Step,
    StopStep,
    SwitchStep,
    UseStep,
    WaitStep,
    Written,
)

#: What a result, a run and a route offer to expressions.
STEP_FIELDS: Final = ("attempts", "error", "output", "status")
RUN_FIELDS: Final = ("id", "started_at", "url")
ROUTE_FIELDS: Final = ("description", "id", "tags")
#: Before there is a run.
_ASKED_FIELDS: Final = ("id",)
_MOST_SHOWN: Final = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What has a value at a place of a route."""

    steps: frozenset[str] = frozenset()
    vars: frozenset[str] = frozenset()

    def plus(self, others: Iterable[_Known]) -> _Known:
        """Give what is known when some of several ways were gone."""
        all_of = (self, *others)
        return _Known(
            steps=frozenset().union(*(each.steps for each in all_of)),
            vars=frozenset().union(*(each.vars for each in all_of)),
        )


def check_reads(reading: Reading, route: Route) -> None:
    """Note everything that an expression of a route reads and that cannot be there."""
    asked = _Checking(reading, route, route_fields=_ASKED_FIELDS)
    asked.check(route.if_, _Known())
    for held in (route.dedupe, route.throttle, route.debounce, route.concurrency):
        if held:
            asked.check(held.key, _Known())
    checking = _Checking(reading, route)
    known = _Known()
    for name, written in route.vars.items():
        checking.check(written, known)
        known = known.plus([_Known(vars=frozenset({name}))])
    known = checking.walk(route.steps, known)
    if any(step.pointer.startswith(f"{route.pointer}/") for step in route.on_error):
        checking.walk(route.on_error, known.plus([_everything(route.steps)]))


def check_shared(reading: Reading, steps: tuple[Step, ...]) -> None:
    """Check steps that stand in several routes: which steps and vars there are, is not known."""
    _Checking(reading, None).walk(steps, _Known())


class _Checking:
    def __init__(
        self, reading: Reading, route: Route | None, *, route_fields: tuple[str, ...] = ROUTE_FIELDS
    ) -> None:
        self._reading = reading
        self._fields: Mapping[str, tuple[str, ...]] = {"route": route_fields, "run": RUN_FIELDS}
        self._inputs = frozenset() if route is None else frozenset(route.inputs)
        self._all = None
        if route is not None:
            declared = _Known(vars=frozenset(route.vars))
            self._all = _everything((*route.steps, *route.on_error)).plus([declared])
        #: Whoever calls it, or starts it by hand, may give it more.
        self._has_all_vars = route is not None and not any(
            isinstance(trigger, ManualTrigger) for trigger in route.triggers
        )

    def walk(self, steps: tuple[Step, ...], known: _Known) -> _Known:
        """Check steps that follow each other; give what is known after them."""
        for step in steps:
            known = self._step(step, known)
        return known

    def _step(self, step: Step, known: _Known) -> _Known:
        self.check(step.if_, known)
        itself = known if step.id is None else known.plus([_Known(steps=frozenset({step.id}))])
        match step:
            case UseStep(with_=with_, on_error=on_error):
                self.check(with_, known)
                return self.walk(on_error, itself) if isinstance(on_error, tuple) else itself
            case DelayStep(until=until):
                self.check(until, known)
            case WaitStep(asked=asked, on_timeout=on_timeout):
                self.check(asked, known)
                return self.walk(on_timeout, itself)
            case SwitchStep(cases=cases):
                for case in cases:
                    self.check(case.if_, known)
                return itself.plus([self.walk(case.steps, known) for case in cases])
            case ForeachStep(items=items, steps=steps):
                self.check(items, known)
                self.walk(steps, known)
            case ParallelStep(steps=steps):
                return itself.plus([self._step(each, known) for each in steps])
            case CallStep(with_=with_):
                self.check(with_, known)
            case SetStep(values=values):
                for written in values.values():
                    self.check(written, known)
                return itself.plus([_Known(vars=frozenset(values))])
            case StopStep(reason=reason):
                self.check(reason, known)
        return itself

    def check(self, written: Written | None, known: _Known) -> None:
        """Check all that one part reads."""
        if written is None or written.code is None:
            return
        for placed in reads_of(written):
            match placed.read.path:
                case ("steps", str(name), *rest) if name != EACH and self._all is not None:
                    self._check_step(placed, name, rest, known, self._all)
                case ("vars", str(name), *_) if name != EACH and self._all is not None:
                    self._check_var(placed, name, known, self._all)
                case ("input", *names) if not names or names[0] not in self._inputs:
                    self._refuse_input(placed, names)
                case (("route" | "run") as root, str(name), *_) if name != EACH:
                    self._check_field(placed, str(root), name, self._fields[str(root)])

    def _check_step(
        self, placed: PlacedRead, name: str, rest: list[str | int], known: _Known, all_of: _Known
    ) -> None:
        if name not in all_of.steps:
            what, why = f"there is no step {name}", _some(sorted(all_of.steps), "steps with an id")
            self._refuse(placed, what, why, _meant(name, all_of.steps) or "Give the step that you mean an id")
        elif name not in known.steps and not placed.read.is_optional:
            what = f"the step {name} has not run here"
            why = "it comes later, in another branch, or in a foreach, whose steps are known in it alone"
            self._refuse(placed, what, why, "Move it before this one, or ask for another")
        elif rest and isinstance(rest[0], str) and rest[0] != EACH:
            within = f"Write steps.{name}.output.{rest[0]} if the action gave it"
            self._check_field(placed, f"steps.{name}", rest[0], STEP_FIELDS, otherwise=within)

    def _check_var(self, placed: PlacedRead, name: str, known: _Known, all_of: _Known) -> None:
        if name in known.vars or placed.read.is_optional or not self._has_all_vars:
            return
        if name in all_of.vars:
            what, why = f"vars.{name} has no value here", "it is set later, or in another branch"
            self._refuse(placed, what, why, "Give it a value before, under vars")
        else:
            what, why = f"there is no vars.{name}", _some(sorted(known.vars), "vars")
            self._refuse(placed, what, why, _meant(name, known.vars) or f"Write {name} under vars")

    def _refuse_input(self, placed: PlacedRead, names: list[str | int]) -> None:
        name = str(names[0]) if names else ""
        what = f"there is no input.{name} here" if name else "input has no value of its own"
        why = f'{_some(sorted(self._inputs), "inputs")}; a template stands alone, "{{{{ input.name }}}}"'
        self._refuse(placed, what, why, _meant(name, self._inputs) or "Name an input that is declared")

    def _check_field(
        self,
        placed: PlacedRead,
        root: str,
        name: str,
        fields: tuple[str, ...],
        otherwise: str = "Use one of them",
    ) -> None:
        if name not in fields:
            what, why = f"there is no {root}.{name}", f"{root} has {', '.join(fields)}"
            self._refuse(placed, what, why, _meant(name, fields) or otherwise)

    def _refuse(self, placed: PlacedRead, what: str, why: str, fix: str) -> None:
        self._reading.refuse(placed.pointer, what, why, fix, offset=placed.read.offset)


def reads_of(written: Written) -> Iterator[PlacedRead]:
    """Give every value that a written part reads, with its place."""
    if isinstance(written.code, Structure):
        yield from written.code.reads
    elif written.code is not None:
        reads: tuple[Read, ...] = written.code.reads
        yield from (PlacedRead(pointer=written.pointer, read=each) for each in reads)


def _everything(steps: Iterable[Step]) -> _Known:
    """Give the ids of all steps, wherever they stand, and all that they set."""
    known = _Known()
    for step in steps:
        own = _Known(
            steps=frozenset() if step.id is None else frozenset({step.id}),
            vars=frozenset(step.values) if isinstance(step, SetStep) else frozenset(),
        )
        known = known.plus([own, _everything(_inner(step))])
    return known


def _inner(step: Step) -> tuple[Step, ...]:
    match step:
        case UseStep(on_error=tuple(steps)) | WaitStep(on_timeout=steps):
            return steps
        case ForeachStep(steps=steps) | ParallelStep(steps=steps):
            return steps
        case SwitchStep(cases=cases):
            return tuple(step for case in cases for step in case.steps)
    return ()


def _meant(name: str, known: Iterable[str]) -> str | None:
    near = suggestion(name, known)
    return None if near is None else f"Did you mean {near}"


def _some(names: list[str], noun: str) -> str:
    shown = ", ".join(names[:_MOST_SHOWN]) + (", …" if len(names) > _MOST_SHOWN else "")
    return f"{noun} here: {shown}" if names else f"there are no {noun}"
