"""What bears on a line's safety among the things that come in: STOP and START, and what bridges say of their lines.

Runs in the transaction that records them, so nothing is lost by a crash; an ordinary message costs one look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from hub.flow.consent import Listening, record_words
from hub.flow.directory import Directory
from hub.flow.line_policies import LinePolicies
from hub.flow.ports import HotTransaction
from hub.flow.record import TakeIds
from hub.flow.rows import ChatRow, DeliveryRow, MessageRow, SnapshotRow
from hub.flow.safety_rows import BridgeStatusRow
from hub.model.line import Line
from hub.model.observation import Observation

#: The words of bridges that are understood; another one is an event and nothing more.
_STATUSES = frozenset({"online", "degraded", "offline"})


class Seen(Protocol):
    """An observation that was merged."""

    @property
    def observation(self) -> Observation: ...
    @property
    def line(self) -> Line | None: ...
    @property
    def bridge_id(self) -> int: ...
    @property
    def chat(self) -> ChatRow | None: ...
    @property
    def message(self) -> SnapshotRow | MessageRow | None: ...


class Hearing:
    """Hears what matters."""

    def __init__(self, policies: LinePolicies, take_ids: TakeIds) -> None:
        self._listening = Listening(policies, take_ids)
        self._take_ids = take_ids

    async def take_in(
        self, tx: HotTransaction, directory: Directory, items: Sequence[Seen], now_ms: int
    ) -> list[DeliveryRow]:
        """Record what bears on safety; return the deliveries that follow."""
        hear = self._listening.hear
        words = [
            word
            for item in items
            if item.line is not None
            and (
                word := hear(
                    item.observation,
                    item.line,
                    message_id=item.message.id if item.message is not None else None,
                    chat_id=item.chat.id if item.chat is not None else None,
                    now_ms=now_ms,
                )
            )
            is not None
        ]
        await tx.safety.report_bridges(_statuses(items, now_ms))
        if not words:
            return []
        deliveries, _ = await record_words(tx, directory, words, take_ids=self._take_ids, now_ms=now_ms)
        return deliveries


def _statuses(items: Sequence[Seen], now_ms: int) -> list[BridgeStatusRow]:
    """The last word of each line's bridge in the batch."""
    rows: dict[int, BridgeStatusRow] = {}
    for item in items:
        seen, line = item.observation, item.line
        if seen.kind != "line.status" or line is None or seen.value not in _STATUSES:
            continue
        if item.bridge_id == line.fallback_bridge_id:
            continue  # a line is as its first bridge is
        reason = None if seen.error is None else seen.error.raw or seen.error.code
        row = BridgeStatusRow(line.id, seen.value, reason, min(seen.at, now_ms))
        if line.id not in rows or row.at >= rows[line.id].at:
            rows[line.id] = row
    return list(rows.values())
