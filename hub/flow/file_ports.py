"""What files need within a hot transaction: the few statements that ingest and sends run beside their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

#: A kind of user: a message that shows or sends the file.
USED_BY_MESSAGE: Final = "message"


class FileClaimRow(NamedTuple):
    """files: an attachment that came in, pending; one that is known by (line_id, source_key) stays as it is."""

    id: int
    line_id: int
    source_key: str
    filename: str | None
    mime_type: str
    size: int | None
    source: str
    created_at: int
    touched_at: int
    next_attempt_at: int


class FileUseRow(NamedTuple):
    """file_uses: somebody needs a file."""

    file_id: int
    kind: str
    user_id: int
    line_id: int | None


class FileStatements(Protocol):
    """Statements on a hot transaction; an empty batch costs nothing."""

    async def claim(self, rows: Sequence[FileClaimRow]) -> list[int]:
        """Insert, or find; give the ids of the files in the order given. Keys may repeat within a batch."""
        ...

    async def use(self, rows: Sequence[FileUseRow]) -> set[int]:
        """Note uses of files that are there; give the ids of those that are not."""
        ...

    async def used(self, file_ids: Sequence[int]) -> set[int]:
        """Give those that somebody uses; the others get no user from elsewhere until this transaction is over."""
        ...

    async def move(self, kind: str, pairs: Sequence[tuple[int, int]]) -> None:
        """Let other users of a kind take over: (from, to)."""
        ...
