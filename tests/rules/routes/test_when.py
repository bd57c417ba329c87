"""The `when` of a route: what holds, why not, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.condition_paths import MISSING, compile_path
from hub.rules.problems import Problem
from hub.rules.routes.matchers import MATCHERS
from hub.rules.routes.when import When, compile_when

NOON = int(datetime(2026, 8, 4, 12, 0, tzinfo=UTC).timestamp() * 1000)  # a Tuesday
EVENT: dict[str, Any] = {
    "type": "message.received",
    "direction": "inbound",
    "text": " Stop. ",
    "attempt": 2,
    "is_group": False,
    "assignee": None,
    "ip": "10.1.2.3",
    "contact": {"tags": ["vip", "Beta"], "name": "Ann"},
    "conversation": {"is_new": True},
}


def when(written: object, **more: Any) -> When:
    compiled = compile_when(written, **more)
    assert isinstance(compiled, When), [str(each) for each in compiled]
    return compiled


HOLDS: list[dict[str, Any]] = [
    {"direction": "inbound"},
    {"direction": ["outbound", "inbound"]},
    {"conversation.is_new": True},
    {"assignee": None},
    {"attempt": 2},
    {"attempt": 2.0},
    {"contact.tags": "vip"},
    {"contact.tags": ["other", "vip"]},
    {"contact.tags": {"all_of": ["vip", "Beta"]}},
    {"contact.tags": {"none_of": ["customer"]}},
    {"contact.tags": {"contains": "vip"}},
    {"contact.tags": {"any_of": ["BETA"], "normalize": "casefold"}},
    {"contact.tags": {"not": "customer"}},
    {"contact.tags.0": "vip"},
    {"text": {"any_of": ["STOP", "END"], "normalize": "keyword"}},
    {"text": {"contains": "Stop"}},
    {"text": {"contains": "STOP", "normalize": "casefold"}},
    {"text": {"starts_with": " St"}},
    {"text": {"ends_with": ". "}},
    {"attempt": {"gt": 1, "lte": 2}},
    {"attempt": {"between": [2, 3]}},
    {"text": {"gte": " ", "lt": "!"}},
    {"nothing": {"exists": False}},
    {"assignee": {"exists": False}},
    {"text": {"exists": True}},
    {"text": {"matches": "(?i)st.p"}},
    {"ip": {"cidr": "10.0.0.0/8"}},
    {"ip": {"cidr": ["192.168.0.0/16", "10.1.0.0/16"]}},
    {"now": {"inside": {"days": "mon-fri", "from": "09:00", "to": "18:00", "timezone": "UTC"}}},
    {"now": {"outside": {"days": ["sat", "sun"], "timezone": "UTC"}}},
    {
        "now": {
            "inside": [
                {"days": "sun", "timezone": "UTC"},
                {"from": "12:00", "to": "12:01", "timezone": "UTC"},
            ]
        }
    },
    {"direction": "inbound", "conversation.is_new": True},
]
FAILS: list[tuple[dict[str, Any], str]] = [
    ({"direction": "outbound"}, 'direction is "inbound", not "outbound"'),
    ({"attempt": "2"}, 'attempt is 2, not "2"'),
    ({"is_group": 0}, "is_group is false, not 0"),
    ({"nothing": "x"}, "nothing: the event has no such field"),
    ({"nothing": {"none_of": ["x"]}}, "nothing: the event has no such field"),
    ({"nothing": {"not": "x"}}, "nothing: the event has no such field"),
    ({"contact.age": {"gt": 1}}, "contact.age: the event has no such field"),
    ({"assignee": {"exists": True}}, "assignee is null, which fails exists true"),
    ({"direction": {"exists": False}}, 'direction is "inbound", which fails exists false'),
    ({"direction": {"matches": "^out"}}, 'direction is "inbound", which fails matches "^out"'),
    ({"contact.tags": {"none_of": ["vip"]}}, 'contact.tags is ["vip", "Beta"], which fails none_of ["vip"]'),
    (
        {"contact.tags": {"all_of": ["vip", "x"]}},
        'contact.tags is ["vip", "Beta"], which fails all_of ["vip", "x"]',
    ),
    ({"contact.tags": "customer"}, 'contact.tags is ["vip", "Beta"], not "customer"'),
    ({"text": {"any_of": ["STOP"]}}, 'text is " Stop. ", which fails any_of ["STOP"]'),
    ({"text": {"gt": 1}}, 'text is " Stop. ", which fails gt 1'),
    ({"attempt": {"gt": 1, "lt": 2}}, "attempt is 2, which fails lt 2"),
    ({"ip": {"cidr": "2001:db8::/32"}}, 'ip is "10.1.2.3", which fails cidr "2001:db8::/32"'),
    ({"direction": "inbound", "attempt": 3}, "attempt is 2, not 3"),
]


@pytest.mark.parametrize("written", HOLDS, ids=str)
def test_it_holds(written: dict[str, Any]) -> None:
    compiled = when(written)

    assert compiled.holds(EVENT, NOON)
    assert compiled.failed(EVENT, NOON) is None


@pytest.mark.parametrize(("written", "why"), FAILS, ids=str)
def test_it_fails_and_says_why(written: dict[str, Any], why: str) -> None:
    compiled = when(written)

    assert not compiled.holds(EVENT, NOON)
    assert str(compiled.failed(EVENT, NOON)) == why


@pytest.mark.parametrize(
    ("clock", "is_inside"),
    [
        ("2026-08-03T16:59:00", False),  # Monday 09:59 in Los Angeles
        ("2026-08-03T17:00:00", True),
        ("2026-08-04T05:59:00", True),  # Monday 22:59
        ("2026-08-04T06:00:00", False),
        ("2026-08-08T20:00:00", False),  # Saturday 13:00
    ],
)
def test_windows_go_by_the_clock_of_their_place(clock: str, is_inside: bool) -> None:
    window = {"days": "mon-fri", "from": "10:00", "to": "23:00"}
    compiled = when({"now": {"inside": window}}, timezone="America/Los_Angeles")
    now_ms = int(datetime.fromisoformat(f"{clock}+00:00").timestamp() * 1000)

    assert compiled.holds({}, now_ms) is is_inside


@pytest.mark.parametrize(
    ("hour", "is_inside"), [(21, False), (22, True), (23, True), (3, True), (6, False), (12, False)]
)
def test_a_window_past_midnight_belongs_to_the_day_on_which_it_began(hour: int, is_inside: bool) -> None:
    compiled = when({"now": {"inside": {"days": "fri", "from": "22:00", "to": "06:00", "timezone": "UTC"}}})
    day = 7 if hour > 12 else 8  # the 7th is a Friday
    now_ms = int(datetime(2026, 8, day, hour, tzinfo=UTC).timestamp() * 1000)

    assert compiled.holds({}, now_ms) is is_inside


def test_the_clock_is_shown_in_the_explanation() -> None:
    failed = when({"now": {"inside": {"days": "sun", "timezone": "Europe/Berlin"}}}).failed({}, NOON)

    assert failed is not None
    assert (failed.path, failed.actual) == ("now", "tue 14:00 Europe/Berlin")


REFUSED: list[tuple[object, str]] = [
    (
        {},
        "`when` is no map: it would say nothing. Write paths and values, such as direction: inbound; or leave",
    ),
    ("inbound", "`when` is no map: it would say nothing."),
    ({"event.direction": "x"}, "/event.direction: 'event.direction' names the event: paths begin in it"),
    ({"a..b": "x"}, "/a..b: 'a..b' is no path: a path has a name or an index between its dots."),
    (
        {"text": {"contain": "x"}},
        "/text/contain: 'contain' is no matcher: none has this name. Did you mean contains?",
    ),
    ({"text": {"$in": ["x"]}}, "/text/$in: '$in' is no matcher"),
    (
        {"contact": {"name": "Ann"}},
        "/contact/name: 'name' is no matcher: none has this name. If it is a field of",
    ),
    ({"text": {}}, "/text: the matchers are empty: nothing is asked of the field."),
    (
        {"text": {"contains": ""}},
        '/text/contains: contains cannot take "": the empty text is part of every text.',
    ),
    ({"text": {"any_of": "STOP"}}, '/text/any_of: any_of cannot take "STOP": it takes a list'),
    ({"text": []}, "/text: any_of cannot take []: it takes a list of at least one value."),
    (
        {"attempt": {"between": [3, 1]}},
        "/attempt/between: between cannot take [3, 1]: its first value is the lesser",
    ),
    ({"attempt": {"between": [1, "x"]}}, "/attempt/between: between cannot take"),
    (
        {"text": {"matches": "(a"}},
        "/text/matches: matches cannot take \"(a\": '(a' is no regular expression that can be used here: "
        "missing ): (a. Give it a fitting value.",
    ),
    ({"text": {"exists": "yes"}}, '/text/exists: exists cannot take "yes": it takes true or false.'),
    ({"ip": {"cidr": "10.0.0.0/40"}}, "/ip/cidr: cidr cannot take"),
    (
        {"text": {"any_of": ["a"], "normalize": "lower"}},
        "/text/normalize: 'lower' is no way to normalize: there are none",
    ),
    (
        {"text": "{{ event.x }}"},
        "/text: '{{ event.x }}' is a template: `when` compares with fixed values. Use `if`",
    ),
    ({"now": "night"}, "/now: `now` cannot be read: it is inside or outside of windows."),
    ({"now": {"inside": {"from": "9", "timezone": "UTC"}}}, "/now/inside/from: '9' is no time of day"),
    ({"now": {"inside": {"days": "weekend", "timezone": "UTC"}}}, "/now/inside/days: 'weekend' is no day"),
    ({"now": {"inside": {"days": "mon"}}}, "/now/inside/timezone: the window names no time zone"),
    (
        {"now": {"inside": {"day": "mon", "timezone": "UTC"}}},
        "/now/inside/day: a window has no 'day': nothing reads",
    ),
    ({"now": {"inside": {"timezone": "Berlin"}}}, "/now/inside/timezone: 'Berlin' is no time zone"),
]


@pytest.mark.parametrize(("written", "text"), REFUSED, ids=lambda each: str(each)[:40])
def test_it_cannot_be_read_and_says_what_to_write(written: object, text: str) -> None:
    problems = compile_when(written)

    assert isinstance(problems, list)
    assert str(problems[0]).startswith(text)


def test_all_problems_are_told_at_once() -> None:
    problems = compile_when({"text": {"contain": "x"}, "now": 1, "a..b": 2}, pointer="/routes/0/when")

    assert isinstance(problems, list)
    assert [each.pointer for each in problems] == [
        "/routes/0/when/text/contain",
        "/routes/0/when/now",
        "/routes/0/when/a..b",
    ]


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        (
            {"direction": "inbound", "channel": ["sms", "imessage"]},
            (("direction", frozenset({"inbound"})), ("channel", frozenset({"sms", "imessage"}))),
        ),
        ({"contact.tags": "vip"}, (("contact.tags", frozenset({"vip"})),)),
        ({"text": {"any_of": ["STOP"], "normalize": "keyword"}}, ()),
        ({"attempt": 2}, ()),
        ({"channel": ["sms", None]}, ()),
        ({"text": {"none_of": ["x"]}}, ()),
    ],
)
def test_an_index_may_look_up_only_what_must_stand_as_written(written: Any, keys: Any) -> None:
    assert when(written).keys == keys


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["a", "a.b", "now", "x..y"]),
        VALUES
        | st.dictionaries(st.sampled_from([*MATCHERS, "normalize", "inside", "odd"]), VALUES, max_size=3),
    ),
    st.dictionaries(st.sampled_from(["a", "b", "now"]), VALUES),
)
def test_no_document_and_no_event_make_it_raise(written: dict[str, Any], event: dict[str, Any]) -> None:
    compiled = compile_when(written)
    if isinstance(compiled, When):
        assert compiled.holds(event, NOON) is (compiled.failed(event, NOON) is None)
        for path, texts in compiled.keys if compiled.holds(event, NOON) else ():
            value = compile_path(path)(event)
            items = value if isinstance(value, list) else [value]
            assert value is not MISSING
            assert any(each in texts for each in items if isinstance(each, str))
    else:
        assert all(isinstance(each, Problem) for each in compiled)
