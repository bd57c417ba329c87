"""What the hub keeps of a connection: sealed, opaque to the store, and replaced only by who read it last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptState:
    """The state of a connection."""

    content: bytes
    #: Rises with each change.
    version: int

    def __repr__(self) -> str:
        return f"KeptState(version={self.version})"


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionStanding:
    """How a connection stands, as far as the hub knows."""

    name: str
    #: The id of its connector.
    connector: str
    #: Which of the connector's ways to be known it uses.
    auth: str
    #: `failing`: its last test failed, and calls are made nevertheless.
    state: Literal["ok", "paused", "failing"]
    #: Why it is paused or failing, masked.
    reason: str | None
    #: Unix ms.
    paused_at: int | None
    tested_at: int | None
    #: What the last test showed; None without one, or where there is nothing to ask that would change nothing.
    works: bool | None
    #: Whose it is, or why the test failed.
    told: str | None


#: Says how the connections stand that are set up.
ListConnections = Callable[[], Awaitable[Sequence[ConnectionStanding]]]


async def no_connections() -> Sequence[ConnectionStanding]:
    """For who has none."""
    return ()


class ConnectionStates(Protocol):
    """States by the names of connections."""

    async def find(self, name: str) -> KeptState | None:
        """Give the state; None if there is none, or if its key is gone."""
        ...

    async def keep(self, name: str, content: bytes, *, replaces: int, now: int) -> bool:
        """Keep a state, sealed, in the place of the version that was read (0: none); False if it is another by now."""
        ...
