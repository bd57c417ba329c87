"""The cold side of bridges, and of the machines that enrol as one (see hub.flow.repositories)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hub.model.enrolment import Enrolment
from hub.model.line import Bridge


class Bridges(Protocol):
    async def add(self, bridge: Bridge) -> None: ...
    async def all(self) -> list[Bridge]: ...
    async def change(self, bridge_id: int, change: Callable[[Bridge], Bridge]) -> Bridge | None:
        """Change a bridge as it stands, whoever else changes it, but for its cursor and its agent.

        Args:
            bridge_id: Which.
            change: Says what is to become of it; may be asked more than once. Nothing changes if it raises.

        Returns:
            The bridge as it is now; None if there is no such bridge.
        """
        ...

    async def delete(self, bridge_id: int) -> bool:
        """Forget a bridge that carries no line; False if it is gone or still carries one."""
        ...

    async def save_cursor(self, bridge_id: int, cursor: str) -> None:
        """Does not raise the revision."""
        ...

    async def heard(self, bridge_id: int, *, at: int) -> None:
        """Note when a bridge spoke; does not raise the revision."""
        ...

    async def last_heard(self) -> dict[int, int]:
        """When each bridge last spoke (Unix ms), of those that ever did."""
        ...


class Enrolments(Protocol):
    async def add(self, enrolment: Enrolment, *, digest: bytes, forget_before: int) -> None:
        """Add one, and forget those that ended before a time."""
        ...

    async def by_digest(self, digest: bytes) -> Enrolment | None: ...
    async def get(self, enrolment_id: int) -> Enrolment | None: ...
    async def page(self, *, after: int | None, limit: int) -> list[Enrolment]:
        """Newest first."""
        ...

    async def delete(self, enrolment_id: int) -> bool: ...
    async def redeem(self, enrolment_id: int, bridge: Bridge, *, is_new: bool, at: int) -> bool:
        """Use an enrolment up and keep its bridge, both or neither; False if it is used, over or gone."""
        ...
