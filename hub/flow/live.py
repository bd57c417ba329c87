"""The ports of what is only live, where there is nobody to tell and nobody to ask: a command, a test, no Redis."""

from __future__ import annotations

from typing import Final

from hub.flow.ports import LiveSigns, LiveTyping
from hub.model.live import LiveEvent, Typist


class _NobodyTypes:
    async def typists(self, chat_id: int) -> list[Typist]:
        return []


class _NobodyFollows:
    @property
    def is_followed(self) -> bool:
        return False

    def recorded(self) -> None:
        """Nobody looks."""

    def typing(self, typist: Typist, *, is_typing: bool) -> None:
        """Nobody asks."""

    def tell(self, event: LiveEvent) -> None:
        """Nobody listens."""


NOBODY_TYPES: Final[LiveTyping] = _NobodyTypes()
NOBODY_FOLLOWS: Final[LiveSigns] = _NobodyFollows()
