"""The merge of message rows as the store must do it, in a few pure lines: the reference for property tests.

Commutative, associative and idempotent: it does not matter in which order, or how often, rows come in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub.flow.rows import SnapshotRow

#: What a message says, taken as a whole from the best row: a known one, then the latest edit, then the fullest.
SAID = ("sender", "text", "parts", "service", "is_from_me", "is_audio_message")
#: Facts that never change; whichever row knows them.
ONCE = (
    "reply_to_guid",
    "effect",
    "subject",
    "outbox_id",
    "sent_at",
    "delivered_at",
    "read_at",
    "failed_at",
    "error",
)


def merge(one: SnapshotRow, other: SnapshotRow) -> SnapshotRow:
    """Merge two rows of the same message; an edit counts only together with what it made of the message."""
    best = max(one, other, key=_rank)
    return best._replace(
        id=min(one.id, other.id),
        chat_id=max(one.chat_id, other.chat_id),
        synced_at=min(one.synced_at, other.synced_at),
        edited_at=best.edited_at,
        unsent_at=_extreme(min, one.unsent_at, other.unsent_at),
        **{name: _extreme(min, getattr(one, name), getattr(other, name)) for name in ONCE},
    )


def merged(rows: Iterable[SnapshotRow]) -> dict[str, SnapshotRow]:
    """Merge rows in the order given, by message."""
    state: dict[str, SnapshotRow] = {}
    for row in rows:
        known = state.get(row.guid)
        state[row.guid] = row if known is None else merge(known, row)
    return state


def _rank(row: SnapshotRow) -> tuple[object, ...]:
    said = tuple(str(getattr(row, name)) for name in SAID)
    return row.is_known, row.edited_at or 0, row.parts is not None, said


def _extreme(choose: Callable[[list[Any]], Any], one: Any, other: Any) -> Any:
    given = [value for value in (one, other) if value is not None]
    return choose(given) if given else None
