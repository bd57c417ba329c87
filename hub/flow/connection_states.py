"""What the hub keeps of a connection: sealed, opaque to the store, and replaced only by who read it last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptState:
    """The state of a connection."""

    content: bytes
    #: Rises with each change.
    version: int

    def __repr__(self) -> str:
        return f"KeptState(version={self.version})"


class ConnectionStates(Protocol):
    """States by the names of connections."""

    async def find(self, name: str) -> KeptState | None:
        """Give the state; None if there is none, or if its key is gone."""
        ...

    async def keep(self, name: str, content: bytes, *, replaces: int, now: int) -> bool:
        """Keep a state, sealed, in the place of the version that was read (0: none); False if it is another by now."""
        ...
