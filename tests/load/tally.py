"""What arrived at one path, and when: the receiver's memory, kept in flat arrays because there is a lot of it."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Arrivals at one path. An arrival is a verified request, whatever it was answered."""

    #: Arrivals by webhook-id beyond the first.
    repeats: Counter[bytes] = field(default_factory=Counter)
    #: Ids answered with success, so that a repeat of an unanswered one is told from a needless one.
    answered: set[bytes] = field(default_factory=set)
    #: Repeats of ids that had been answered with success: what a consumer must deduplicate.
    needless: int = 0
    #: Requests whose signature, body or framing was wrong; any is a failure of the run.
    invalid: int = 0
    last_at_ns: int = 0
    _seen: set[bytes] = field(default_factory=set)
    _numbers: array[int] = field(default_factory=lambda: array("q"))
    _times: array[int] = field(default_factory=lambda: array("q"))

    def arrive(self, webhook_id: bytes, number: int, now_ns: int) -> None:
        """Note a request; only the first of an id has its time kept."""
        self.last_at_ns = now_ns
        if webhook_id in self._seen:
            self.repeats[webhook_id] += 1
            self.needless += webhook_id in self.answered
            return
        self._seen.add(webhook_id)
        self._numbers.append(number)
        self._times.append(now_ns)

    @property
    def unique(self) -> int:
        """Count the ids that arrived."""
        return len(self._seen)

    @property
    def succeeded(self) -> int:
        """Count the ids that were answered with success."""
        return len(self.answered)

    def first_arrivals(self) -> list[tuple[int, int]]:
        """Give (event number, CLOCK_MONOTONIC ns of the first arrival) in order of arrival."""
        return list(zip(self._numbers, self._times, strict=True))
