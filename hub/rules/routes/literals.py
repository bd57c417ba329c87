"""Check what a step gives an action as it stands in the file; what has a template in it may become anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from hub.model.actions import ActionSpec
from hub.rules.connectors.inputs import problems_of
from hub.rules.connectors.schemas import Schema, read_schema
from hub.rules.problems import Problem
from hub.rules.routes.document import Reading, at

#: What bounds maps by their size; the action itself looks at that.
_UNREAD: Final = frozenset({"maxProperties", "minProperties"})


def check_literals(spec: ActionSpec, given: Mapping[str, Any], pointer: str) -> Iterator[Problem]:
    """Tell values that the action would refuse, whatever the event is.

    Args:
        spec: The action.
        given: Its inputs as written.
        pointer: Where they stand.
    """
    schema = input_schema_of(spec)
    if schema is None:
        return
    for name, value in given.items():
        known = schema.properties.get(name)
        if known is not None and value is not None:
            yield from problems_of(known, value, pointer=at(pointer, name))
    if schema.any_of and not any(all(name in given for name in group) for group in schema.any_of):
        groups = " or ".join(" and ".join(group) for group in schema.any_of)
        what = f"{spec.name} needs {groups}"
        yield Problem(
            pointer=pointer, what=what, why="none of them is given in `with`", fix=f"Write {groups}: …"
        )


def input_schema_of(spec: ActionSpec) -> Schema | None:
    """Read an action's schema; None where it says what is not read here. A test holds that none of ours does."""
    return _read(_Same(spec))


class _Same:
    """An action, known again by being the same object: a schema is read once, however many steps use the action."""

    __slots__ = ("spec",)

    def __init__(self, spec: ActionSpec) -> None:
        self.spec = spec

    def __hash__(self) -> int:
        return id(self.spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.spec is self.spec


@lru_cache(maxsize=512)
def _read(same: _Same) -> Schema | None:
    reading = Reading()
    schema = read_schema(reading, plain_kinds(same.spec.inputs), "")
    return None if reading.problems else schema


def plain_kinds(schema: Any) -> Any:
    """Write a schema as it is read here: `anyOf` of kinds as a list of kinds, and less strictly where it says more."""
    if isinstance(schema, list):
        return [plain_kinds(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: plain_kinds(value) for key, value in schema.items() if key not in _UNREAD}
    if isinstance(found.get("additionalProperties"), dict):
        found["additionalProperties"] = True
    ways = found.get("anyOf")
    if not isinstance(ways, list) or not all(isinstance(each, dict) and "type" in each for each in ways):
        return found
    kinds: list[str] = []
    for each in ways:
        kinds += each["type"] if isinstance(each["type"], list) else [each["type"]]
    meant = [each for each in ways if each["type"] != "null"]
    told = meant[0] if len(meant) == 1 else {}
    rest = {key: value for key, value in found.items() if key != "anyOf"}
    return {**told, **rest, "type": list(dict.fromkeys(kinds))}
