"""Say what is allowed in a route and probably not meant. Nothing here keeps a route from running."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from hub.model.actions import ActionSpec
from hub.rules.connectors.secrets import looks_secret
from hub.rules.event_types import expand_pattern
from hub.rules.expressions import EACH, Structure
from hub.rules.fixtures.fields import is_known, suggested_field, types_with
from hub.rules.problems import Problem, suggestion
from hub.rules.routes.document import at
from hub.rules.routes.model import (
    EventTrigger,
    ForeachStep,
    ParallelStep,
    Route,
    SourceTrigger,
    Step,
    StopStep,
    SwitchStep,
    UseStep,
    WaitStep,
    Written,
)
from hub.rules.routes.reads import reads_of
from hub.rules.routes.written import all_written
from hub.rules.runs.waits import all_steps
from hub.rules.runs.wishing import types_of

Rule = Literal[
    "no-braces",
    "unused-id",
    "unreachable",
    "unthrottled-reply",
    "self-trigger",
    "secret",
    "unknown-field",
    "unknown-source",
]
#: The names of our warnings: they do not change.
RULES: Final[Mapping[Rule, str]] = {
    "no-braces": "a text is spelled like a value, and has no braces around it",
    "secret": "a credential stands in the file",
    "self-trigger": "what the route does starts the route again",
    "unknown-field": "no event of the trigger has a field",
    "unknown-source": "connections.yaml has no source of the name that a trigger hears",
    "unreachable": "a step or a case never has its turn",
    "unthrottled-reply": "whoever writes gets an answer to every message, another machine too",
    "unused-id": "nothing asks for the result of a step that has an id",
}
#: What an action has happen.
_CAUSES: Final[Mapping[str, frozenset[str]]] = {
    "message": frozenset(
        {"message.queued", "message.sent", "message.delivered", "message.read", "message.failed"}
    ),
    "contact.suppress": frozenset({"contact.opted_out"}),
    "conversation.assign": frozenset({"chat.assigned"}),
    "message.react": frozenset({"reaction.added"}),
}
#: Conditions that let nearly everything through.
_WIDE: Final = frozenset(
    {"direction", "channel", "service", "line", "line_id", "line_handle", "is_from_me", "now"}
)
#: What is a value between braces, and as it stands a text that nobody writes.
_NAMED: Final = re.compile(r"(event|item|steps|vars)(\.[a-z0-9_]+)+", re.ASCII)
#: The same within a text, between braces of other languages: `{event.text}`, `${vars.name}`.
_HALF_BRACED: Final = re.compile(r"\$?\{ *((?:event|item|steps|vars)(?:\.[a-z0-9_]+)+) *\}", re.ASCII)
_TEMPLATES: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_ANSWERS: Final = frozenset({"message.reply", "message.send"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Advice:
    """One thing that is probably not meant."""

    rule: Rule
    problem: Problem


def advise(
    route: Route,
    actions: Mapping[str, ActionSpec],
    *,
    named: frozenset[str] = frozenset(),
    sources: frozenset[str] | None = None,
) -> list[Advice]:
    """Look at a route that is sound.

    Args:
        route: It.
        actions: All actions by name.
        named: Ids of steps that its tests ask for.
        sources: The names of inbound sources; None where nobody knows.
    """
    return [
        *_unused(route, named),
        *_unreachable((*route.steps, *route.on_error)),
        *_unthrottled(route),
        *_self_triggered(route, actions),
        *_unknown_fields(route),
        *_unknown_sources(route, sources),
        *_unbraced(route),
    ]


def secrets_in(document: Any, pointer: str = "") -> Iterator[Advice]:
    """Tell credentials in a document; the message does not show them."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            yield from secrets_in(value, at(pointer, key))
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from secrets_in(value, at(pointer, place))
    elif isinstance(document, str) and looks_secret(document):
        why = "whoever reads the file can use it, and every run would show it"
        fix = "Take it back at its provider, and name the new one in connections.yaml with { env: … }"
        yield _advice("secret", pointer, "this looks like a credential", why, fix)


# ---- steps


def _unused(route: Route, named: frozenset[str]) -> Iterator[Advice]:
    read = {
        str(placed.read.path[1]) if len(placed.read.path) > 1 else EACH
        for written in all_written(route)
        for placed in reads_of(written)
        if placed.read.path[0] == "steps"
    }
    if EACH in read:
        return
    for step in all_steps((*route.steps, *route.on_error)):
        if step.id is not None and step.id not in read | named:
            what, why = f"nothing asks for steps.{step.id}", "an id is there to be asked for"
            yield _advice(
                "unused-id", at(step.pointer, "id"), what, why, "Use it, test it, or take the id away"
            )


