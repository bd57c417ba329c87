"""Blueprints: routes with declared inputs, written once, used in a few lines of a file of routes.

An input that stands alone, `"{{ input.name }}"`, is taken for its value before the route is read, wherever it stands:
so channels, times and connections can be inputs. Within a longer template, or in a condition, `input.name` is a value
like any other; it is kept with the route (`Route.inputs`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hub.rules.problems import suggestion
from hub.rules.routes.blueprint_inputs import Input, fit, read_inputs
from hub.rules.routes.document import Reading, at, shown

BLUEPRINT_KEYS: Final = ("version", "blueprint", "description", "inputs", "routes", "tests")
INSTANCE_KEYS: Final = (
    "use_blueprint",
    "id",
    "inputs",
    "description",
    "tags",
    "owner",
    "enabled",
    "mode",
)
#: What the one who uses a blueprint says instead of it.
OVERRIDES: Final = ("description", "tags", "owner", "enabled", "mode")
_ALONE: Final = re.compile(r"\{\{-?\s*input\.([a-z][a-z0-9_]*)\s*-?\}\}", re.ASCII)
#: Bare expressions: a value cannot stand for one.
_BARE: Final = frozenset({"if", "foreach"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Blueprint:
    """One file."""

    #: The file's, without its ending.
    name: str
    title: str
    description: str | None
    inputs: Mapping[str, Input]
    #: As written.
    routes: tuple[Mapping[str, Any], ...]

    @property
    def examples(self) -> dict[str, Any]:
        """Give the values that the blueprint itself is checked and tested with."""
        return {name: each.example for name, each in self.inputs.items()}


#: By name; None for one that is there and not sound.
Blueprints = Mapping[str, Blueprint | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """A route as it is read: one that was written so, or one of a blueprint with its values."""

    pointer: str
    document: object
    #: Of a blueprint.
    blueprint: str | None = None
    inputs: Mapping[str, Any] | None = None


def is_blueprint(document: object) -> bool:
    """Tell whether a document is meant as one."""
    return isinstance(document, Mapping) and "blueprint" in document


def read_blueprint(reading: Reading, document: Mapping[str, Any], name: str) -> Blueprint | None:
    """Read what a blueprint declares; its routes are read once they have values. None if they cannot have any."""
    whole = reading.map(document, "", noun="a blueprint", keys=BLUEPRINT_KEYS)
    title = reading.text(whole.get("blueprint"), "/blueprint", noun="`blueprint`")
    if whole.get("blueprint") is None:
        fix = "Write blueprint: and what it is for"
        reading.refuse("/blueprint", "`blueprint` says nothing", "people choose by it", fix)
    inputs = read_inputs(reading, whole.get("inputs"), "/inputs")
    routes = whole.get("routes")
    if not isinstance(routes, list) or not all(isinstance(each, Mapping) for each in routes) or not routes:
        fix = "Write routes: and a list"
        reading.refuse("/routes" if "routes" in whole else "", "a blueprint needs routes", "it has none", fix)
        return None
    if reading.problems or not _are_declared(reading, routes, inputs):
        return None
    _refuse_unused(reading, routes, inputs)
    return Blueprint(
        name=name,
        title=title or "",
        description=reading.text(whole.get("description"), "/description", noun="`description`"),
        inputs=inputs,
        routes=tuple(routes),
    )


def bind_examples(blueprint: Blueprint) -> list[Bound]:
    """Give a blueprint's routes with its examples, to check and test it by itself."""
    values = blueprint.examples
    return [
        Bound(
            pointer=at("/routes", place),
            document=_filled(route, values),
            blueprint=blueprint.name,
            inputs=_kept(blueprint, values),
        )
        for place, route in enumerate(blueprint.routes)
    ]


def bind_instance(
    reading: Reading, instance: Mapping[str, Any], pointer: str, blueprints: Blueprints
) -> list[Bound]:
    """Give the routes of a blueprint with the values of one who uses it; none where something is wrong."""
    reading.map(instance, pointer, noun="the use of a blueprint", keys=INSTANCE_KEYS)
    before = len(reading.problems)
    own = reading.required(instance, "id", pointer, noun="the use of a blueprint", fix="Write id: night-desk")
    name = None if own is None else reading.slug(own, at(pointer, "id"), noun="`id`")
    blueprint = _named(reading, instance["use_blueprint"], at(pointer, "use_blueprint"), blueprints)
    if blueprint is None:
        return []
    values = _values(reading, blueprint, instance.get("inputs"), at(pointer, "inputs"))
    if len(reading.problems) > before or name is None:
        return []
    names = {str(route.get("id")): f"{name}-{route.get('id')}" for route in blueprint.routes}
    overrides = {key: instance[key] for key in OVERRIDES if key in instance}
    return [
        Bound(
            pointer=at(at(pointer, "routes"), place),
            document=_renamed(
                {**_filled(route, values), **overrides, "id": names[str(route.get("id"))]}, names
            ),
            blueprint=blueprint.name,
            inputs=_kept(blueprint, values),
        )
        for place, route in enumerate(blueprint.routes)
    ]


