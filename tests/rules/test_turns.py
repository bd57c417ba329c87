"""Whose turn it is on a line: tables, and a comparison with the order in plain words."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.turns import next_turn

NOW = 100


class Item(NamedTuple):
    """A pending item."""

    id: int
    next_attempt_at: int = 0
    dispatched_at: int | None = None
    priority: int = 0


TURNS: dict[str, tuple[list[Item], int | None, int | None]] = {
    "nothing": ([], None, None),
    "the oldest of equals": ([Item(2), Item(1)], 1, None),
    "the higher priority": ([Item(1), Item(2, priority=5)], 2, None),
    "what is planned stands aside": ([Item(1, 200), Item(2, 50)], 2, None),
    "a planned one queues by its time": ([Item(1, 60), Item(2, 50)], 2, None),
    "only planned ones": ([Item(1, 300), Item(2, 200, priority=9)], None, 200),
    "a planned one of high priority stands aside": ([Item(1), Item(2, 200, priority=9)], 1, None),
    "a waiting retry holds up its equals": ([Item(1, 150, 1), Item(2, 50)], None, 150),
    "a waiting retry holds up what is less urgent": (
        [Item(1, 150, 1, priority=5), Item(2, 50)],
        None,
        150,
    ),
    "what is more urgent does not wait for a retry": ([Item(1, 150, 1), Item(2, 50, priority=5)], 2, None),
    "a retry that is due goes before its equals": ([Item(5, 100, 1), Item(2, 50)], 5, None),
    "of two retries the older": ([Item(5, 100, 1), Item(4, 150, 2)], None, 150),
    "what was put off stands aside": ([Item(1, 150), Item(2, 50)], 2, None),
    "what is planned before the retry is looked at in time": (
        [Item(1, 180, 1), Item(2, 150, priority=5)],
        None,
        150,
    ),
}


@pytest.mark.parametrize("case", TURNS)
def test_turn(case: str) -> None:
    items, expected_id, look_at = TURNS[case]
    turn = next_turn(items, NOW)

    assert (turn.item.id if turn.item else None, turn.look_at) == (expected_id, look_at)


items = st.lists(
    st.builds(
        Item,
        id=st.integers(1, 50),
        next_attempt_at=st.integers(50, 150),
        dispatched_at=st.sampled_from([None, None, 40]),
        priority=st.integers(0, 3),
    ),
    max_size=12,
    unique_by=lambda item: item.id,
)


@given(items)
def test_of_what_was_never_tried_the_first_of_each_priority_is_enough(given_items: list[Item]) -> None:
    """The store gives no more of them."""
    fresh: dict[int, Item] = {}
    for item in sorted(given_items, key=lambda each: (each.next_attempt_at, each.id)):
        if item.dispatched_at is None:
            fresh.setdefault(item.priority, item)
    few = [item for item in given_items if item.dispatched_at is not None] + list(fresh.values())

    assert next_turn(few, NOW) == next_turn(given_items, NOW)


@given(items)
def test_somebody_is_next_or_there_is_an_instant_to_look_again(given_items: list[Item]) -> None:
    turn = next_turn(given_items, NOW)

    if turn.item is None:
        assert (turn.look_at is None) == (not given_items)
        assert turn.look_at is None or turn.look_at > NOW
    else:
        assert turn.item.next_attempt_at <= NOW
