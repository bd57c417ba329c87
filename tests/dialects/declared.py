"""Requests made out of an endpoint's declaration: what its shapes allow, and what nobody would send."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from hypothesis import strategies as st

TEXT: Final = st.text(max_size=20)
NOISE: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def allowed(shape: type[msgspec.Struct]) -> st.SearchStrategy[dict[str, Any]]:
    """What a declaration allows: every required field, and some of the others."""
    schema = msgspec.json.schema(shape)
    return _object(schema, schema.get("$defs", {}))


def _object(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    if "$ref" in schema:
        schema = known[schema["$ref"].rpartition("/")[2]]
    fields = {name: _value(each, known) for name, each in schema["properties"].items()}
    required = {name: fields[name] for name in schema.get("required", ())}
    rest = {name: each for name, each in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=rest)


def _value(schema: dict[str, Any], known: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "anyOf" in schema:
        return st.one_of([_value(each, known) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "$ref" in schema or schema["type"] == "object":
        return _object(schema, known)
    if schema["type"] == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", 4)
        return st.lists(_value(schema["items"], known), min_size=least, max_size=min(most, least + 3))
    least, most = schema.get("minLength", 0), schema.get("maxLength", 40)
    return {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(schema.get("minimum", -5), schema.get("maximum", 500)),
        "string": st.text(min_size=least, max_size=min(most, 40)),
    }[schema["type"]]
