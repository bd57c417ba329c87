"""Read one value out of a payload by a dotted path, quickly and without ever raising.

`data.attachments.0.mime_type`: a part of digits is an index in a list and a key in an object. There is no way
to write a key that contains a dot; our payloads have none.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

_MOST_PARTS: Final = 16
_LONGEST_PATH: Final = 200
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,4}", re.ASCII)


class Missing:
    """The kind of `MISSING`, which stands for a path that leads nowhere (unlike null, which is a value)."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()

Payload = Mapping[str, object]
Reader = Callable[[Payload], object]


def path_fault(path: str) -> str | None:
    """Return why `path` is not one, or None."""
    if len(path) > _LONGEST_PATH:
        return f"a path has at most {_LONGEST_PATH} characters"
    parts = path.split(".")
    if len(parts) > _MOST_PARTS:
        return f"a path has at most {_MOST_PARTS} parts"
    return None if all(parts) else "a path has a name or an index between its dots"


def compile_path(path: str) -> Reader:
    """Return a function that reads the value at `path`, or `MISSING`."""
    parts = path.split(".")
    if any(_INDEX.fullmatch(part) for part in parts):
        return _read_mixed(parts)
    match parts:
        case [name]:
            return _read_one(name)
        case [outer, name]:
            return _read_two(outer, name)
        case _:
            return _read_names(parts)


# In 3.11 a `try` costs nothing until it fails, and a subscript on anything but an object raises one of these.
# The index forms are apart because a text and a list take an int.


def _read_one(name: str) -> Reader:
    return lambda payload: payload.get(name, MISSING)


def _read_two(outer: str, name: str) -> Reader:
    def read(payload: Payload) -> object:
        try:
            return payload[outer][name]  # type: ignore[index]  # what cannot be subscripted is missing
        except (KeyError, TypeError):
            return MISSING

    return read


def _read_names(names: list[str]) -> Reader:
    def read(payload: Payload) -> object:
        value: object = payload
        try:
            for name in names:
                value = value[name]  # type: ignore[index]  # what cannot be subscripted is missing
        except (KeyError, TypeError):
            return MISSING
        return value

    return read


def _read_mixed(parts: list[str]) -> Reader:
    steps = [(part, int(part) if _INDEX.fullmatch(part) else None) for part in parts]

    def read(payload: Payload) -> object:
        value: object = payload
        for name, index in steps:
            if isinstance(value, Mapping):
                value = value.get(name, MISSING)
            elif index is not None and isinstance(value, list) and index < len(value):
                value = value[index]
            else:
                return MISSING
        return value

    return read
