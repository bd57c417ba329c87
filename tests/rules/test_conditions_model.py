"""Conditions agree with a naive model of the same semantics."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hub.rules.condition_operators import OPERATORS
from hub.rules.conditions import compile_condition

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, 1.5]), st.sampled_from("ab")
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab0"), inner, max_size=2),
)
payloads = st.dictionaries(st.sampled_from("ab0"), values, max_size=3)
paths = st.lists(st.sampled_from(["a", "b", "0", "1"]), min_size=1, max_size=3).map(".".join)
comparisons = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$neq"]), values),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.integers(-2, 2) | st.sampled_from("ab")),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(scalars, min_size=1, max_size=3)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$contains"), scalars),
    st.tuples(st.sampled_from(["$starts_with", "$ends_with"]), st.sampled_from("ab")),
)
leaves = st.builds(lambda path, comparison: {path: dict([comparison])}, paths, comparisons)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            lambda group, items: {group: items},
            st.sampled_from(["$and", "$or"]),
            st.lists(inner, min_size=1, max_size=3),
        ),
        st.builds(lambda item: {"$not": item}, inner),
    ),
    max_leaves=6,
)
ABSENT = object()


def look_up(payload: object, path: str) -> object:
    for part in path.split("."):
        if isinstance(payload, dict):
            payload = payload.get(part, ABSENT)
        elif isinstance(payload, list) and part.isdigit() and int(part) < len(payload):
            payload = payload[int(part)]
        else:
            return ABSENT
    return payload


def same(left: object, right: object) -> bool:
    """Equality of canonical JSON, in which 1.0 is written as 1 and true is not 1."""

    def canonical(value: object) -> object:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, list):
            return [canonical(item) for item in value]
        return {key: canonical(item) for key, item in value.items()} if isinstance(value, dict) else value

    if left is ABSENT:
        return False
    return json.dumps(canonical(left), sort_keys=True) == json.dumps(canonical(right), sort_keys=True)


def kind(value: object) -> str:
    return "number" if type(value) in (int, float) else type(value).__name__


def comparable(value: object, operand: object) -> bool:
    return kind(value) == kind(operand)


def contained(value: Any, operand: Any) -> bool:
    if isinstance(value, str):
        return isinstance(operand, str) and operand in value
    return isinstance(value, list) and any(same(item, operand) for item in value)


MODEL: dict[str, Callable[[Any, Any], bool]] = {
    "$contains": contained,
    "$ends_with": lambda value, operand: isinstance(value, str) and value.endswith(operand),
    "$eq": same,
    "$exists": lambda value, operand: (value is not ABSENT) is operand,
    "$gt": lambda value, operand: comparable(value, operand) and value > operand,
    "$gte": lambda value, operand: comparable(value, operand) and value >= operand,
    "$in": lambda value, operand: any(same(value, item) for item in operand),
    "$lt": lambda value, operand: comparable(value, operand) and value < operand,
    "$lte": lambda value, operand: comparable(value, operand) and value <= operand,
    "$neq": lambda value, operand: not same(value, operand),
    "$nin": lambda value, operand: not any(same(value, item) for item in operand),
    "$starts_with": lambda value, operand: isinstance(value, str) and value.startswith(operand),
}


def test_the_model_knows_every_operator() -> None:
    """A new operator needs its plain reading here."""
    assert list(MODEL) == list(OPERATORS)


def model(document: Any, payload: object) -> bool:
    ((key, value),) = document.items()
    if key == "$not":
        return not model(value, payload)
    if key in ("$and", "$or"):
        return (all if key == "$and" else any)(model(item, payload) for item in value)
    ((operator, operand),) = value.items()
    return MODEL[operator](look_up(payload, key), operand)


@given(documents, payloads)
def test_agrees_with_the_naive_model(document: object, payload: dict[str, object]) -> None:
    """The compiled closures say what a plain reading of the rules says; explain agrees with matches."""
    condition = compile_condition(document)
    if isinstance(condition, list):
        return

    assert condition.matches(payload) is model(document, payload)
    assert (condition.explain(payload) is None) is model(document, payload)
