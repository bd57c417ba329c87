"""What inbound sources need of the store. Both databases implement it; one suite holds them to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.model.source import Rejection, RejectionTally


class MemoryRow(NamedTuple):
    """source_memory: something that counts once until a moment."""

    #: hub.rules.sources.intake.memory_key.
    key: bytes
    #: Unix ms.
    expires_at: int


class SourceStatements(Protocol):
    """Set-based statements of one transaction; an empty batch costs nothing."""

    async def remember(self, rows: Sequence[MemoryRow], *, now_ms: int) -> set[bytes]:
        """Remember keys; return those that were not remembered already. Keys are unique within a batch."""
        ...


class Rejections(Protocol):
    """Requests to sources that were turned away."""

    async def add(self, rejection: Rejection, *, keep: int) -> None:
        """Keep one, and of its source no more than the newest `keep`."""
        ...

    async def page(self, source: str, *, after: int | None, limit: int) -> list[Rejection]:
        """Newest first; `after` is the id of the last one seen."""
        ...

    async def tally(self) -> Mapping[str, RejectionTally]:
        """By source, of those that have any."""
        ...