def _unreachable(steps: tuple[Step, ...]) -> Iterator[Advice]:
    for place, step in enumerate(steps):
        if isinstance(step, StopStep) and step.if_ is None and place + 1 < len(steps):
            why = f"the run always ends at the `stop` above ({step.pointer.rpartition('/')[2]})"
            fix = "Give the `stop` an `if`, or take what follows away"
            yield _advice("unreachable", steps[place + 1].pointer, "this step never has its turn", why, fix)
        if _is_constant(step.if_, "false"):
            fix = "Take the step away, or write the condition"
            yield _advice(
                "unreachable", at(step.pointer, "if"), "this step never has its turn", "`if` is false", fix
            )
        if isinstance(step, SwitchStep):
            yield from _unreachable_cases(step)
        for inner in _lists_within(step):
            yield from _unreachable(inner)


def _unreachable_cases(step: SwitchStep) -> Iterator[Advice]:
    is_decided = False
    for case in step.cases:
        if is_decided:
            fix = "Take the case away, or mend the condition above"
            yield _advice(
                "unreachable", case.pointer, "this case never has its turn", "one above is always true", fix
            )
        elif _is_constant(case.if_, "false"):
            fix = "Take the case away, or write the condition"
            yield _advice(
                "unreachable", case.pointer, "this case never has its turn", "its `if` is false", fix
            )
        is_decided = is_decided or _is_constant(case.if_, "true")


def _is_constant(written: Written | None, word: str) -> bool:
    return written is not None and str(written.source).strip().lower() == word


def _lists_within(step: Step) -> tuple[tuple[Step, ...], ...]:
    match step:
        case SwitchStep(cases=cases):
            return tuple(case.steps for case in cases)
        case ForeachStep(steps=steps) | WaitStep(on_timeout=steps):
            return (steps,)
        case UseStep(on_error=tuple(steps)):
            return (steps,)
    return ()


# ---- floods and loops


def _unthrottled(route: Route) -> Iterator[Advice]:
    if "message.received" not in types_of(route) or not _takes_anything(route):
        return
    if route.throttle or route.debounce or route.dedupe:
        return
    for step in _always_done(route.steps):
        if step.action in _ANSWERS:
            why = "two machines that answer each other do not stop by themselves"
            fix = 'Write throttle: { limit: 1, per: 12h, key: "{{ event.from }}", then: skip }, or narrow `when`'
            what = "every message that comes is answered"
            yield _advice("unthrottled-reply", at(step.pointer, "use"), what, why, fix)


def _self_triggered(route: Route, actions: Mapping[str, ActionSpec]) -> Iterator[Advice]:
    types = types_of(route)
    if not _takes_anything(route):
        return
    for step in _always_done(route.steps):
        spec = actions.get(step.action)
        kind = "message" if step.action in _ANSWERS or (spec is not None and spec.kind == "message") else ""
        caused = (_CAUSES.get(step.action) or _CAUSES.get(kind, frozenset())) & types
        if step.action == "message.react":
            caused = caused if "direction" not in route.when.paths else frozenset()
        if caused and "direction" not in route.when.paths:
            what = f"{step.action} has {' and '.join(sorted(caused))} happen, which starts this route"
            why = "it would go on until the hub cuts it off after eight runs"
            yield _advice(
                "self-trigger", at(step.pointer, "use"), what, why, "Narrow `when`, or write an `if`"
            )


def _takes_anything(route: Route) -> bool:
    return route.if_ is None and route.when.paths <= _WIDE


def _always_done(steps: Iterable[Step]) -> Iterator[UseStep]:
    """Give the actions that every run comes to."""
    for step in steps:
        if step.if_ is not None:
            continue
        if isinstance(step, UseStep):
            yield step
        elif isinstance(step, ParallelStep):
            yield from _always_done(step.steps)


# ---- fields


def _unknown_fields(route: Route) -> Iterator[Advice]:
    types = _types_known(route)
    if types is not None:
        for pointer, path, offset in _read_fields(route):
            if not is_known(path, types):
                yield _unknown_field(pointer, ".".join(map(str, path)), types, offset=offset)
        for line in route.when.lines:
            if line.path != "now" and not is_known(line.path.split("."), types):
                yield _unknown_field(line.pointer, line.path, types)
    for step in all_steps((*route.steps, *route.on_error)):
        if isinstance(step, WaitStep) and isinstance(step.trigger, EventTrigger):
            awaited = _expanded(step.trigger)
            for line in step.when.lines:
                if line.path != "now" and not is_known(line.path.split("."), awaited):
                    yield _unknown_field(line.pointer, line.path, awaited)


