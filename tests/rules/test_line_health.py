"""When a line is not well, and that a flutter is not told."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.line_health import (
    BETTER_AFTER_MS,
    WORSE_AFTER_MS,
    Figures,
    HealthWarning,
    LineState,
    Signals,
    Standing,
    event_of,
    find_warnings,
    look,
    status_of,
)
from tests.rules.policies import POLICY

WELL = Signals(
    is_active=True,
    is_bridge_enabled=True,
    bridge_status="online",
    bridge_reason=None,
    spent_budget=None,
    recent=Figures(sent=50, delivered=50, received=50),
    week=Figures(sent=100, delivered=100, received=100),
    unanswered=0,
)
STANDING = Standing(state=LineState.ACTIVE, reason=None, since=0)
MINUTE = 60_000


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="well"),
        pytest.param({"bridge_status": "offline"}, ["bridge_offline"], id="offline"),
        pytest.param({"bridge_status": "degraded"}, ["bridge_degraded"], id="degraded"),
        pytest.param({"is_active": False}, ["line_inactive"], id="switched-off"),
        pytest.param({"is_bridge_enabled": False}, ["bridge_disabled"], id="bridge-disabled"),
        pytest.param({"spent_budget": "messages"}, ["messages_spent"], id="budget"),
        pytest.param({"unanswered": 4}, [], id="four-unanswered"),
        pytest.param({"unanswered": 5}, ["unanswered"], id="five-unanswered"),
        pytest.param({"week": Figures(sent=100, received=10)}, ["sent_received_ratio"], id="ten-to-one"),
        pytest.param({"week": Figures(sent=99, received=10)}, [], id="below-ten-to-one"),
        pytest.param({"week": Figures(sent=19, received=0)}, [], id="too-few-to-say"),
        pytest.param({"week": Figures(sent=20, received=0)}, ["sent_received_ratio"], id="nothing-received"),
        pytest.param({"recent": Figures(sent=16, failed=4)}, ["failures"], id="a-fifth-failed"),
        pytest.param({"recent": Figures(sent=17, failed=4)}, [], id="less-than-a-fifth-failed"),
        pytest.param({"recent": Figures(sent=20, undelivered=6)}, ["undelivered"], id="undelivered"),
        pytest.param(
            {"recent": Figures(sent=20, undelivered=20), "week": Figures(sent=20, received=20)}, [],
            id="a-network-that-never-tells",
        ),
        pytest.param(
            {"bridge_status": "offline", "unanswered": 9, "spent_budget": "messages"},
            ["bridge_offline", "unanswered", "messages_spent"],
            id="the-worst-comes-first",
        ),
    ],
)  # fmt: skip
def test_what_is_not_well(changes: dict[str, object], expected: list[str]) -> None:
    """Thresholds as facts from vendors suggest them."""
    signals = replace(WELL, **changes)  # type: ignore[arg-type] # fields of Signals

    found = find_warnings(signals, POLICY, known=frozenset())

    assert [each.code for each in found] == expected


def test_a_warning_ends_later_than_it_began() -> None:
    """Four of five unanswered are not yet well once five were not."""
    known = frozenset({"unanswered"})

    assert find_warnings(replace(WELL, unanswered=4), POLICY, known=known)
    assert not find_warnings(replace(WELL, unanswered=3), POLICY, known=known)


def test_a_threshold_of_nothing_never_warns() -> None:
    """0 switches a warning off."""
    policy = replace(POLICY, unanswered_warning=0, ratio_warning=0.0, failed_warning=0.0)
    bad = replace(WELL, unanswered=99, week=Figures(sent=99), recent=Figures(failed=99))

    assert find_warnings(bad, policy, known=frozenset()) == []


def warning(state: LineState) -> list[HealthWarning]:
    return [] if state is LineState.ACTIVE else [HealthWarning(code=state.value, state=state, message="")]


states = st.sampled_from(LineState)
looks = st.lists(st.tuples(states, st.integers(1, 4 * MINUTE)), max_size=60)


@given(looks, states, st.integers(1000, BETTER_AFTER_MS))
def test_what_lasts_is_told_once(before: list[tuple[LineState, int]], state: LineState, pace: int) -> None:
    """Whatever was seen before: after the settling time, and then never again."""
    standing, now, told = STANDING, 0, 0
    for seen, wait in before:
        now += wait
        standing, _ = look(standing, warning(seen), now_ms=now)
    was = standing.state
    for _ in range(2 * BETTER_AFTER_MS // pace + 3):
        now += pace
        standing, is_new = look(standing, warning(state), now_ms=now)
        told += is_new

    assert standing.state is state
    assert told == (was is not state)


@given(looks)
def test_no_flutter_is_told_faster_than_it_settles(seen: list[tuple[LineState, int]]) -> None:
    """Two changes are a settling time apart."""
    standing, now, changes = STANDING, 0, []
    for state, wait in seen:
        now += wait
        standing, is_new = look(standing, warning(state), now_ms=now)
        if is_new:
            changes.append(now)
            assert standing.state is state

    assert all(later - earlier >= WORSE_AFTER_MS for earlier, later in pairwise(changes))


@given(st.lists(st.integers(1, WORSE_AFTER_MS // 2 - 1), min_size=2, max_size=60))
def test_what_comes_and_goes_is_not_told(waits: list[int]) -> None:
    """A bridge that drops out for seconds."""
    standing, now = STANDING, 0
    for number, wait in enumerate(waits):
        now += wait
        state = LineState.OFFLINE if number % 2 else LineState.ACTIVE
        standing, is_new = look(standing, warning(state), now_ms=now)

        assert not is_new


def test_states_have_their_events() -> None:
    """And the status that a line shows."""
    assert [event_of(state) for state in LineState] == [
        "line.online",
        "line.degraded",
        "line.degraded",
        "line.offline",
    ]
    assert status_of(LineState.FLAGGED) == "degraded"
