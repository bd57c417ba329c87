"""The cold side of consent and line health (see hub.flow.repositories)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from hub.flow.safety_rows import CountKey
from hub.model.consent import Consent, ConsentAction, ConsentEntry
from hub.rules.line_health import Figures
from hub.rules.local_time import Window


@dataclass(frozen=True, kw_only=True, slots=True)
class ConsentFilter:
    """Which consents, or which entries of their log; None does not restrict."""

    #: Entries that count for one of these lines or were heard by one of them.
    line_ids: frozenset[int] | None = None
    handle: str | None = None
    action: ConsentAction | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthRecord:
    """line_health: how a line fares, and what its bridge last said."""

    line_id: int
    state: str
    reason: str | None
    since: int
    #: JSON.
    warnings: str
    worse_since: int | None
    better_since: int | None
    unanswered: int
    #: None: no worker has looked yet.
    looked_at: int | None
    bridge_status: str | None
    bridge_reason: str | None
    bridge_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class DayRecord:
    """line_days: what a line did on one of its days."""

    day_start: int
    counted_at: int
    figures: Figures


class Consents(Protocol):
    async def of(self, scope_line_ids: Sequence[int], handle: str) -> list[Consent]: ...
    async def list(self, wanted: ConsentFilter, *, after: int | None, limit: int) -> list[Consent]:
        """By entry, newest first."""
        ...

    async def history(
        self, wanted: ConsentFilter, *, after: int | None, limit: int
    ) -> Sequence[ConsentEntry]:
        """The log, newest first."""
        ...

    async def page(self, wanted: ConsentFilter, *, after: int, limit: int) -> Sequence[ConsentEntry]:
        """The log, oldest first, of entries whose id is above `after`."""
        ...

    async def owed_replies(self, *, limit: int) -> Sequence[ConsentEntry]:
        """Entries that an automatic reply is owed for, oldest first."""
        ...

    async def replied(self, entry_id: int) -> None:
        """The automatic reply is in the outbox, or will never be sent."""
        ...


class Health(Protocol):
    async def get(self, line_id: int) -> HealthRecord | None: ...
    async def all(self) -> list[HealthRecord]: ...
    async def looked(self, record: HealthRecord, *, was_since: int | None) -> bool:
        """Save what a look has found, but not the bridge's word; False if another worker changed the state."""
        ...

    async def days(self, line_id: int, *, since: int) -> list[DayRecord]:
        """The days that begin at `since` or later, oldest first."""
        ...

    async def save_day(self, line_id: int, day: DayRecord) -> None: ...
    async def count(self, line_id: int, window: Window, *, now: int, undelivered_before: int) -> Figures:
        """Count what a line did in a window."""
        ...

    async def unanswered(self, line_id: int, *, since: int, most_chats: int) -> int:
        """The most messages in a row without an answer since then, in any of the chats that were busy latest."""
        ...

    async def used(self, keys: Sequence[CountKey]) -> Mapping[CountKey, int]:
        """Counters as they stand; those that were never counted are left out."""
        ...

    async def forget(self, *, before: int) -> None:
        """Delete counters and days of windows that began before."""
        ...
