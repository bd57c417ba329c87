"""Pace: what a lane may start in any stretch of time, and what it must be able to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.pacing import Pace, Start, reserve_start

NOW_MS = 1_700_000_000_000


def starts(pace: Pace, arrivals_ms: list[int], jitters: list[float] | None = None) -> list[int]:
    """Reserve one start for each arrival and return the instants."""
    idle_at_us, found = 0, []
    for index, now_ms in enumerate(arrivals_ms):
        start = reserve_start(
            pace, idle_at_us=idle_at_us, now_ms=now_ms, jitter=jitters[index] if jitters else 0.0
        )
        idle_at_us = start.idle_at_us
        found.append(start.at_ms)
    return found


@pytest.mark.parametrize(
    ("pace", "arrivals_ms", "expected"),
    [
        pytest.param(Pace(rate_per_second=1), [0, 0, 0], [0, 1000, 2000], id="one-a-second"),
        pytest.param(Pace(rate_per_second=0.2), [0, 0], [0, 5000], id="one-in-five-seconds"),
        pytest.param(Pace(rate_per_second=1), [0, 5000, 5000], [0, 5000, 6000], id="rest-is-not-saved-up"),
        pytest.param(Pace(rate_per_second=1, burst=3), [0] * 5, [0, 0, 0, 1000, 2000], id="burst"),
        pytest.param(
            Pace(rate_per_second=1, burst=2), [0, 0, 0, 9000, 9000, 9000], [0, 0, 1000, 9000, 9000, 10000],
            id="burst-again-after-a-rest",
        ),
        pytest.param(Pace(rate_per_second=4000), [0] * 5, [0, 1, 1, 1, 1], id="below-a-millisecond"),
    ],
)  # fmt: skip
def test_starts(pace: Pace, arrivals_ms: list[int], expected: list[int]) -> None:
    """The algorithm by example."""
    assert starts(pace, arrivals_ms) == expected


def test_jitter_delays_and_counts() -> None:
    """A start drawn late pushes the next one back by as much."""
    pace = Pace(rate_per_second=1, jitter_ratio=0.5)

    assert starts(pace, [0, 0, 0], [0.5, 0.0, 0.5]) == [250, 1250, 2500]


def test_a_lane_that_never_started_may_start_now() -> None:
    """State 0 means idle for ever."""
    start = reserve_start(Pace(rate_per_second=1), idle_at_us=0, now_ms=NOW_MS)

    assert start == Start(at_ms=NOW_MS, idle_at_us=(NOW_MS + 1000) * 1000)


paces = st.builds(
    Pace,
    rate_per_second=st.floats(0.01, 2000),
    burst=st.integers(1, 10),
    jitter_ratio=st.floats(0, 2),
)


@given(
    paces,
    st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 1, exclude_max=True)), min_size=1, max_size=40),
)
def test_no_stretch_of_time_holds_more_than_the_pace(pace: Pace, steps: list[tuple[int, float]]) -> None:
    """From any start to any later one: at most burst + rate x time; and none before it was asked for."""
    arrivals_ms, now_ms = [], NOW_MS
    for passed_ms, _ in steps:
        now_ms += passed_ms
        arrivals_ms.append(now_ms)

    found = starts(pace, arrivals_ms, [jitter for _, jitter in steps])

    assert all(at_ms >= asked_ms for at_ms, asked_ms in zip(found, arrivals_ms, strict=True))
    ordered = sorted(found)
    for first in range(len(ordered)):
        for last in range(first, len(ordered)):
            seconds = (ordered[last] - ordered[first] + 1) / 1000  # + 1: instants are whole milliseconds
            allowed = pace.burst * (1 + pace.jitter_ratio) + pace.rate_per_second * seconds + 1e-3
            assert last - first + 1 <= allowed + 1


@given(paces, st.integers(1, 100))
def test_the_pace_is_reached(pace: Pace, count: int) -> None:
    """Without jitter a full lane loses nothing but rounding: the n-th start comes when it should."""
    steady = Pace(rate_per_second=pace.rate_per_second, burst=pace.burst)

    last_ms = starts(steady, [NOW_MS] * count)[-1] - NOW_MS

    ideal_ms = max(0, count - pace.burst) * 1000 / pace.rate_per_second
    assert ideal_ms - 1 <= last_ms <= ideal_ms + 1 + count / 1000


@pytest.mark.parametrize(
    ("rate", "burst", "jitter_ratio"),
    [(0, 1, 0), (-1, 1, 0), (float("nan"), 1, 0), (float("inf"), 1, 0), (1, 0, 0), (1, 1, -1), (1, 1, 11)],
)
def test_unfit_paces_are_refused(rate: float, burst: int, jitter_ratio: float) -> None:
    """A pace that never or always starts is refused where it is made."""
    with pytest.raises(ValueError, match="must be"):
        Pace(rate_per_second=rate, burst=burst, jitter_ratio=jitter_ratio)
