"""A figure in the report is what its name says."""

import pytest

from tests.load.percentiles import Latencies, Spread, percentile


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1), (0.01, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1.0, 100)],
)
def test_percentile_is_a_sample_by_nearest_rank(share: float, expected: int) -> None:
    """Of 1..100 the n-th percentile is n."""
    samples = range(1, 101)

    assert percentile(samples, share) == expected


def test_percentile_of_one_sample_is_that_sample() -> None:
    """Nothing is interpolated."""
    assert percentile([7], 0.99) == 7


@pytest.mark.parametrize(("samples", "share"), [([], 0.5), ([1], 1.1), ([1], -0.1)])
def test_percentile_refuses_nonsense(samples: list[float], share: float) -> None:
    """No samples is an error, never a zero in a table."""
    with pytest.raises(ValueError):
        percentile(samples, share)


def test_latencies_are_milliseconds_of_unordered_nanoseconds() -> None:
    """The order of the samples does not matter."""
    samples = [number * 1_000_000 for number in range(100, 0, -1)]

    summary = Latencies.of_ns(samples)

    assert (summary.count, summary.p50, summary.p95, summary.p99, summary.worst) == (100, 50, 95, 99, 100)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3.0], (3, 3, 3, 1)), ([9.0, 1.0, 2.0], (2, 1, 9, 3)), ([4.0, 1.0, 2.0, 9.0], (3, 1, 9, 4))],
)
def test_spread_is_median_lowest_highest_and_number_of_runs(
    values: list[float], expected: tuple[float, float, float, int]
) -> None:
    """An outlier moves the spread, not the figure."""
    spread = Spread.of(values)

    assert (spread.median, spread.lowest, spread.highest, spread.runs) == expected