def _unknown_sources(route: Route, sources: frozenset[str] | None) -> Iterator[Advice]:
    steps = all_steps((*route.steps, *route.on_error))
    waited = [step.trigger for step in steps if isinstance(step, WaitStep)]
    for trigger in (*route.triggers, *waited):
        if sources is None or not isinstance(trigger, SourceTrigger) or trigger.source in sources:
            continue
        near = suggestion(trigger.source, sorted(sources))
        what, why = f"there is no source {trigger.source}", "connections.yaml has none, so nothing is heard"
        fix = (
            f"Did you mean {near}"
            if near
            else f"Add {trigger.source} to its `sources`: docs/inbound-sources.md"
        )
        yield _advice("unknown-source", at(trigger.pointer, "source"), what, why, fix)


def _read_fields(route: Route) -> Iterator[tuple[str, tuple[str | int, ...], int]]:
    for written in all_written(route):
        for placed in reads_of(written):
            match placed.read.path:
                case ("event", *path) | ("events", _, *path) if path and not placed.read.is_optional:
                    yield placed.pointer, tuple(path), placed.read.offset


def _types_known(route: Route) -> tuple[str, ...] | None:
    """Give the types of events that start a route; None where not all of them are events of ours."""
    if not all(isinstance(trigger, EventTrigger) for trigger in route.triggers):
        return None
    return tuple(each for trigger in route.triggers for each in _expanded(trigger))


def _expanded(trigger: Any) -> tuple[str, ...]:
    return tuple(each for pattern in trigger.patterns for each in expand_pattern(pattern))


def _unknown_field(pointer: str, path: str, types: tuple[str, ...], *, offset: int | None = None) -> Advice:
    near, others = suggested_field(path, types), types_with(path)
    who = types[0] if len(types) == 1 else "no event that starts this"
    what = f"{who} has no {path}" if len(types) == 1 else f"{who} has {path}"
    if others:
        fix = (
            f"Ask for it where {', '.join(others[:3])} {'starts' if len(others) == 1 else 'start'} the route"
        )
    else:
        fix = f"Did you mean {near}" if near else "docs/reference/routes.md shows the fields"
    return _advice("unknown-field", pointer, what, "the run would fail there", fix, offset=offset)


def _unbraced(route: Route) -> Iterator[Advice]:
    for written in all_written(route):
        if isinstance(written.code, Structure):
            yield from _texts_like_values(written.source, written.pointer)
    for held in (route.dedupe, route.throttle, route.debounce, route.concurrency):
        if held and held.key is not None:
            yield from _keys_like_fields(held.key, _types_known(route))


def _keys_like_fields(key: Written, types: tuple[str, ...] | None) -> Iterator[Advice]:
    """A key is a template: `from` would be one key for everybody."""
    name = str(key.source)
    if types and "{{" not in name and is_known(name.split("."), types):
        why = "without braces it is a text, and so the same key for every event"
        yield _advice(
            "no-braces", key.pointer, f"{name} has no braces", why, f'Write "{{{{ event.{name} }}}}"'
        )


def _texts_like_values(value: object, pointer: str) -> Iterator[Advice]:
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts_like_values(each, at(pointer, key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from _texts_like_values(each, at(pointer, place))
    elif isinstance(value, str) and _NAMED.fullmatch(value):
        why = "without braces it is a text, and these very letters would be used"
        yield _advice("no-braces", pointer, f"{value} has no braces", why, f'Write "{{{{ {value} }}}}"')
    elif isinstance(value, str) and (half := _HALF_BRACED.search(_TEMPLATES.sub("", value))) is not None:
        why = "a value stands between two braces on each side; as it is written, these very letters would be used"
        yield _advice("no-braces", pointer, f"{half[0]} is no template", why, f"Write {{{{ {half[1]} }}}}")


def _advice(  # noqa: PLR0917 - the parts of one sentence
    rule: Rule, pointer: str, what: str, why: str, fix: str, offset: int | None = None
) -> Advice:
    return Advice(rule=rule, problem=Problem(pointer=pointer, what=what, why=why, fix=fix, offset=offset))
