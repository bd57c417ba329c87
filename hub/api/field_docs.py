"""What the `#:` comments above the fields of a struct say, for the OpenAPI document.

The comments are where a reader of the code looks, so they are written once, there. Pure but for reading our own source,
once a module; where the source is not there, fields have no description.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, get_args, get_origin

import msgspec

_MARK: Final = "#:"
_SPACES: Final = re.compile(r"\s+")
Descriptions = Mapping[str, str]


def described(components: Mapping[str, Any], shapes: Iterable[Any]) -> dict[str, Any]:
    """Give the schemas of structs with a description for each property that has none and whose field has a comment.

    Args:
        components: By name, as `msgspec.json.schema_components` names them.
        shapes: The types that they were made of.
    """
    structs: set[type[msgspec.Struct]] = set()
    for shape in shapes:
        _collect(shape, structs)
    # The longer name where two have the same short one.
    by_name = {each.__name__: each for each in structs}
    by_name |= {f"{each.__module__}.{each.__qualname__}": each for each in structs}
    return {
        name: _described(schema, by_name.get(name) or by_name.get(name.partition("_")[0]))
        for name, schema in components.items()
    }


def _collect(shape: Any, into: set[type[msgspec.Struct]]) -> None:
    """Add the structs that a type is made of."""
    for part in get_args(shape):
        _collect(part, into)
    origin = get_origin(shape) or shape
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct) and origin not in into:
        into.add(origin)
        for field in msgspec.structs.fields(origin):
            _collect(field.type, into)


def _described(schema: dict[str, Any], shape: type[msgspec.Struct] | None) -> dict[str, Any]:
    texts = {} if shape is None else field_descriptions(shape)
    properties = {}
    for name, each in schema.get("properties", {}).items():
        text = each.get("description") or _of_only_option(each) or texts.get(name)
        properties[name] = {**each, "description": text} if text else each
    return {**schema, "properties": properties} if properties else schema


def _of_only_option(schema: dict[str, Any]) -> str | None:
    """Give the description of what a property is when it is not null."""
    options = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    return options[0].get("description") if len(options) == 1 else None


@cache
def field_descriptions(shape: type[msgspec.Struct]) -> Descriptions:
    """Give the comment of each field, inherited ones too, by the field's name on the wire."""
    wire = {field.name: field.encode_name for field in msgspec.structs.fields(shape)}
    texts: dict[str, str] = {}
    for owner in reversed(shape.__mro__):
        own = _of_module(owner.__module__).get(owner.__qualname__, {})
        texts |= {wire[name]: text for name, text in own.items() if name in wire}
    return texts


@cache
def _of_module(name: str) -> Mapping[str, Descriptions]:
    """Give class → field → comment of one of our modules."""
    if not name.startswith(("hub.", "bridge.")):
        return {}
    try:
        source = inspect.getsource(sys.modules[name])
    except (OSError, TypeError):
        return {}
    lines = source.splitlines()
    classes = [node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    return {each.name: _of_class(each, lines) for each in classes}


def _of_class(node: ast.ClassDef, lines: list[str]) -> Descriptions:
    found: dict[str, str] = {}
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            text = _comment_above(each.lineno - 1, lines)
            if text:
                found[each.target.id] = text
    return found


def _comment_above(index: int, lines: list[str]) -> str:
    parts: list[str] = []
    while index > 0 and lines[index - 1].lstrip().startswith(_MARK):
        index -= 1
        parts.insert(0, lines[index].lstrip().removeprefix(_MARK))
    return _SPACES.sub(" ", " ".join(parts)).strip()
