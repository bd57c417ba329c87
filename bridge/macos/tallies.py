"""Counts of what a bridge passed over, for the log and `hub bridge doctor`: nothing is dropped in silence."""

from __future__ import annotations

from collections import Counter

import structlog

log = structlog.get_logger("bridge")


class Tallies:
    """Counts by reason. The first of each reason and every hundredth is logged, without what the message says."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._counts: Counter[str] = Counter()

    def note(self, reason: str, **where: int | str | None) -> None:
        """Count one.

        Args:
            reason: Why it was passed over: `unjoined`, `masked`, `unreadable`, …
            where: What helps to find it, for instance a row's number; never words or handles.
        """
        self._counts[reason] += 1
        count = self._counts[reason]
        if count == 1 or count % 100 == 0:
            log.warning("bridge.passed_over", kind=self._kind, reason=reason, count=count, **where)

    def counts(self) -> dict[str, int]:
        return dict(sorted(self._counts.items()))
