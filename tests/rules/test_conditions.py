"""Conditions: what each operator says of each kind of value, what is refused and how."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.condition_nodes import Explanation
from hub.rules.condition_operators import OPERATORS
from hub.rules.conditions import MOST_DEPTH, MOST_NODES, MOST_PROBLEMS, Condition, compile_condition
from hub.rules.problems import Problem

PAYLOAD: Mapping[str, object] = {
    "event": "message.received",
    "data": {
        "text": "STOP please",
        "is_from_me": False,
        "sender": "+15550001",
        "count": 1,
        "ratio": 1.0,
        "reply_to_guid": None,
        "attachments": [{"mime_type": "image/png"}, {"mime_type": "audio/x-caf"}],
        "tags": ["a", 1, True, None, {"k": [1]}],
        "7": "seven",
    },
}


def compiled(document: object) -> Condition:
    condition = compile_condition(document)
    assert isinstance(condition, Condition), condition
    return condition


def problems(document: object) -> list[Problem]:
    result = compile_condition(document)
    assert isinstance(result, list), result
    return result


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"data.text": {"$contains": "STOP"}}, True),
        ({"data.text": {"$contains": "stop"}}, False),
        ({"data.text": {"$contains": "STOP"}, "data.is_from_me": False}, True),
        ({"data.text": {"$contains": "STOP"}, "data.is_from_me": True}, False),
        ({"event": "message.received"}, True),
        ({"data.text": {"$starts_with": "STOP"}}, True),
        ({"data.text": {"$starts_with": "please"}}, False),
        ({"data.text": {"$ends_with": "please"}}, True),
        ({"data.count": {"$starts_with": "1"}}, False),
        ({"data.count": 1}, True),
        ({"data.count": 1.0}, True),
        ({"data.ratio": 1}, True),
        ({"data.count": "1"}, False),
        ({"data.count": True}, False),
        ({"data.is_from_me": 0}, False),
        ({"data.reply_to_guid": None}, True),
        ({"data.missing": None}, False),
        ({"data.count": {"$neq": True}}, True),
        ({"data.count": {"$neq": 1.0}}, False),
        ({"data.missing": {"$neq": 1}}, True),
        ({"data.count": {"$gt": 0}}, True),
        ({"data.count": {"$gt": 1}}, False),
        ({"data.count": {"$gte": 1, "$lte": 1}}, True),
        ({"data.count": {"$lt": 1}}, False),
        ({"data.count": {"$gt": "0"}}, False),
        ({"data.is_from_me": {"$lt": 1}}, False),
        ({"data.sender": {"$gte": "+1", "$lt": "+2"}}, True),
        ({"data.missing": {"$lt": 1}}, False),
        ({"data.sender": {"$in": ["+15550001", "+15550002"]}}, True),
        ({"data.sender": {"$in": [15550001]}}, False),
        ({"data.count": {"$in": [True, None]}}, False),
        ({"data.count": {"$in": [1.0]}}, True),
        ({"data.is_from_me": {"$in": [0]}}, False),
        ({"data.is_from_me": {"$in": [False]}}, True),
        ({"data.reply_to_guid": {"$in": [None]}}, True),
        ({"data.missing": {"$in": [None, ""]}}, False),
        ({"data.tags": {"$in": ["a"]}}, False),
        ({"data.missing": {"$nin": ["x"]}}, True),
        ({"data.sender": {"$nin": ["+15550001"]}}, False),
        ({"data.reply_to_guid": {"$exists": True}}, True),
        ({"data.reply_to_guid": {"$exists": False}}, False),
        ({"data.missing": {"$exists": False}}, True),
        ({"data.missing.deeper": {"$exists": False}}, True),
        ({"data.text.deeper": {"$exists": False}}, True),
        ({"data.tags": {"$contains": "a"}}, True),
        ({"data.tags": {"$contains": 1}}, True),
        ({"data.tags": {"$contains": 2}}, False),
        ({"data.tags": {"$contains": None}}, True),
        ({"data.count": {"$contains": 1}}, False),
        ({"data.text": {"$contains": 1}}, False),
        ({"data.attachments.1.mime_type": {"$starts_with": "audio/"}}, True),
        ({"data.attachments.2.mime_type": {"$exists": True}}, False),
        ({"data.attachments.x": {"$exists": True}}, False),
        ({"data.attachments.01": {"$exists": True}}, False),
        ({"data.attachments.1": {"$eq": {"mime_type": "audio/x-caf"}}}, True),
        ({"data.text.0": {"$exists": True}}, False),
        ({"data.7": "seven"}, True),
        ({"data.tags": ["a", 1, True, None, {"k": [1]}]}, True),
        ({"data.tags": ["a", True, True, None, {"k": [1]}]}, False),
        ({"data.tags": ["a", 1, True, None, {"k": [True]}]}, False),
        ({"data": {"$eq": {"text": "STOP please"}}}, False),
        ({"$or": [{"data.count": 2}, {"data.count": 1}]}, True),
        ({"$or": [{"data.count": 2}, {"data.count": 3}]}, False),
        ({"$and": [{"data.count": 1}, {"data.ratio": 1}, {"event": "message.received"}]}, True),
        ({"$and": [{"data.count": 1}, {"data.ratio": 1}, {"event": "message.sent"}]}, False),
        ({"$not": {"data.count": 2, "event": "message.received"}}, True),
        ({"$not": {"event": "message.received"}}, False),
        ({"data.text": {"$not": {"$contains": "STOP"}}}, False),
        ({"data.missing": {"$not": {"$contains": "STOP"}}}, True),
        ({"data.text": {"$not": "STOP"}}, True),
    ],
    ids=str,
)
def test_matching(document: object, expected: bool) -> None:
    """No kind is turned into another; missing passes $neq, $nin and $exists: false only."""
    condition = compiled(document)

    assert condition.matches(PAYLOAD) is expected
    assert (condition.explain(PAYLOAD) is None) is expected


@pytest.mark.parametrize(
    ("document", "pointer", "words"),
    [
        ({}, "", "is empty"),
        ([], "", "a condition is an object"),
        (None, "", "a condition is an object"),
        ({"$or": []}, "/$or", "at least one"),
        ({"$or": {}}, "/$or", "at least one"),
        ({"$or": [{}]}, "/$or/0", "is empty"),
        ({"$not": []}, "/$not", "a condition is an object"),
        ({"a..b": 1}, "/a..b", "between its dots"),
        ({"": 1}, "/", "between its dots"),
        ({"a" * 201: 1}, "/" + "a" * 80, "at most 200 characters"),
        ({".".join("a" * 17): 1}, "/" + ".".join("a" * 17), "at most 16 parts"),
        ({1: 2}, "/1", "Put it in quotes"),
        ({"$contains": "x"}, "/$contains", "is no operator around paths"),
        ({"$nor": []}, "/$nor", '{"$not": {"$or"'),
        ({"a": {"$exist": True}}, "/a/$exist", "Did you mean $exists?"),
        ({"a": {"$startsWith": "x"}}, "/a/$startsWith", "Did you mean $starts_with?"),
        ({"a": {"$ne": 1}}, "/a/$ne", "Write $neq"),
        ({"a": {"$regex": ".*"}}, "/a/$regex", "no patterns here"),
        ({"a": {"$or": []}}, "/a/$or", "is no operator at a path"),
        ({"data": {"text": "x"}}, "/data", 'Write "data.…" as the path'),
        ({"data": {"$eq": 1, "text": "x"}}, "/data", "do not all begin with $"),
        ({"data": {}}, "/data", "do not all begin with $"),
        ({"a": {"$gt": True}}, "/a/$gt", "a number or a text"),
        ({"a": {"$gt": None}}, "/a/$gt", "a number or a text"),
        ({"a": {"$gt": float("nan")}}, "/a/$gt", "a number is finite"),
        ({"a": {"$in": "x"}}, "/a/$in", "a list of at least one value"),
        ({"a": {"$in": []}}, "/a/$in", "a list of at least one value"),
        ({"a": {"$in": [[1]]}}, "/a/$in", "holds texts, numbers"),
        ({"a": {"$in": ["x"] * 1001}}, "/a/$in", "at most 1000 items"),
        ({"a": {"$exists": 1}}, "/a/$exists", "true or false"),
        ({"a": {"$starts_with": ""}}, "/a/$starts_with", "not empty"),
        ({"a": {"$ends_with": 5}}, "/a/$ends_with", "not empty"),
        ({"a": {"$contains": ""}}, "/a/$contains", "part of every text"),
        ({"a": {"$contains": ["x"]}}, "/a/$contains", "a text, a number, true, false or null"),
        ({"a": "x" * 1001}, "/a", "at most 1000 characters"),
        ({"a": [[[[[[[[1]]]]]]]]}, "/a", "nested at most 8 deep"),
        ({"a": {"$eq": b"x"}}, "/a/$eq", "bytes is not a JSON value"),
        ({"a/b~c": {"$nope": 1}}, "/a~1b~0c/$nope", "no such operator"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_problems_are_placed_and_explained(document: object, pointer: str, words: str) -> None:
    """Each tells where, what, why and what to write instead."""
    (problem,) = problems(document)

    assert problem.pointer == pointer
    assert words in str(problem)


def test_all_problems_are_told_at_once() -> None:
    """A person mends a document in one go."""
    found = problems({"a": {"$gt": None, "$foo": 1}, "$or": [{"b": {"$in": []}}, 5]})

    assert [problem.pointer for problem in found] == ["/a/$gt", "/a/$foo", "/$or/0/b/$in", "/$or/1"]


def nested(depth: int) -> object:
    document: object = {"a": 1}
    for _ in range(depth - 1):
        document = {"$not": document}
    return document


def test_depth_and_size_are_limited() -> None:
    """At the limit a condition compiles, beyond it is refused once, however far beyond."""
    compiled(nested(MOST_DEPTH))
    compiled({f"a{number}": 1 for number in range(MOST_NODES - 1)})

    assert ["nested too deep" in problem.what for problem in problems(nested(MOST_DEPTH + 1))] == [True]
    assert ["too large" in problem.what for problem in problems({f"a{n}": 1 for n in range(MOST_NODES)})] == [
        True
    ]
    assert len(problems({f"${number}": 1 for number in range(10_000)})) == MOST_PROBLEMS


def test_bottomless_documents_are_refused_not_recursed() -> None:
    """Neither groups nor values can exhaust the stack."""
    value: object = 1
    document: object = {"a": 1}
    operators: object = 1
    for _ in range(5_000):
        value, document, operators = [value], {"$and": [document]}, {"$not": operators}

    assert problems({"a": value})
    assert problems(document)
    assert problems({"a": operators})


def test_explanation_names_the_first_failing_comparison() -> None:
    """The path, what was wanted, and what stood there."""
    condition = compiled({"event": "message.received", "data.text": {"$contains": "HELP"}, "data.count": 9})

    assert condition.explain(PAYLOAD) == Explanation(
        pointer="/data.text/$contains",
        path="data.text",
        operator="$contains",
        expected='"HELP"',
        actual='"STOP please"',
    )
    assert str(condition.explain(PAYLOAD)) == 'data.text $contains "HELP", but it is "STOP please"'


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"data.nope": 1}, "data.nope $eq 1, but it is missing"),
        ({"data.reply_to_guid": {"$exists": False}}, "data.reply_to_guid $exists false, but it is null"),
        ({"$or": [{"data.count": 2}, {"data.count": 3}]}, "data.count $eq 2, but it is 1"),
        ({"$not": {"data.count": 1}}, '$not {"data.count": 1}, but it is met'),
        ({"data.count": {"$not": {"$gt": 0}}}, 'data.count $not {"$gt": 0}, but it is 1'),
    ],
)
def test_explanations_read_well(document: object, sentence: str) -> None:
    """What `explain` shows to a person."""
    assert str(compiled(document).explain(PAYLOAD)) == sentence


def test_explanation_is_short_whatever_the_payload_holds() -> None:
    """At most 80 characters of a value are shown."""
    explanation = compiled({"a": "x"}).explain({"a": ["long"] * 1000})

    assert explanation is not None
    assert len(explanation.actual) == 80


def test_conditions_of_equal_documents_are_equal() -> None:
    """The match table evaluates equal conditions once per event."""
    one, same = compiled({"a": 1, "b": 2}), compiled({"b": 2, "a": 1})

    assert one == same
    assert len({one, same, compiled({"a": 1, "b": True})}) == 2


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*OPERATORS, "$and", "$or", "$not", "a", "a.b"]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
)


@given(json_values)
def test_any_json_compiles_or_is_explained(document: object) -> None:
    """No document raises; what compiles can be matched."""
    result = compile_condition(document)

    if isinstance(result, Condition):
        assert result.matches(PAYLOAD) in (True, False)
    else:
        assert 1 <= len(result) <= MOST_PROBLEMS
