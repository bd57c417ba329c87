"""The cold side of lines (see hub.flow.repositories)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hub.flow.message_counts import MessageCounts
from hub.model.line import Line


class Lines(Protocol):
    async def counts(
        self, line_ids: Sequence[int], *, since: int | None = None, until: int | None = None
    ) -> dict[int, MessageCounts]:
        """The messages of each line, counted: from `since` on, before `until` (Unix ms)."""
        ...

    async def add(self, line: Line) -> None: ...
    async def all(self) -> list[Line]: ...
    async def change(self, line_id: int, change: Callable[[Line], Line]) -> Line | None:
        """Change a line as it stands, whoever else changes it, but for what `tell_capabilities` and `tell_status` keep.

        Args:
            line_id: Which.
            change: Says what is to become of it; may be asked more than once. Nothing changes if it raises.

        Returns:
            The line as it is now; None if it is gone.
        """
        ...

    async def tell_status(self, line_id: int, status: str, reason: str | None) -> bool:
        """Set how a line fares; False, and no new revision, if it is known already."""
        ...

    async def carry(self, line_id: int, capabilities: frozenset[str] | None) -> None:
        """Note what a line can do on the bridge that it moves to (None: it has not told yet), and forget what the one
        before said of how the line is.
        """
        ...

    async def tell_capabilities(self, bridge_id: int, names: frozenset[str]) -> bool:
        """Set what the lines of a bridge can do; False, and no new revision, if they knew it already."""
        ...
