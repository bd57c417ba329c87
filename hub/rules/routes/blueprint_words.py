"""Every key of a blueprint and of its use, as words.py has those of a route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hub.rules.routes.blueprint_inputs import KINDS
from hub.rules.routes.blueprints import Blueprint
from hub.rules.routes.forms import CLOCK, DURATION, FLAG, NAME, SLUG, TEXT, TEXTS, ZONE, Group, key, ref, word

BLUEPRINT: Final = Group(
    title="A blueprint",
    says="A file of the folder of blueprints, used by its name without `.yaml`: docs/blueprints.md.",
    keys=(
        key("version", "`1`", "Of this form.", {"const": 1}, need=True),
        key("blueprint", "text", "What it is for.", TEXT, need=True),
        key("description", "text", "The same at length.", TEXT),
        key(
            "inputs",
            "map",
            "What it asks of whoever uses it.",
            {"type": "object", "propertyNames": NAME, "additionalProperties": ref("input")},
        ),
        key(
            "routes",
            "list",
            "Its routes: as all are, and with `{{ input.name }}`.",
            {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "required": ["id", "trigger", "steps"]},
            },
            need=True,
        ),
        key(
            "tests",
            "list",
            "Their tests, played with the examples.",
            {"type": "array", "minItems": 1, "items": ref("test")},
        ),
    ),
)
INPUT: Final = Group(
    title="An input of a blueprint",
    says='Stands alone for its value, `"{{ input.name }}"`, or in templates and conditions, `input.name`.',
    keys=(
        key("type", ", ".join(f"`{name}`" for name in KINDS), "What it takes.", word(*KINDS), need=True),
        key("description", "text", "What it is for.", TEXT, need=True),
        key("default", "value", "Holds without it; an input that has none must be given.", {}),
        key("example", "value", "The blueprint is checked and tested with it.", {}, "`default`"),
        key("options", "list", "Of a text: one of these.", TEXTS),
    ),
)
USE_OF_BLUEPRINT: Final = Group(
    title="The use of a blueprint",
    says="Stands in the place of a route. Each route of the blueprint becomes one called `<id>-<its id>`.",
    keys=(
        key("use_blueprint", "name", "Which.", SLUG, need=True),
        key("id", "small letters, digits, -, _", "Begins the names of its routes.", SLUG, need=True),
        key("inputs", "map", "What it asks for.", {"type": "object"}),
        key("description", "text", "For people, instead of the blueprint's.", TEXT),
        key("tags", "text or list", "The same.", TEXTS),
        key("owner", "text", "The same.", TEXT),
        key("enabled", "true or false", "Whether its routes run.", FLAG, "true"),
        key("mode", "`live`, `shadow`", "Of all its routes.", word("live", "shadow"), "live"),
    ),
)
_SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    "connection": SLUG,
    "duration": DURATION,
    "flag": FLAG,
    "list": {"type": "array", "minItems": 1, "items": TEXT},
    "number": {"type": "number"},
    "template": {"anyOf": [TEXT, ref("text_file")]},
    "text": {"anyOf": [TEXT, ref("text_file")]},
    "time": CLOCK,
    "timezone": ZONE,
}


def inputs_schema(blueprint: Blueprint) -> dict[str, Any]:
    """Give the schema of what a blueprint asks for."""
    properties = {}
    for name, each in blueprint.inputs.items():
        properties[name] = {**_SCHEMAS[each.kind], "description": each.description}
        if each.options:
            properties[name] = {"enum": list(each.options), "description": each.description}
        if each.default is not None:
            properties[name]["default"] = each.default
    return {
        "type": "object",
        "description": blueprint.description or blueprint.title,
        "properties": properties,
        "required": [name for name, each in blueprint.inputs.items() if each.is_required],
        "additionalProperties": False,
    }
