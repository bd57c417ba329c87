"""What groups, polls and the like need of the hot transaction. Both databases implement it; one suite holds them to it.

Keys are unique within a batch; an empty batch costs nothing, so messages pay nothing for what happens seldom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.flow.chat_rows import ChatState, MemberRow, PlaceRow, PollRow, VoteRow

#: (line id, chat key or the network's id)
Pair = tuple[int, str]


class ChatStatements(Protocol):
    """Set-based statements of one transaction."""

    async def merge_members(self, rows: Sequence[MemberRow]) -> None:
        """Let the latest word on each member count."""
        ...

    async def members(self, chat_ids: Sequence[int]) -> list[MemberRow]:
        """The latest word on each who ever came or went in these chats, in no order."""
        ...

    async def ids(self, keys: Sequence[Pair]) -> dict[Pair, int]:
        """The ids of the chats under these (line_id, chat_key) that exist."""
        ...

    async def keys(self, chat_ids: Sequence[int]) -> dict[int, str]:
        """The chat_key of each of these chats that exists."""
        ...

    async def states(self, chat_ids: Sequence[int]) -> list[ChatState]:
        """How these chats stand; nobody else changes them before this transaction ends."""
        ...

    async def save_states(self, rows: Sequence[ChatState]) -> None:
        """Overwrite how chats stand."""
        ...

    async def merge_polls(self, rows: Sequence[PollRow]) -> list[PollRow]:
        """Insert, or complete those of the same (line_id, guid); return them as they now are, in the order given."""
        ...

    async def merge_votes(self, rows: Sequence[VoteRow]) -> None:
        """Let the latest vote of each voter count."""
        ...

    async def votes(self, keys: Sequence[Pair]) -> list[VoteRow]:
        """All votes in the polls of these (line_id, guid)."""
        ...

    async def save_places(self, rows: Sequence[PlaceRow]) -> None:
        """Insert or overwrite."""
        ...

    async def release_pictures(self, kind: str, user_id: int, *, kept: int | None, now: int) -> None:
        """Let go of the files that somebody showed before, but for `kept`; they are touched."""
        ...

    async def save_card(self, line_id: int, card: str, synced_at: int) -> None:
        """Insert or overwrite a line's contact card (JSON)."""
        ...
