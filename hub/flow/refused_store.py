"""What payloads that could not be taken in need of the store; one suite holds both databases to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.model.refused import RefusedPayload, RefusedTally


class RefusedPayloads(Protocol):
    """Of each bridge a few, each once."""

    async def keep(self, rows: Sequence[RefusedPayload], *, most: int) -> None:
        """Add them, or to the counts of those that are known; keep of each bridge the `most` that came last."""
        ...

    async def page(self, bridge_id: int, *, after: int | None, limit: int) -> list[RefusedPayload]:
        """Newest first; `after` is the id of the last one seen."""
        ...

    async def get(self, bridge_id: int, payload_id: int) -> RefusedPayload | None: ...

    async def delete(self, bridge_id: int, payload_id: int) -> bool:
        """Forget one; False if it is gone."""
        ...

    async def tally(self, bridge_id: int) -> RefusedTally | None:
        """None where there is none."""
        ...
