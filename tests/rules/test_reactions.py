"""What a new reaction takes the place of."""

from __future__ import annotations

import pytest

from hub.model.capability import CAPABILITIES
from hub.rules.reactions import REACT_MANY, slot_of

SLOTS = {
    "one on the whole": ("love", 0, False, ""),
    "another one of the same person": ("🎉", 0, False, ""),
    "on a later part": ("love", 3, False, "3"),
    "one of many": ("love", 0, True, ":love"),
    "another one of many": ("🎉", 0, True, ":🎉"),
    "one of many on a part": ("love", 3, True, "3:love"),
}


@pytest.mark.parametrize("case", SLOTS)
def test_slots(case: str) -> None:
    word, part, is_one_of_many, slot = SLOTS[case]

    assert slot == slot_of(word, part=part, is_one_of_many=is_one_of_many)


def test_networks_say_so_by_a_capability() -> None:
    assert REACT_MANY in CAPABILITIES
