"""How keys of routes are described: what one takes, what holds without it, what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.rules.event_types import EVERYTHING, SUBSCRIBABLE
from hub.rules.routes.matchers import MATCHERS, NORMALIZATIONS

JsonSchema = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """One key."""

    name: str
    #: What it takes, for people.
    form: str
    says: str
    schema: JsonSchema
    #: What holds without it, for people; empty: nothing.
    default: str = ""
    is_required: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The keys of one map."""

    title: str
    says: str
    keys: tuple[Key, ...]
    #: Of these, one is there.
    one_of: tuple[str, ...] = field(default=())


# ---- what keys take

TEXT: Final[JsonSchema] = {"type": "string", "minLength": 1}
FLAG: Final[JsonSchema] = {"type": "boolean"}
DURATION: Final[JsonSchema] = {
    "type": "string",
    "pattern": "^( *[0-9]{1,9} *([mM][sS]|[smhdwSMHDW]))+ *$",
    "examples": ["20s", "10m", "1h30m", "7d"],
}
TEMPLATE: Final[JsonSchema] = {"type": "string", "pattern": "\\{\\{|\\{%"}
EXPRESSION: Final[JsonSchema] = {
    "type": ["string", "boolean"],
    "minLength": 1,
    "examples": ["event.attempt > 2"],
}
LIST_EXPRESSION: Final[JsonSchema] = {"type": "string", "minLength": 1, "examples": ["event.attachments"]}
KEY_TEMPLATE: Final[JsonSchema] = {"type": ["string", "number"], "examples": ["{{ event.from }}"]}
SLUG: Final[JsonSchema] = {"type": "string", "pattern": "^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", "maxLength": 60}
NAME: Final[JsonSchema] = {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}
VALUES: Final[JsonSchema] = {"type": "object", "minProperties": 1, "propertyNames": NAME}
CLOCK: Final[JsonSchema] = {
    "type": "string",
    "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$",
    "examples": ["09:00"],
}
DAYS: Final[JsonSchema] = {"type": ["string", "array"], "examples": ["mon-fri", ["sat", "sun"]]}
ZONE: Final[JsonSchema] = {"type": "string", "examples": ["America/New_York", "Europe/Berlin"]}
STEPS: Final[JsonSchema] = {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/step"}}
TEXTS: Final[JsonSchema] = {"type": ["string", "array"], "items": TEXT}


def word(*words: str) -> JsonSchema:
    """One of some words."""
    return {"enum": list(words)}


def whole(least: int, most: int) -> JsonSchema:
    """A whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


def ref(name: str) -> JsonSchema:
    """Refer to a definition of the schema."""
    return {"$ref": f"#/$defs/{name}"}


def or_false(schema: JsonSchema) -> JsonSchema:
    """This, or false."""
    return {"anyOf": [schema, {"const": False}]}


def key(name: str, form: str, says: str, schema: JsonSchema, default: str = "", *, need: bool = False) -> Key:
    """One row of a table."""
    return Key(name=name, form=form, says=says, schema=schema, default=default, is_required=need)


PATTERNS: Final = (
    EVERYTHING,
    *sorted({f"{each.partition('.')[0]}.*" for each in SUBSCRIBABLE}),
    *SUBSCRIBABLE,
)

MATCHER: Final[JsonSchema] = {
    "type": "object",
    "minProperties": 1,
    "properties": {
        **{name: {"description": each.summary} for name, each in MATCHERS.items()},
        "normalize": word(*NORMALIZATIONS),
    },
    "additionalProperties": False,
}
