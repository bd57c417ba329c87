"""Who gets an event: the compiled table against a plain scan, laziness, and explanations."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.conditions import Condition, compile_condition
from hub.rules.event_types import EVENT_TYPES, SUBSCRIBABLE, expand_pattern
from hub.rules.matching import MatchTable, Subscription, Verdict

PAYLOAD: Mapping[str, object] = {"data": {"text": "STOP", "count": 1}}


def condition_of(document: object) -> Condition:
    condition = compile_condition(document)
    assert isinstance(condition, Condition)
    return condition


STOP = condition_of({"data.text": "STOP"})
GO = condition_of({"data.text": "GO"})


def wants(
    webhook_id: int,
    *patterns: str,
    line_id: int | None = None,
    condition: Condition | None = None,
    is_active: bool = True,
) -> Subscription:
    return Subscription(
        webhook_id=webhook_id, line_id=line_id, patterns=patterns, condition=condition, is_active=is_active
    )


def undecodable() -> Mapping[str, object]:
    raise AssertionError("the payload was decoded although no condition needs it")


TABLE = MatchTable(
    [
        wants(9, "message.*"),
        wants(2, "message.received", line_id=1),
        wants(3, "message.*", "message.received", line_id=1, condition=STOP),
        wants(4, "*", condition=GO),
        wants(5, "*", is_active=False),
        wants(6, "reaction.added", line_id=2),
        wants(7, "*", condition=STOP),
        wants(8, "webhook.disabled"),
        wants(1, "webhook.disabled", line_id=1),
    ]
)


@pytest.mark.parametrize(
    ("event_type", "line_id", "expected"),
    [
        ("message.received", 1, (2, 3, 7, 9)),
        ("message.received", 2, (7, 9)),
        ("message.sent", 1, (3, 7, 9)),
        ("reaction.added", 2, (6, 7)),
        ("webhook.disabled", None, (7, 8)),
        ("webhook.disabled", 1, (1, 7, 8)),
        ("typing.started", 1, ()),
        ("no.such_type", 1, ()),
    ],
)
def test_matching(event_type: str, line_id: int | None, expected: tuple[int, ...]) -> None:
    """By type, then line, then condition; ascending, each webhook once; inactive ones never."""
    assert TABLE.match(event_type, line_id, PAYLOAD) == expected
    assert TABLE.match(event_type, line_id, lambda: PAYLOAD) == expected


def test_payload_is_decoded_only_for_a_candidate_with_a_condition() -> None:
    """The hot path does not pay for conditions nobody has on this type and line."""
    table = MatchTable(
        [
            wants(3, "message.sent"),
            wants(1, "message.sent", line_id=7),
            wants(2, "message.read", condition=GO),
        ]
    )

    assert table.match("message.sent", 7, undecodable) == (1, 3)
    assert table.match("message.sent", 8, undecodable) == (3,)
    assert MatchTable([]).match("message.sent", 8, undecodable) == ()


def test_payload_is_decoded_and_equal_conditions_evaluated_once() -> None:
    """Ten thousand webhooks with the same filter cost one evaluation."""
    calls = []

    def decode() -> Mapping[str, object]:
        calls.append("decoded")
        return {"data": CountingData()}

    class CountingData(dict[str, object]):
        def __missing__(self, key: str) -> object:
            calls.append("read")
            return "STOP"

    many = [
        wants(number, "message.sent", condition=condition_of({"data.text": "STOP"})) for number in range(50)
    ]

    assert MatchTable(many).match("message.sent", 1, decode) == tuple(range(50))
    assert calls == ["decoded", "read"]


@pytest.mark.parametrize(
    ("webhook_id", "verdict", "reason"),
    [
        (2, Verdict.MATCHED, "it matched"),
        (9, Verdict.MATCHED, "it matched"),
        (4, Verdict.CONDITION_FAILED, 'its condition failed: data.text $eq "GO", but it is "STOP"'),
        (5, Verdict.INACTIVE, "the webhook is not active"),
        (
            6,
            Verdict.OTHER_TYPE,
            "none of its event types fits: message.received is not in reaction.added",
        ),
    ],
)
def test_explanations(webhook_id: int, verdict: Verdict, reason: str) -> None:
    """The complaint users make most: why did I not get it?"""
    (explanation,) = TABLE.explain("message.received", 1, PAYLOAD, webhook_id=webhook_id)

    assert (explanation.verdict, explanation.reason) == (verdict, reason)


def test_another_line_is_explained() -> None:
    """Type fits, line does not."""
    explanations = {
        one.webhook_id: one.verdict for one in TABLE.explain("reaction.added", 1, lambda: PAYLOAD)
    }

    assert explanations[6] is Verdict.OTHER_LINE
    assert len(explanations) == 9


patterns = st.sampled_from(["*", "message.*", "chat.*", *SUBSCRIBABLE])
subscriptions = st.lists(
    st.builds(
        wants,
        st.integers(1, 50),
        patterns,
        patterns,
        line_id=st.sampled_from([None, 1, 2]),
        condition=st.sampled_from([None, STOP, GO]),
        is_active=st.booleans(),
    ),
    max_size=20,
    unique_by=lambda one: one.webhook_id,
)


@given(subscriptions, st.sampled_from([one.name for one in EVENT_TYPES]), st.sampled_from([None, 1, 2, 3]))
def test_table_agrees_with_a_scan(found: list[Subscription], event_type: str, line_id: int | None) -> None:
    """The compiled table, a plain scan and the explanations say the same."""
    scanned = sorted(
        one.webhook_id
        for one in found
        if one.is_active
        and any(event_type in expand_pattern(pattern) for pattern in one.patterns)
        and one.line_id in (None, line_id)
        and (one.condition is None or one.condition.matches(PAYLOAD))
    )
    table = MatchTable(found)
    explained = [
        one.webhook_id
        for one in table.explain(event_type, line_id, PAYLOAD)
        if one.verdict is Verdict.MATCHED
    ]

    assert list(table.match(event_type, line_id, lambda: PAYLOAD)) == scanned == explained


changes = st.lists(st.tuples(st.sets(st.integers(1, 50), max_size=4), subscriptions), max_size=6)


@pytest.mark.slow
@pytest.mark.parametrize("most_changed", [0, 256])
@given(subscriptions, changes)
def test_a_changed_table_is_the_one_compiled_anew(
    most_changed: int, first: list[Subscription], turns: list[tuple[set[int], list[Subscription]]]
) -> None:
    """Whatever came and went, one by one or so much that all is compiled again; the old tables stay as they were."""
    kept = {one.webhook_id: one for one in first}
    before = table = MatchTable(first)
    was = verdicts(before)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hub.rules.matching.MOST_CHANGED", most_changed)
        for gone, now in turns:
            table = table.changed(gone, now)
            for number in gone:
                kept.pop(number, None)
            kept.update({one.webhook_id: one for one in now})

    assert verdicts(table) == verdicts(MatchTable(kept.values()))
    assert verdicts(before) == was


def verdicts(table: MatchTable) -> list[object]:
    """Everything that a table says about an event of each type on each line."""
    asked = [(one.name, line_id) for one in EVENT_TYPES for line_id in (None, 1, 2, 3)]
    return [
        (table.match(*what, PAYLOAD), table.explain(*what, PAYLOAD) if what[1] == 1 else None)
        for what in asked
    ]


def test_a_table_forgets_lines_and_types_that_nobody_asks_for() -> None:
    """A hub whose lines come and go does not grow."""
    table = MatchTable([wants(1, "*", line_id=7, condition=STOP), wants(2, "message.*")])

    assert table.changed([1, 2], [])._by_line == {}
