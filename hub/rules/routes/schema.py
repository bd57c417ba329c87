"""The JSON Schema of files of routes, for editors: made from the words of routes, and from the actions that there are.

It says less than `hub check`: expressions, steps that have not run and the like, no schema can tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.model.actions import ActionSpec
from hub.rules.connectors.schemas import for_editors
from hub.rules.fixtures.examples import FIXTURES
from hub.rules.routes.blueprint_words import BLUEPRINT, INPUT, USE_OF_BLUEPRINT, inputs_schema
from hub.rules.routes.blueprints import Blueprints
from hub.rules.routes.forms import (
    CLOCK,
    DAYS,
    DURATION,
    MATCHER,
    PATTERNS,
    SLUG,
    TEMPLATE,
    TEXT,
    ZONE,
    Group,
    ref,
)
from hub.rules.routes.policies import ERROR_CLASSES
from hub.rules.routes.reading import NO_BLUEPRINTS
from hub.rules.routes.step_words import CALL, CASE, STEP, STEPS_BY_VERB, WAIT_FOR
from hub.rules.routes.words import DEFAULTS, FILE, POLICIES, ROUTE
from hub.rules.trials.expecting import OUTCOMES

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]
_SCALAR: Final = {"type": ["string", "number", "boolean", "null"]}


def route_schema(
    actions: Mapping[str, ActionSpec], connections: Mapping[str, str], blueprints: Blueprints = NO_BLUEPRINTS
) -> Schema:
    """Make the schema.

    Args:
        actions: All actions by name.
        connections: The connector of each connection.
        blueprints: Those that may be used.
    """
    return {
        "$schema": DRAFT,
        "title": "Routes of Hub",
        "type": "object",
        "if": {"required": ["blueprint"]},
        "then": ref("blueprint"),
        "else": ref("file"),
        "$defs": {
            "file": _file(),
            **_blueprints(blueprints),
            "defaults": _of(DEFAULTS),
            "route": _of(ROUTE),
            **{name: _of(group) for name, group in POLICIES.items()},
            **_triggers(),
            "when": _when(),
            "window": _window(),
            "text_file": _map(
                {"file": {**TEXT, "description": "A text beside this file, or below."}}, "file"
            ),
            "step": {"type": "object", "anyOf": [ref(f"step_{verb}") for verb in STEPS_BY_VERB]},
            **{f"step_{verb}": _step(verb) for verb in STEPS_BY_VERB},
            "step_use": _use(actions, connections),
            "action": {
                "enum": sorted(actions),
                "enumDescriptions": [actions[name].title for name in sorted(actions)],
            },
            **{f"with:{name}": _inputs(spec) for name, spec in sorted(actions.items())},
            **_tests(),
        },
    }


def _file() -> Schema:
    routes_or_tests = [{"required": ["routes"]}, {"required": ["tests"]}]
    return {**_of(FILE), "required": ["version"], "anyOf": routes_or_tests}


def _blueprints(blueprints: Blueprints) -> Schema:
    known = {name: each for name, each in sorted(blueprints.items()) if each is not None}
    use = _of(USE_OF_BLUEPRINT)
    if known:
        use["properties"]["use_blueprint"] = {
            "enum": list(known),
            "enumDescriptions": [each.title for each in known.values()],
        }
    use["allOf"] = [
        {
            "if": {"properties": {"use_blueprint": {"const": name}}, "required": ["use_blueprint"]},
            "then": {
                "properties": {"inputs": inputs_schema(each)},
                "required": ["inputs"] if any(own.is_required for own in each.inputs.values()) else [],
            },
        }
        for name, each in known.items()
    ]
    return {
        "blueprint": _of(BLUEPRINT),
        "input": _of(INPUT),
        "use_of_blueprint": use if known else {key: value for key, value in use.items() if key != "allOf"},
        "route_or_use": {
            "type": "object",
            "if": {"required": ["use_blueprint"]},
            "then": ref("use_of_blueprint"),
            "else": ref("route"),
        },
    }


def _of(group: Group) -> Schema:
    """Give the schema of one map."""
    found: Schema = {
        "type": "object",
        "description": group.says,
        "properties": {each.name: _described(each.schema, each.says, each.default) for each in group.keys},
        "required": [each.name for each in group.keys if each.is_required],
        "additionalProperties": False,
    }
    if group.one_of:
        found["oneOf"] = [{"required": [name]} for name in group.one_of]
    return found


def _described(schema: Mapping[str, Any], says: str, default: str) -> Schema:
    told = f"{says} Default: {default}." if default else says
    return {**schema, "description": told}


# ---- triggers and conditions


def _triggers() -> Schema:
    event = {"enum": list(PATTERNS)}
    source = _map({"source": SLUG, "event": {"type": ["string", "array"]}}, "source")
    others = [
        source,
        _map({"schedule": {**TEXT, "examples": ["0 9 * * 1-5"]}, "timezone": ZONE}, "schedule"),
        _map({"webhook": {"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{7,127}$"}}, "webhook"),
        _map({"manual": {"const": True}}, "manual"),
    ]
    one = {"anyOf": [event, *others]}
    return {
        "trigger": {"anyOf": [event, *others, {"type": "array", "minItems": 1, "items": one}]},
        "awaited": {
            "anyOf": [event, source, {"type": "array", "minItems": 1, "items": {"anyOf": [event, source]}}]
        },
    }


def _when() -> Schema:
    within = {"anyOf": [ref("window"), {"type": "array", "minItems": 1, "items": ref("window")}]}
    return {
        "type": "object",
        "minProperties": 1,
        "properties": {
            "now": {
                "type": "object",
                "properties": {"inside": within, "outside": within},
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            }
        },
        "additionalProperties": {
            "anyOf": [_SCALAR, {"type": "array", "minItems": 1, "items": _SCALAR}, MATCHER]
        },
        "propertyNames": {"not": {"pattern": "^event\\."}},
    }


def _window() -> Schema:
    return {**_map({"days": DAYS, "from": CLOCK, "to": CLOCK, "timezone": ZONE}), "minProperties": 1}


# ---- steps


def _step(verb: str) -> Schema:
    group, common = STEPS_BY_VERB[verb], _of(STEP)["properties"]
    if group in (WAIT_FOR, CALL, CASE):
        inner: Schema = _of(group)
        inner = {"type": "array", "minItems": 1, "items": inner} if group is CASE else inner
        return _map({**common, verb: inner}, verb)
    own = _of(group)
    return {**own, "properties": {**common, **own["properties"]}}


def _use(actions: Mapping[str, ActionSpec], connections: Mapping[str, str]) -> Schema:
    """Give the step whose inputs depend on its action."""
    ways = []
    for name, spec in sorted(actions.items()):
        then: Schema = {"properties": {"with": ref(f"with:{name}")}}
        own = sorted(each for each, connector in connections.items() if connector == spec.connector)
        if spec.connector is None:
            then["properties"]["connection"] = False
        elif own:
            then["properties"]["connection"] = {"enum": own}
        if spec.inputs.get("required"):
            then["required"] = ["with"]
        ways.append({"if": {"properties": {"use": {"const": name}}, "required": ["use"]}, "then": then})
    return {**_step("use"), "allOf": ways}


def _inputs(spec: ActionSpec) -> Schema:
    """Give the inputs of an action: each value may also be a template, and a text may be written as a number."""
    whole = for_editors(spec.inputs)
    properties = {name: _or_file(each) for name, each in whole.get("properties", {}).items()}
    told = spec.description or spec.title
    return {**whole, "title": spec.title, "description": told, "properties": properties}


def _or_template(schema: Any) -> Any:
    if not isinstance(schema, Mapping) or not schema:
        return schema
    notes = {key: schema[key] for key in ("title", "description", "examples", "default") if key in schema}
    return {**notes, "anyOf": [_deep(schema), *_numbers(schema), TEMPLATE]}


def _or_file(schema: Any) -> Any:
    """Let a text stand in a file of its own."""
    found = _or_template(schema)
    is_text = isinstance(schema, Mapping) and bool(_numbers(schema))
    return {**found, "anyOf": [*found["anyOf"], ref("text_file")]} if is_text else found


def _numbers(schema: Mapping[str, Any]) -> list[Schema]:
    """Let a text be written as a number where that is what it is: a phone number, a postcode."""
    told = [each.get("type") for each in (schema, *schema.get("anyOf", ()))]
    kinds = [kind for each in told for kind in (each if isinstance(each, list) else [each])]
    return [{"type": "number"}] if "string" in kinds and "enum" not in schema else []


def _deep(schema: Mapping[str, Any]) -> Schema:
    """Let templates stand within lists and maps, too."""
    found = dict(schema)
    if isinstance(found.get("items"), Mapping):
        found["items"] = _or_template(found["items"])
    if isinstance(found.get("properties"), Mapping):
        found["properties"] = {name: _or_template(each) for name, each in found["properties"].items()}
    if isinstance(found.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _or_template(found["additionalProperties"])
    if isinstance(found.get("anyOf"), list) and all(
        "type" in each or "anyOf" in each for each in found["anyOf"]
    ):
        found["anyOf"] = [_deep(each) for each in found["anyOf"]]
    return found


# ---- tests


def _tests() -> Schema:
    answer = _map({"output": {"type": "object"}, "error": _mock_error()})
    answer |= {"minProperties": 1, "maxProperties": 1}
    happening = {
        "anyOf": [
            {"enum": list(FIXTURES)},
            {
                "type": "object",
                "properties": {"fixture": {"enum": list(FIXTURES)}, "after": DURATION},
                "anyOf": [{"required": ["fixture"]}, {"required": ["after"]}],
            },
        ]
    }
    mocks = {"anyOf": [ref("answer"), {"type": "array", "minItems": 1, "items": ref("answer")}]}
    test = _map(
        {
            "name": TEXT,
            "route": SLUG,
            "beside": {"type": ["string", "array"], "items": SLUG},
            "event": ref("happening"),
            "events": {"type": "array", "minItems": 1, "items": ref("happening")},
            "now": {"type": ["string", "integer"]},
            "vars": {"type": "object"},
            "mock": {"type": "object", "additionalProperties": mocks},
            "expect": {"anyOf": [ref("expect"), {"type": "array", "minItems": 1, "items": ref("expect")}]},
        },
        "name",
        "expect",
    )
    test["oneOf"] = [{"required": ["event"]}, {"required": ["events"]}]
    return {"answer": answer, "happening": happening, "test": test, "expect": _expect()}


def _mock_error() -> Schema:
    properties = {
        "class": {"enum": list(ERROR_CLASSES)},
        "status": {"type": "integer", "minimum": 100, "maximum": 599},
        "after": DURATION,
        "message": TEXT,
        "details": {"type": "object"},
    }
    return _map(properties, "class")


def _expect() -> Schema:
    names = {"type": ["string", "array"], "items": {"type": "string"}}
    call = {"anyOf": [{"type": "string"}, _map({"use": TEXT, "with": {"type": "object"}}, "use")]}
    step: Schema = {key: {} for key in ("with", "status", "attempts", "output", "error")}
    found = _map(
        {
            "outcome": {"enum": list(OUTCOMES)},
            "because": {"type": ["string", "object"]},
            "calls": {"type": "array", "items": call},
            "steps": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {**_map(step), "minProperties": 1},
            },
            "not_called": names,
            "warnings": {"type": ["integer", "object"]},
        }
    )
    return {**found, "minProperties": 1}


def _map(properties: Mapping[str, Any], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }
