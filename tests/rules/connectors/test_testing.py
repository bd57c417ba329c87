"""When connections are tested: about once a day, not all at once."""

from __future__ import annotations

import pytest

from hub.rules.connectors.testing import EVERY_MS, FIRST_MS, next_test_at

NOW = 1_790_000_000_000
NAMES = [f"connection-{number}" for number in range(200)]


def test_one_that_was_never_tested_is_soon() -> None:
    due = [next_test_at(name, tested_at=None, since=NOW) - NOW for name in NAMES]

    assert 0 <= min(due) <= max(due) <= FIRST_MS
    assert max(due) - min(due) > FIRST_MS / 2


def test_the_next_is_a_day_later_more_or_less() -> None:
    due = [next_test_at(name, tested_at=NOW, since=NOW + EVERY_MS) - NOW for name in NAMES]

    assert EVERY_MS * 0.9 <= min(due) <= max(due) <= EVERY_MS * 1.1
    assert max(due) - min(due) > EVERY_MS * 0.1


@pytest.mark.parametrize("tested_at", [None, NOW])
def test_it_stays_the_same_whoever_asks(tested_at: int | None) -> None:
    asked = {next_test_at("crm", tested_at=tested_at, since=NOW) for _ in range(3)}

    assert len(asked) == 1
