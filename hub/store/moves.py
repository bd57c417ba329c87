"""What both databases decide alike about batches: allowed moves of outbox items, repeats within a batch."""

from __future__ import annotations

from collections.abc import Sequence

from hub.flow.rows import IdempotencyRow
from hub.model.outbox import OUTBOX_MOVES, OutboxState

#: An item may stay in these while its counters move on. Never DISPATCHED: marking it twice would send it twice.
_MAY_STAY = frozenset({OutboxState.PENDING, OutboxState.UNKNOWN})


def _sources(target: OutboxState) -> int:
    sources = [state for state, targets in OUTBOX_MOVES.items() if target in targets]
    sources += [target] if target in _MAY_STAY else []
    return sum(1 << state for state in sources)


#: For each state, the states from which an item may get there, as a bit mask.
OUTBOX_SOURCES: dict[int, int] = {target.value: _sources(target) for target in OutboxState}


def first_of_each_key(rows: Sequence[IdempotencyRow]) -> dict[tuple[str, str], IdempotencyRow]:
    """Of several rows of one batch under the same key, the first one counts."""
    first: dict[tuple[str, str], IdempotencyRow] = {}
    for row in rows:
        first.setdefault((row.scope, row.key), row)
    return first


def already_there(
    rows: Sequence[IdempotencyRow], stored: dict[tuple[str, str], IdempotencyRow]
) -> list[IdempotencyRow | None]:
    """For each row the one stored under its key, or None where it is the stored one itself.

    A stored row with the very same answer is ours from an earlier run of the same work: the answer names an
    outbox item that nobody else can have made.
    """
    seen: set[tuple[str, str]] = set()
    results: list[IdempotencyRow | None] = []
    for row in rows:
        key = (row.scope, row.key)
        is_own = key not in seen and stored[key].response == row.response
        seen.add(key)
        results.append(None if is_own else stored[key])
    return results
