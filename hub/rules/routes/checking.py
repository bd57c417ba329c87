"""Check routes against the actions and connections that there are: what a file alone cannot know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.model.actions import ActionSpec
from hub.rules.problems import Problem, suggestion
from hub.rules.routes.document import at
from hub.rules.routes.literals import check_literals
from hub.rules.routes.model import CallStep, Route, UseStep
from hub.rules.runs.waits import all_steps


def check_routes(
    routes: Iterable[Route],
    *,
    actions: Mapping[str, ActionSpec],
    connections: Mapping[str, str] | None,
    callable_ids: frozenset[str] | None = None,
) -> list[Problem]:
    """Tell what routes use that is not there.

    Args:
        routes: Sound in themselves.
        actions: All actions by name.
        connections: The connector of each connection; None to not look.
        callable_ids: The ids that may be called; None to not look.
    """
    problems: list[Problem] = []
    seen: set[str] = set()
    for route in routes:
        for step in all_steps((*route.steps, *route.on_error)):
            if step.pointer in seen:
                continue  # of the defaults: the same for every route
            seen.add(step.pointer)
            if isinstance(step, UseStep):
                problems += _check_use(step, actions, connections)
            if isinstance(step, CallStep) and callable_ids is not None and step.route not in callable_ids:
                near = suggestion(step.route, callable_ids)
                fix = f"Did you mean {near}" if near else "Write it, or mend the id"
                here = at(at(step.pointer, "call"), "route")
                problems.append(_problem(here, f"there is no route {step.route}", "it is called here", fix))
    return problems


def _check_use(
    step: UseStep, actions: Mapping[str, ActionSpec], connections: Mapping[str, str] | None
) -> list[Problem]:
    spec = actions.get(step.action)
    here = at(step.pointer, "use")
    if spec is None:
        return [_unknown(step.action, here, actions)]
    named = [] if connections is None else _check_connection(step, spec, connections)
    return [*named, *_check_inputs(step, spec)]


def _unknown(name: str, pointer: str, actions: Mapping[str, ActionSpec]) -> Problem:
    near = suggestion(name, actions)
    connector = name.partition(".")[0]
    own = [each for each in actions if each.startswith(f"{connector}.")]
    if near is not None:
        fix = f"Did you mean {near}"
    elif own:
        fix = f"{connector} has {', '.join(sorted(own))}"
    else:
        fix = "`hub connectors list` shows all of them"
    return _problem(pointer, f"there is no action {name}", "nothing would be done", fix)


def _check_connection(step: UseStep, spec: ActionSpec, connections: Mapping[str, str]) -> Iterable[Problem]:
    if spec.connector is None:
        if step.connection is not None:
            here = at(step.pointer, "connection")
            what = f"{spec.name} needs no connection"
            yield _problem(here, what, "it is an action of the hub itself", "Take `connection` away")
        return
    own = sorted(name for name, connector in connections.items() if connector == spec.connector)
    if step.connection is None:
        if len(own) != 1:
            yield _which(step, spec, own)
        return
    here = at(step.pointer, "connection")
    if step.connection not in connections:
        near = suggestion(step.connection, connections)
        fix = f"Did you mean {near}" if near else f"Add {step.connection} to connections.yaml"
        yield _problem(here, f"there is no connection {step.connection}", "connections.yaml has none", fix)
    elif step.connection not in own:
        what = f"{step.connection} is a connection of {connections[step.connection]}"
        fix = f"Use one of {', '.join(own)}" if own else f"Add a connection of {spec.connector}"
        yield _problem(here, what, f"{spec.name} needs one of {spec.connector}", fix)


def _which(step: UseStep, spec: ActionSpec, own: list[str]) -> Problem:
    here = at(step.pointer, "use")
    if own:
        what = f"{spec.connector} has {len(own)} connections"
        return _problem(here, what, "one must be chosen", f"Write connection: {own[0]}")
    why = "connections.yaml has none"
    return _problem(
        here, f"there is no connection of {spec.connector}", why, "Add one: docs/connectors.md tells how"
    )


def _check_inputs(step: UseStep, spec: ActionSpec) -> Iterable[Problem]:
    given: Any = step.with_.source
    if not isinstance(given, Mapping):
        return
    known: Mapping[str, Any] = spec.inputs.get("properties", {})
    here = at(step.pointer, "with")
    if spec.inputs.get("additionalProperties") is not True:
        for name in given:
            if name not in known:
                near = suggestion(str(name), known)
                fix = f"Did you mean {near}" if near else f"It takes {', '.join(known) or 'nothing'}"
                yield _problem(at(here, name), f"{spec.name} has no input {name}", "nothing reads it", fix)
    yield from check_literals(spec, given, here)
    for name in spec.inputs.get("required", ()):
        if name in given and given[name] is None:
            yield _problem(
                at(here, name), f"{name} is empty", f"{spec.name} needs it", f"Write {name}: and a value"
            )
        if name not in given:
            example = _example(known.get(name, {}))
            fix = f"Write {name}: {example}"
            yield _problem(step.pointer, f"{spec.name} needs {name}", "it is not given in `with`", fix)


def _example(schema: Mapping[str, Any]) -> str:
    examples = schema.get("examples") or ([schema["default"]] if "default" in schema else [])
    return str(examples[0]) if examples else "and its value below `with`"


def _problem(pointer: str, what: str, why: str, fix: str) -> Problem:
    return Problem(pointer=pointer, what=what, why=why, fix=fix)
