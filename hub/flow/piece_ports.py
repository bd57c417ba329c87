"""What messages in pieces need of the hot transaction. Both databases implement it; one suite holds them to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class PieceRow(NamedTuple):
    """message_pieces: one of the network's messages that became of one of ours (hub.rules.pieces)."""

    line_id: int
    guid: str
    message_id: int
    #: The attempt that made it.
    outbox_id: int
    first_part: int
    #: 0: all from the first one on.
    part_count: int
    sent_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    failed_at: int | None = None
    #: JSON, as in messages.
    error: str | None = None
    unsent_at: int | None = None


class PieceStatements(Protocol):
    """Set-based statements of one transaction; an empty batch costs nothing.

    Whoever changes the pieces of a message has its row first (`messages_by_id`): so two never count past each other.
    """

    async def merge(self, rows: Sequence[PieceRow]) -> None:
        """Insert, or merge by (line_id, guid): whose it is stays; the first time of each counts."""
        ...

    async def by_guid(self, keys: Sequence[tuple[int, str]]) -> list[PieceRow]:
        """The pieces of these (line_id, guid)."""
        ...

    async def of(self, message_ids: Sequence[int]) -> list[PieceRow]:
        """All pieces of these messages."""
        ...

    async def move(self, pairs: Sequence[tuple[int, int]]) -> None:
        """Let other messages take over: (from, to)."""
        ...

    async def of_others(self, message_id: int, outbox_id: int, since_ms: int, limit: int) -> list[str]:
        """The guids of the pieces of what other items sent to the message's chat since then."""
        ...

    async def hide(self, pieces: Sequence[PieceRow]) -> list[PieceRow]:
        """Put messages of the same (line_id, guid) out of sight that are no other send's; give the pieces of those that
        there were, with their receipts.
        """
        ...

    async def forget(self, keys: Sequence[tuple[int, str]]) -> None:
        """Delete the pieces of these (line_id, guid)."""
        ...