def inputs_alone(value: object, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Give where inputs stand alone, with their names."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key not in _BARE:
                yield from inputs_alone(each, at(pointer, key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            yield from inputs_alone(each, at(pointer, place))
    elif isinstance(value, str) and (found := _ALONE.fullmatch(value.strip())) is not None:
        yield pointer, found[1]


def _named(reading: Reading, value: object, pointer: str, blueprints: Blueprints) -> Blueprint | None:
    name = reading.slug(value, pointer, noun="`use_blueprint`")
    if value is None:
        fix = "Write the name of one"
        reading.refuse(pointer, "`use_blueprint` says nothing", "it is empty", fix)
    if name is None:
        return None
    if name not in blueprints:
        near = suggestion(name, blueprints)
        known = ", ".join(sorted(blueprints)) or "none"
        fix = f"Did you mean {near}" if near else f"There are: {known}"
        why = "the folder of blueprints (`routes.blueprints`) has no such file"
        reading.refuse(pointer, f"there is no blueprint {name}", why, fix)
        return None
    found = blueprints[name]
    if found is None:
        fix = "`hub check` on its file tells everything"
        reading.refuse(pointer, f"the blueprint {name} cannot be used", "something is wrong with it", fix)
    return found


def _values(reading: Reading, blueprint: Blueprint, value: object, pointer: str) -> dict[str, Any]:
    given = {} if value is None else reading.map(value, pointer, noun="`inputs`", keys=blueprint.inputs)
    if not isinstance(value, Mapping | None):
        return {}
    values = {}
    for name, declared in blueprint.inputs.items():
        here = at(pointer, name)
        if given.get(name) is None and declared.is_required:
            why = "it is empty" if name in given else "the blueprint has no default for it"
            fix = f"Write {name}: … — {declared.description.rstrip('.')}"
            reading.refuse(here, f"{blueprint.name} needs {name}", why, fix)
        elif given.get(name) is None:
            values[name] = declared.default
        elif fit(reading, declared, given[name], here):
            values[name] = given[name]
    return values


def _kept(blueprint: Blueprint, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give the values that expressions may ask for; templates have stood in their places before."""
    return {name: value for name, value in values.items() if blueprint.inputs[name].kind != "template"}


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: each if key in _BARE else _filled(each, values) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, values) for each in value]
    if isinstance(value, str) and (found := _ALONE.fullmatch(value.strip())) and found[1] in values:
        return values[found[1]]
    return value


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """Let the routes of a blueprint call one another by the ids that they have here."""
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _renamed(each, names) for key, each in value.items()}
    call = found.get("call")
    if isinstance(call, dict) and isinstance(call.get("route"), str) and call["route"] in names:
        found["call"] = {**call, "route": names[call["route"]]}
    return found


def _are_declared(reading: Reading, routes: list[Any], inputs: Mapping[str, Input]) -> bool:
    """Refuse inputs that stand alone and are not declared; what reads others is compiled, and tells itself."""
    unknown = [(pointer, name) for pointer, name in inputs_alone(routes, "/routes") if name not in inputs]
    for pointer, name in unknown:
        near = suggestion(name, inputs)
        fix = f"Did you mean {near}" if near else f"Declare {name} under inputs"
        reading.refuse(pointer, f"there is no input {name}", "it is not declared", fix)
    return not unknown


def _refuse_unused(reading: Reading, routes: list[Any], inputs: Mapping[str, Input]) -> None:
    written = "\n".join(_texts([routes, *(each.default for each in inputs.values())]))
    for name in inputs:
        if not re.search(rf"\binput\s*(?:\.\s*{name}\b|\[\s*['\"]{name}['\"]\s*\])", written):
            fix = f"Take it away, or use {shown('{{ input.' + name + ' }}')}"
            reading.refuse(at("/inputs", name), f"nothing asks for {name}", "it would have no effect", fix)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
