"""What is asked of the store about messages. The rest of it stands in hub.flow.repositories."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from hub.flow.message_pages import MOST_READ, MessageFilter, MessagePage, Place
from hub.flow.piece_ports import PieceRow
from hub.flow.rows import MessageRow, ReactionRow


class Messages(Protocol):
    """Messages as they stand; a message that only a receipt has shown so far is not listed."""

    async def get(self, message_id: int) -> MessageRow | None:
        """By its id, or by the one that it was asked for under, where it was folded into what its network showed."""
        ...

    async def by_guid(self, line_id: int, guid: str) -> MessageRow | None: ...
    async def reactions(self, line_id: int, guid: str) -> list[ReactionRow]:
        """The reactions of one message, oldest first, taken back ones included."""
        ...

    async def reactions_of(self, message_ids: Sequence[int]) -> dict[int, list[ReactionRow]]:
        """The reactions of several messages, each as `reactions`; without those that have none."""
        ...

    async def pieces(self, message_id: int) -> list[PieceRow]:
        """The network's messages that one of ours became, by their parts; none where it is one."""
        ...

    async def last_read(self, chat_id: int) -> MessageRow | None:
        """Our message of the chat that was read last."""
        ...

    async def by_guid_on(self, line_ids: Sequence[int], guid: str) -> MessageRow | None:
        """The message that a network named so, on one of these lines."""
        ...

    async def firsts(self, chat_ids: Collection[int]) -> dict[int, int]:
        """The first message of each chat that has one."""
        ...

    async def evidence(self, dedupe_keys: Sequence[bytes]) -> dict[bytes, int]:
        """When what these keys stand for happened, as far as its events are kept."""
        ...

    async def page(
        self,
        wanted: MessageFilter,
        *,
        after: Place | None,
        limit: int,
        is_oldest_first: bool = False,
        most_read: int = MOST_READ,
    ) -> MessagePage:
        """By (sent_at, id), or as they were stored, latest first unless said otherwise. Where rows must be looked into,
        at most `most_read` of them are: such a page may be short, and still not the last.
        """
        ...

    async def page_at(
        self, wanted: MessageFilter, *, offset: int, limit: int, is_oldest_first: bool = False
    ) -> MessagePage:
        """After so many; as long as asked for unless it is the last. Only of what is countable."""
        ...

    async def count(self, wanted: MessageFilter) -> int:
        """How many there are on all pages. Only of what is countable."""
        ...
