"""The part of JSON Schema that inputs of actions are described in, read strictly: what is not known is refused.

The words mean what the standard says; a test holds them to a full validator. What the standard does not know is
converting (hub.rules.connectors.inputs), because YAML and templates give `14155550123` where a text is meant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hub.rules.expressions.filters.patterns import Pattern, compiled_pattern
from hub.rules.expressions.problems import Refused
from hub.rules.routes.document import Reading, at, shown

KINDS: Final = ("text", "integer", "number", "boolean", "array", "object", "null")
#: As JSON Schema names them → as we do.
_TYPES: Final[Mapping[str, str]] = {"string": "text"} | {kind: kind for kind in KINDS if kind != "text"}
FORMATS: Final = ("date", "datetime", "e164", "email", "html", "uri")
#: For people and editors; they decide nothing.
_NOTES: Final = ("title", "description", "examples", "x-order", "x-options")
_KEYS: Final = (
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "format",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "default",
    "anyOf",
    *_NOTES,
)
_DEEPEST: Final = 12
_MOST: Final = 10**9


@dataclass(frozen=True, kw_only=True, slots=True)
class Schema:
    """What one value may be."""

    #: Kinds that it may have; empty for any.
    kinds: tuple[str, ...] = ()
    properties: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    #: Of these groups of properties, at least one is there whole.
    any_of: tuple[tuple[str, ...], ...] = ()
    #: Whether other properties are taken; unlike the standard, not where properties are described.
    is_open: bool = True
    items: Schema | None = None
    choices: tuple[Any, ...] = ()
    format: str | None = None
    pattern: Pattern | None = None
    pattern_text: str = ""
    #: Characters of a text, and items of a list: the fewest and the most.
    characters: tuple[int, int] = (0, _MOST)
    length: tuple[int, int] = (0, _MOST)
    minimum: float | None = None
    maximum: float | None = None
    has_default: bool = False
    default: Any = None


ANYTHING: Final = Schema()


def read_schema(reading: Reading, written: object, pointer: str, *, depth: int = 0) -> Schema:
    """Read a schema; what is wrong with it is noted."""
    if depth > _DEEPEST:
        reading.refuse(
            pointer, "the schema is nested too deep", f"{_DEEPEST} levels are the most", "Flatten it"
        )
        return ANYTHING
    known = reading.map(written, pointer, noun="a schema", keys=_KEYS)
    properties = {
        str(name): read_schema(reading, each, at(at(pointer, "properties"), name), depth=depth + 1)
        for name, each in _map(reading, known, "properties", pointer).items()
    }
    pattern = read_pattern(reading, known.get("pattern"), at(pointer, "pattern"))
    return Schema(
        kinds=_kinds(reading, known.get("type"), at(pointer, "type")),
        properties=properties,
        required=_names(reading, known.get("required"), at(pointer, "required"), properties),
        any_of=_any_of(reading, known.get("anyOf"), at(pointer, "anyOf"), properties),
        is_open=reading.flag(
            known.get("additionalProperties"),
            at(pointer, "additionalProperties"),
            noun="`additionalProperties`",
            default=not properties,
        ),
        items=None
        if known.get("items") is None
        else read_schema(reading, known["items"], at(pointer, "items"), depth=depth + 1),
        choices=_choices(reading, known.get("enum"), at(pointer, "enum")),
        format=reading.one_of(
            known.get("format"), at(pointer, "format"), FORMATS, noun="`format`", default=None
        ),
        pattern=pattern,
        pattern_text=str(known.get("pattern") or ""),
        characters=_range(reading, known, ("minLength", "maxLength"), pointer),
        length=_range(reading, known, ("minItems", "maxItems"), pointer),
        minimum=_bound(reading, known.get("minimum"), at(pointer, "minimum")),
        maximum=_bound(reading, known.get("maximum"), at(pointer, "maximum")),
        has_default="default" in known,
        default=known.get("default"),
    )


def for_editors(written: Any) -> Any:
    """Give a schema as the standard has it: what we take as closed says so."""
    if isinstance(written, list):
        return [for_editors(each) for each in written]
    if not isinstance(written, Mapping):
        return written
    told = {key: for_editors(each) for key, each in written.items()}
    is_closed = written.get("type") == "object" and bool(written.get("properties"))
    return (
        {**told, "additionalProperties": False} if is_closed and "additionalProperties" not in told else told
    )


def _map(reading: Reading, known: Mapping[str, Any], key: str, pointer: str) -> Mapping[str, Any]:
    value = known.get(key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        reading.refuse(
            at(pointer, key), f"`{key}` is {shown(value)}", "it maps names to schemas", "Write a map"
        )
        return {}
    return value


def _kinds(reading: Reading, value: object, pointer: str) -> tuple[str, ...]:
    found = []
    for name in reading.texts(value, pointer, noun="`type`"):
        word = reading.one_of(name, pointer, tuple(_TYPES), noun="`type`", default=None)
        if word is not None:
            found.append(_TYPES[word])
    return tuple(found)


def _names(
    reading: Reading, value: object, pointer: str, properties: Mapping[str, Schema]
) -> tuple[str, ...]:
    names = reading.texts(value, pointer, noun="a name of `required`")
    for name in names:
        if name not in properties:
            what = f"{shown(name)} is required and not described"
            reading.refuse(pointer, what, "it is not among `properties`", "Describe it there, or remove it")
    return names


def _any_of(
    reading: Reading, value: object, pointer: str, properties: Mapping[str, Schema]
) -> tuple[tuple[str, ...], ...]:
    if value is None:
        return ()

    def one(each: object, place: str) -> tuple[str, ...]:
        known = reading.map(each, place, noun="one of `anyOf`", keys=("required",))
        return _names(reading, known.get("required"), at(place, "required"), properties)

    return reading.list_of(value, pointer, one, noun="`anyOf`")


def _choices(reading: Reading, value: object, pointer: str) -> tuple[Any, ...]:
    if value is None:
        return ()
    return reading.list_of(value, pointer, lambda each, place: each, noun="`enum`")


def _range(
    reading: Reading, known: Mapping[str, Any], keys: tuple[str, str], pointer: str
) -> tuple[int, int]:
    least, most = (
        reading.number(
            known.get(key), at(pointer, key), noun=f"`{key}`", least=0, most=_MOST, default=default
        )
        for key, default in zip(keys, (0, _MOST), strict=True)
    )
    return least, most


def _bound(reading: Reading, value: object, pointer: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        reading.refuse(pointer, f"this bound is {shown(value)}", "it is a number", "Write one such as 1")
        return None
    return value


def read_pattern(reading: Reading, value: object, pointer: str) -> Pattern | None:
    """Read a regular expression; one that RE2 does not know is noted."""
    text = reading.text(value, pointer, noun="`pattern`")
    if text is None:
        return None
    try:
        return compiled_pattern(text)
    except Refused as refused:
        reading.refuse(pointer, refused.what, refused.why, refused.fix)
        return None
