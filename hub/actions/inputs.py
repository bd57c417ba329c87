"""Inputs of built-in actions: read into the action's struct, and the JSON Schema that the same struct gives.

Templates give text where a field wants a number, and YAML a number where a field wants text; both are meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from hub.model.actions import ActionFailed
from hub.rules.problems import suggestion

Inputs = TypeVar("Inputs", bound=msgspec.Struct)

_REFERENCE: Final = "{name}"


def input_schema(shape: type[msgspec.Struct], *, example: Mapping[str, Any]) -> dict[str, Any]:
    """Give the JSON Schema of a struct, whole: nothing in it refers to elsewhere."""
    (_,), parts = msgspec.json.schema_components([shape], ref_template=_REFERENCE)
    schema: dict[str, Any] = _whole(parts[shape.__name__], parts)
    schema.pop("title", None)
    return {**schema, "examples": [dict(example)]}


def _whole(value: Any, parts: Mapping[str, Any]) -> Any:
    """Put what is referred to in its place."""
    if isinstance(value, list):
        return [_whole(each, parts) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        return _whole({**parts[value["$ref"]], **{k: v for k, v in value.items() if k != "$ref"}}, parts)
    return {name: _whole(each, parts) for name, each in value.items()}


def read_inputs(shape: type[Inputs], inputs: Mapping[str, Any]) -> Inputs:
    """Read rendered inputs.

    Raises:
        ActionFailed: `invalid`, naming the input.
    """
    spells_out = _fields(shape)
    for name in inputs:
        if name not in spells_out:
            near = suggestion(str(name), spells_out)
            fix = f"Did you mean '{near}'?" if near else f"There are {', '.join(spells_out)}."
            raise ActionFailed("invalid", f"There is no input '{name}'. {fix}")
    spelt = {name: _spelt(value, spells_out[name]) for name, value in inputs.items()}
    try:
        return msgspec.convert(spelt, shape, strict=False)
    except msgspec.ValidationError as error:
        raise ActionFailed("invalid", _explained(str(error))) from None


@cache
def _fields(shape: type[msgspec.Struct]) -> Mapping[str, inspect.Type]:
    """Give the type of each input. Kept, because to look at a struct takes ten times as long as to read it."""
    found = inspect.type_info(shape)
    assert isinstance(found, inspect.StructType), "inputs are structs"
    return {each.encode_name: each.type for each in found.fields}


def _spelt(value: Any, wanted: inspect.Type) -> Any:
    """Spell numbers out where only text is taken, also within: a phone number may have come without its +."""
    kinds = _kinds(wanted)
    if isinstance(value, list | tuple):
        items = [
            kind.item_type for kind in kinds if isinstance(kind, inspect.VarTupleType | inspect.ListType)
        ]
        return [_spelt(each, items[0]) for each in value] if items else value
    if isinstance(value, Mapping):
        return _spelt_members(value, kinds)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    takes_text = any(isinstance(kind, inspect.StrType) for kind in kinds)
    takes_number = any(
        isinstance(kind, inspect.IntType | inspect.FloatType | inspect.AnyType) for kind in kinds
    )
    return str(value) if takes_text and not takes_number else value


def _spelt_members(value: Mapping[str, Any], kinds: Sequence[inspect.Type]) -> Mapping[str, Any]:
    for kind in kinds:
        if isinstance(kind, inspect.StructType):
            types = {field.encode_name: field.type for field in kind.fields}
            return {
                name: _spelt(each, types[name]) if name in types else each for name, each in value.items()
            }
        if isinstance(kind, inspect.DictType):
            return {name: _spelt(each, kind.value_type) for name, each in value.items()}
    return value


def _kinds(wanted: inspect.Type) -> list[inspect.Type]:
    """Give the types that a value may have, without what is said about them."""
    wanted = _bare(wanted)
    return [_bare(each) for each in (wanted.types if isinstance(wanted, inspect.UnionType) else (wanted,))]


def _bare(kind: inspect.Type) -> inspect.Type:
    """Give a type without what is said about it."""
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _explained(problem: str) -> str:
    """Say it in the words of a route: `with`, where the decoder says `$`."""
    what, _, place = problem.partition(" - at ")
    where = place.strip("`").removeprefix("$").lstrip(".")
    what = what.replace("Object missing required field", "There must be an input").replace("`", "'")
    return f"{what}: input '{where}'." if where else f"{what}."


def read_instant(value: int | str | None, *, name: str) -> int | None:
    """Read a moment: Unix milliseconds, or a date and time with its offset.

    Raises:
        ActionFailed: `invalid`.
    """
    if value is None or isinstance(value, int):
        return value
    if value.isascii() and value.isdigit() and len(value) <= 15:
        return int(value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ActionFailed(
            "invalid",
            f"'{name}' is Unix milliseconds, or a date and time with its offset, such as 2026-08-01T09:00:00+02:00.",
        )
    return round(moment.astimezone(UTC).timestamp() * 1000)
