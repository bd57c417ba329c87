"""What a message is: a table of everything that can have happened to it."""

from __future__ import annotations

import pytest

from hub.rules.message_status import MessageStatus, message_status

#: What happened, beside being queued at 1 → the status.
CASES: dict[str, tuple[dict[str, int | None], str]] = {
    "asked for": ({}, "queued"),
    "taken by the bridge": ({"accepted_at": 2}, "sent"),
    "sent from another device": ({"queued_at": None}, "sent"),
    "failed before the network": ({"failed_at": 2}, "failed"),
    "failed after it was taken": ({"accepted_at": 2, "failed_at": 3}, "failed"),
    "cancelled": ({"cancelled_at": 2}, "cancelled"),
    "delivered": ({"accepted_at": 2, "delivered_at": 3}, "delivered"),
    "delivered although it was said to have failed": ({"failed_at": 2, "delivered_at": 3}, "delivered"),
    "delivered although it was cancelled": ({"cancelled_at": 2, "delivered_at": 3}, "delivered"),
    "delivered before the bridge answered": ({"delivered_at": 3}, "delivered"),
    "read": ({"accepted_at": 2, "delivered_at": 3, "read_at": 4}, "read"),
    "read and never said to be delivered": ({"read_at": 4}, "read"),
    "taken back": ({"accepted_at": 2, "read_at": 4, "unsent_at": 5}, "unsent"),
    "cancelled and failed": ({"cancelled_at": 2, "failed_at": 3}, "cancelled"),
}


@pytest.mark.parametrize("case", CASES)
def test_status_of_our_own(case: str) -> None:
    happened, expected = CASES[case]

    assert message_status(is_from_me=True, **{"queued_at": 1, **happened}) == expected


@pytest.mark.parametrize("case", CASES)
def test_what_came_in_is_received(case: str) -> None:
    happened, _ = CASES[case]

    assert message_status(is_from_me=False, **happened) is MessageStatus.RECEIVED
