"""What keeping a line safe needs of the hot transaction. Both databases implement it; one suite holds them to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.flow.safety_rows import (
    BridgeStatusRow,
    ConsentLogRow,
    ConsentRow,
    ConversationRow,
    CountKey,
    OpeningRow,
)

#: (scope line id or line id, handle or chat key)
Pair = tuple[int, str]


class SafetyStatements(Protocol):
    """Set-based statements of one transaction; an empty batch costs nothing."""

    async def consents_of(self, keys: Sequence[Pair]) -> list[ConsentRow]:
        """The consents of these (scope_line_id, handle) that were ever given or taken back."""
        ...

    async def insert_consent_log(self, rows: Sequence[ConsentLogRow]) -> set[int]:
        """Insert; return the ids inserted, without those whose dedupe key is known."""
        ...

    async def merge_consent(self, row: ConsentRow) -> bool:
        """Let a word count if it supersedes the one that stands; tell whether it does."""
        ...

    async def conversations(self, keys: Sequence[Pair]) -> list[ConversationRow]:
        """What is known of these (line_id, chat_key); one never heard of is left out."""
        ...

    async def insert_openings(self, rows: Sequence[OpeningRow]) -> None: ...

    async def lock_counts(self, keys: Sequence[CountKey]) -> Mapping[CountKey, int]:
        """Give the counters, 0 for new ones; nobody else changes them before this transaction ends."""
        ...

    async def set_counts(self, counts: Mapping[CountKey, int]) -> None:
        """Set counters that are locked."""
        ...

    async def report_bridges(self, rows: Sequence[BridgeStatusRow]) -> None:
        """Keep what bridges say of their lines."""
        ...
