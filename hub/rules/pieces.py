"""How a message stands that its network carries as several: each a piece, with one or more of its parts.

The least of its parts is what the message is: sent, delivered, read and taken back when all of it is, failed when one
part failed and nothing else carries it. Pieces come in any order; the standing of a set of pieces is one.
Not here: which piece evidence is about (hub.flow.pieces).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Piece(Protocol):
    """One of the network's messages."""

    @property
    def first_part(self) -> int:
        """The first of the parts that it carries, from 0."""

    @property
    def part_count(self) -> int:
        """How many it carries; 0 for all from the first on."""

    @property
    def sent_at(self) -> int | None: ...
    @property
    def delivered_at(self) -> int | None: ...
    @property
    def read_at(self) -> int | None: ...
    @property
    def failed_at(self) -> int | None: ...
    @property
    def unsent_at(self) -> int | None: ...
    @property
    def error(self) -> str | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A message as its pieces show it. Times are Unix ms, and None unless they hold for all of it."""

    part_count: int
    #: The parts that the network has, from 0.
    present: frozenset[int]
    #: A part that failed, from 0, and the piece that says so.
    failure: tuple[int, Piece] | None
    sent_at: int | None
    delivered_at: int | None
    read_at: int | None
    unsent_at: int | None

    @property
    def is_whole(self) -> bool:
        """Whether the network has all of it."""
        return len(self.present) == self.part_count

    @property
    def parts_done(self) -> int:
        """How many parts the network has from the first one on, without a gap."""
        return next((part for part in range(self.part_count) if part not in self.present), self.part_count)


def parts_in(piece: Piece, part_count: int) -> range:
    """Give the parts that a piece carries, of so many."""
    end = piece.first_part + piece.part_count if piece.part_count else part_count
    return range(min(piece.first_part, part_count), min(end, part_count))


def standing_of(pieces: Iterable[Piece], part_count: int) -> Standing:
    """Say how a message of so many parts stands."""
    by_part: list[list[Piece]] = [[] for _ in range(part_count)]
    for piece in pieces:
        for part in parts_in(piece, part_count):
            by_part[part].append(piece)
    good = [[piece for piece in found if _is_there(piece)] for found in by_part]
    failed = ((part, found[0]) for part, found in enumerate(by_part) if found and not good[part])
    read = _read_times(good)
    delivered = [
        _first([*(piece.delivered_at for piece in found), at]) for found, at in zip(good, read, strict=True)
    ]
    return Standing(
        part_count=part_count,
        present=frozenset(part for part, found in enumerate(good) if found),
        failure=next(failed, None),
        sent_at=_last([_first(piece.sent_at for piece in found) for found in good]),
        delivered_at=_last(delivered),
        read_at=_last(read),
        unsent_at=_last([_first(piece.unsent_at for piece in found) for found in good]),
    )


def _is_there(piece: Piece) -> bool:
    """Tell whether the network has it: a failure counts only while nobody has it."""
    return piece.failed_at is None or piece.delivered_at is not None or piece.read_at is not None


def _read_times(good: Sequence[Sequence[Piece]]) -> list[int | None]:
    """Give when each part was read.

    Networks mark the newest message only: whoever has read a later part has read an earlier one that had arrived.
    """
    times: list[int | None] = []
    later: int | None = None
    for found in reversed(good):
        own = _first(piece.read_at for piece in found)
        has_arrived = any(piece.delivered_at is not None for piece in found)
        times.append(_first([own, later if has_arrived else None]))
        later = _first([own, later])
    return times[::-1]


def _first(times: Iterable[int | None]) -> int | None:
    return min((at for at in times if at is not None), default=None)


def _last(times: Sequence[int | None]) -> int | None:
    """Give the last of them; None unless each is known."""
    known = [at for at in times if at is not None]
    return max(known, default=None) if len(known) == len(times) else None
