"""Bridges are noted when they speak: to the minute, and without harm when the database cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hub.flow.bridge_store import Bridges
from hub.flow.heartbeats import NOTED_EVERY_MS, Heartbeats
from hub.model.errors import StoreError
from hub.model.line import Bridge
from tests.support.manual_time import ManualClock


@dataclass
class Noted(Bridges):
    """Remembers what was noted, and may be away."""

    heard_at: list[tuple[int, int]] = field(default_factory=list)
    is_away: bool = False

    async def heard(self, bridge_id: int, *, at: int) -> None:
        if self.is_away:
            raise StoreError("away")
        self.heard_at.append((bridge_id, at))

    async def last_heard(self) -> dict[int, int]:
        return dict(self.heard_at)

    async def add(self, bridge: Bridge) -> None: ...
    async def all(self) -> list[Bridge]:
        return []

    async def change(self, bridge_id: int, change: Callable[[Bridge], Bridge]) -> Bridge | None:
        return None

    async def delete(self, bridge_id: int) -> bool:
        return False

    async def save_cursor(self, bridge_id: int, cursor: str) -> None: ...


async def test_a_bridge_is_noted_once_a_minute() -> None:
    bridges, clock = Noted(), ManualClock()
    beats, begun = Heartbeats(bridges, clock), clock.now_ms()
    for _ in range(3):
        await beats.heard(1)
        await beats.heard(2)
        clock.advance(NOTED_EVERY_MS // 2)

    assert bridges.heard_at == [
        (1, begun),
        (2, begun),
        (1, begun + NOTED_EVERY_MS),
        (2, begun + NOTED_EVERY_MS),
    ]


async def test_a_database_that_is_away_is_no_failure_of_the_bridge() -> None:
    bridges = Noted(is_away=True)

    await Heartbeats(bridges, ManualClock()).heard(1)

    assert bridges.heard_at == []
