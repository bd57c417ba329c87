"""Figures out of samples: percentiles, medians and spreads. Pure, so that the honesty of the bench can be tested."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


def percentile(ordered: Sequence[float], share: float) -> float:
    """Give the nearest-rank percentile: the smallest sample that at least `share` of all do not exceed.

    Args:
        ordered: Samples in ascending order, at least one.
        share: 0 to 1; 0.99 for the 99th percentile.
    """
    if not ordered:
        raise ValueError("no samples: a percentile of nothing is not a figure")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be 0..1, not {share}")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Latencies:
    """A distribution in milliseconds, by the figures that people compare."""

    count: int
    p50: float
    p95: float
    p99: float
    worst: float

    @classmethod
    def of_ns(cls, samples_ns: Sequence[int]) -> Latencies:
        """Summarise samples in nanoseconds, in any order."""
        ordered = sorted(samples_ns)
        return cls(
            count=len(ordered),
            p50=percentile(ordered, 0.50) / 1e6,
            p95=percentile(ordered, 0.95) / 1e6,
            p99=percentile(ordered, 0.99) / 1e6,
            worst=ordered[-1] / 1e6,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """One figure over several runs: its median, and the lowest and highest run."""

    median: float
    lowest: float
    highest: float
    runs: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Summarise one value a run; of an even number of runs the median is the mean of the middle two."""
        if not values:
            raise ValueError("no runs: there is nothing to summarise")
        ordered = sorted(values)
        middle = len(ordered) // 2
        median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
        return cls(median=median, lowest=ordered[0], highest=ordered[-1], runs=len(ordered))
