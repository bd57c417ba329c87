"""Say when the next start in a lane may happen, so that its pace is kept on average and within a burst.

The generic cell rate algorithm: one number of state, the instant at which the lane would be idle again. Instants
inside are microseconds, because a pace of thousands a second has waits below a millisecond.
Not here: waiting (the worker), and how many run at once (the lane's concurrency).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How fast a lane may start."""

    #: Starts a second, on average; 0.2 is one every five seconds.
    rate_per_second: float
    #: Starts that may happen at once after a rest.
    burst: int = 1
    #: Each start waits up to this share of the interval longer: a person does not type by the clock.
    jitter_ratio: float = 0.0

    def __post_init__(self) -> None:
        if not 1e-6 <= self.rate_per_second <= 1e6:  # also false for NaN
            raise ValueError(
                f"rate_per_second must be from 0.000001 to 1000000, not {self.rate_per_second!r}"
            )
        if self.burst < 1:
            raise ValueError(f"burst must be at least 1, not {self.burst}")
        if not 0 <= self.jitter_ratio <= 10:
            raise ValueError(f"jitter_ratio must be from 0 to 10, not {self.jitter_ratio!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """A reserved start."""

    #: Unix ms; never before the `now_ms` it was reserved at.
    at_ms: int
    #: The lane's state after it, for the next reservation.
    idle_at_us: int


def reserve_start(pace: Pace, *, idle_at_us: int, now_ms: int, jitter: float = 0.0) -> Start:
    """Reserve the next start of a lane.

    Args:
        pace: the lane's pace.
        idle_at_us: the state the last reservation returned; 0 for a lane that never started.
        now_ms: Unix ms.
        jitter: a fresh random draw, 0 <= jitter < 1.
    """
    interval_us = math.ceil(1_000_000 / pace.rate_per_second)
    now_us = now_ms * 1000
    tolerance_us = (pace.burst - 1) * interval_us
    delay_us = math.ceil(jitter * pace.jitter_ratio * interval_us)
    start_us = max(now_us, idle_at_us - tolerance_us) + delay_us
    # The delay counts as used time: a start drawn late must not let the next one follow sooner.
    next_idle_us = max(idle_at_us, now_us) + delay_us + interval_us
    return Start(at_ms=-(-start_us // 1000), idle_at_us=next_idle_us)
