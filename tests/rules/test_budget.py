"""Which limits a message must keep, and which of those that are used up is told."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from hub.model.outbox import OperationKind
from hub.rules.budget import Counter, budgets, first_exhausted, new_per_day
from tests.rules.policies import POLICY

DAY = 86_400_000
NOON = 1_780_315_200_000  # 2026-06-01T12:00Z
LIMITED = replace(POLICY, new_conversations_per_hour=3, new_conversations_per_day=20, messages_per_day=100)


@pytest.mark.parametrize(
    ("warm_up", "per_day", "days", "expected"),
    [
        ((), 20, 0, 20),
        ((5, 10), 20, 0, 5),
        ((5, 10), 20, 1, 10),
        ((5, 10), 20, 2, 20),
        ((5, 100), 20, 1, 20),
        ((5, 10), 0, 1, 10),
        ((5, 10), 0, 2, 0),
        ((5, 0, 7), 20, 1, 20),
    ],
)
def test_a_new_number_warms_up(warm_up: tuple[int, ...], per_day: int, days: int, expected: int) -> None:
    """The first days have limits of their own; 0 sets none."""
    policy = replace(POLICY, warm_up_per_day=warm_up, new_conversations_per_day=per_day)

    found = new_per_day(policy, ZoneInfo("UTC"), since_ms=NOON, now_ms=NOON + days * DAY)

    assert found == expected


def test_a_number_used_from_tomorrow_on_is_as_new_as_can_be() -> None:
    """A date in the future is the first day."""
    policy = replace(POLICY, warm_up_per_day=(1,), new_conversations_per_day=9)

    assert new_per_day(policy, ZoneInfo("UTC"), since_ms=NOON + 5 * DAY, now_ms=NOON) == 1


@pytest.mark.parametrize(
    ("kind", "is_new", "expected"),
    [
        (OperationKind.SEND, False, {Counter.MESSAGES_BY_DAY}),
        (OperationKind.SEND, True, {Counter.MESSAGES_BY_DAY, Counter.NEW_BY_DAY, Counter.NEW_BY_HOUR}),
        (OperationKind.FACETIME, True, {Counter.NEW_BY_DAY, Counter.NEW_BY_HOUR}),
        (OperationKind.FACETIME, False, set()),
        (OperationKind.TYPING, True, set()),
        (OperationKind.REACT, True, set()),
        (OperationKind.EDIT, True, set()),
    ],
)
def test_what_counts(kind: OperationKind, expected: set[Counter], *, is_new: bool) -> None:
    """Messages; and what can open a conversation, when it does."""
    found = budgets(LIMITED, kind, since_ms=0, now_ms=NOON, is_new=is_new)

    assert {budget.counter for budget in found} == expected


def test_a_limit_of_nothing_is_none() -> None:
    """0 switches a limit off."""
    assert budgets(POLICY, OperationKind.SEND, since_ms=0, now_ms=NOON, is_new=True) == ()


def test_days_are_the_lines_own() -> None:
    """Noon in UTC is the next day on an island in the east."""
    policy = replace(LIMITED, time_zone="Pacific/Kiritimati")

    (budget,) = budgets(policy, OperationKind.SEND, since_ms=0, now_ms=NOON, is_new=False)

    assert (budget.window.start_ms - NOON) / 3_600_000 == -2


def test_the_limit_that_lasts_longest_is_told() -> None:
    """It is no use to come back in an hour when the day is used up."""
    wanted = budgets(LIMITED, OperationKind.SEND, since_ms=0, now_ms=NOON, is_new=True)
    start = {budget.counter: budget.window.start_ms for budget in wanted}
    hour, day = Counter.NEW_BY_HOUR, Counter.NEW_BY_DAY

    both = first_exhausted(wanted, {(hour, start[hour]): 3, (day, start[day]): 20})
    one = first_exhausted(wanted, {(hour, start[hour]): 3, (day, start[day]): 19})
    none = first_exhausted(wanted, {(hour, start[hour]): 2, (day, start[day] - DAY): 99})

    assert both is not None
    assert (both.budget.counter, both.used, both.period) == (day, 20, "day")
    assert one is not None
    assert (one.budget.counter, one.period, one.is_about_conversations) == (hour, "hour", True)
    assert none is None
