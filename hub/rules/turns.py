"""Whose turn it is on a line: higher priority first, first in first out among equals.

A line is one at a time, so the order is a promise. Three rules make it:

- What is planned for later, or was put off, stands aside until its time; then it queues by that time.
- What was handed over, did certainly not happen and waits for its retry keeps its place at the head of its equals.
  The whole line waits with it, not its chat alone: a try fails so because the line is away, and the ones behind it
  would only use up their tries against the same wall.
- What has a higher priority does not wait for it.

Not here: look-ups, which have no order, and the pace (hub.rules.pacing).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar


class Queued(Protocol):
    """A pending outbox item."""

    @property
    def id(self) -> int: ...
    @property
    def priority(self) -> int: ...
    @property
    def dispatched_at(self) -> int | None:
        """None for what was never handed over, or was put off since."""
        ...

    @property
    def next_attempt_at(self) -> int: ...


Item = TypeVar("Item", bound=Queued)


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn(Generic[Item]):
    """What follows."""

    #: To be performed now.
    item: Item | None
    #: Without one: when to look again, Unix ms; None if nothing is left.
    look_at: int | None


def next_turn(items: Iterable[Item], now_ms: int) -> Turn[Item]:
    """Pick among pending items.

    Args:
        items: Those that were tried, and of those never tried at least the first of each priority by
            (next_attempt_at, id).
        now_ms: Unix ms.
    """
    pending = list(items)
    standing = [item for item in pending if item.dispatched_at is not None or item.next_attempt_at <= now_ms]
    first = min(standing, key=_place, default=None)
    if first is not None and first.next_attempt_at <= now_ms:
        return Turn(item=first, look_at=None)
    # Something waits for its retry: only what is more urgent may come before it.
    later = [item for item in pending if first is None or item is first or item.priority > first.priority]
    return Turn(item=None, look_at=min((item.next_attempt_at for item in later), default=None))


def _place(item: Queued) -> tuple[int, bool, int, int]:
    is_fresh = item.dispatched_at is None
    return -item.priority, is_fresh, item.next_attempt_at if is_fresh else 0, item.id
