"""How a message stands that its network carries as several."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from hub.flow.piece_ports import PieceRow
from hub.rules.pieces import standing_of


def piece(first_part: int, part_count: int = 1, **fields: Any) -> PieceRow:
    return PieceRow(1, f"G{first_part}", 7, 9, first_part, part_count, **fields)


#: pieces, parts → the parts that are there, done, sent, delivered, read, unsent, the part that failed
CASES: dict[str, tuple[list[PieceRow], int, tuple[Any, ...]]] = {
    "nothing": ([], 2, ((), 0, None, None, None, None, None)),
    "the first of two": ([piece(0, sent_at=3)], 2, ((0,), 1, None, None, None, None, None)),
    "the last of two": ([piece(1, sent_at=3)], 2, ((1,), 0, None, None, None, None, None)),
    "both sent": ([piece(0, sent_at=3), piece(1, sent_at=5)], 2, ((0, 1), 2, 5, None, None, None, None)),
    "one delivered": (
        [piece(0, sent_at=3, delivered_at=9), piece(1, sent_at=5)], 2, ((0, 1), 2, 5, None, None, None, None),
    ),
    "both delivered": (
        [piece(0, sent_at=3, delivered_at=9), piece(1, sent_at=5, delivered_at=6)],
        2,
        ((0, 1), 2, 5, 9, None, None, None),
    ),
    "the later one read, and the earlier one had arrived": (
        [piece(0, sent_at=3, delivered_at=4), piece(1, sent_at=5, read_at=8)], 2, ((0, 1), 2, 5, 8, 8, None, None),
    ),
    "the later one read, and nobody knows of the earlier one": (
        [piece(0, sent_at=3), piece(1, sent_at=5, read_at=8)], 2, ((0, 1), 2, 5, None, None, None, None),
    ),
    "the earlier one read": (
        [piece(0, sent_at=3, read_at=4), piece(1, sent_at=5)], 2, ((0, 1), 2, 5, None, None, None, None),
    ),
    "one failed": ([piece(0, sent_at=3), piece(1, failed_at=5)], 2, ((0,), 1, None, None, None, None, 1)),
    "one failed and arrived all the same": (
        [piece(0, sent_at=3), piece(1, sent_at=4, failed_at=5, delivered_at=6)],
        2,
        ((0, 1), 2, 4, None, None, None, None),
    ),
    "one failed, and another carries it": (
        [piece(0, sent_at=3), piece(1, failed_at=5), piece(1, sent_at=7)],
        2,
        ((0, 1), 2, 7, None, None, None, None),
    ),
    "one that carries all": ([piece(0, 0, sent_at=3, delivered_at=4)], 3, ((0, 1, 2), 3, 3, 4, None, None, None)),
    "one that carries the rest": (
        [piece(0, sent_at=3), piece(1, 0, sent_at=4)], 3, ((0, 1, 2), 3, 4, None, None, None, None),
    ),
    "a gap": ([piece(0, sent_at=3), piece(2, sent_at=4)], 3, ((0, 2), 1, None, None, None, None, None)),
    "all taken back": (
        [piece(0, sent_at=3, unsent_at=8), piece(1, sent_at=4, unsent_at=9)], 2, ((0, 1), 2, 4, None, None, 9, None),
    ),
    "beyond its parts": ([piece(5, 3, sent_at=1)], 2, ((), 0, None, None, None, None, None)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_the_least_of_its_parts_is_what_a_message_is(case: str) -> None:
    """In any order of the pieces."""
    pieces, part_count, expected = CASES[case]

    for shuffled in permutations(pieces):
        standing = standing_of(shuffled, part_count)
        failed = None if standing.failure is None else standing.failure[0]
        told = (standing.sent_at, standing.delivered_at, standing.read_at, standing.unsent_at, failed)
        assert (tuple(sorted(standing.present)), standing.parts_done, *told) == expected
