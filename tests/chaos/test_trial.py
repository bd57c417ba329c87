"""Recovery is the end of the longest silence, not the first packet that was under way."""

import pytest

from tests.chaos.trial import recovery_ns


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([90, 101, 102, 150, 151, 160], 50),  # 48 of silence after what was under way
        ([90, 130, 131, 132], 30),  # silence at once
        ([90, 101, 102, 103], 1),  # hardly any
        ([90], 0),  # nothing came any more: the loss is counted elsewhere
        ([101, 102, 300, 900], 200),  # a silence may outlast the window; a later one is not ours
    ],
)
def test_recovery_ends_with_the_longest_silence(times: list[int], expected: int) -> None:
    """Blow at 100, next one at 200."""
    assert recovery_ns(times, 100, 200) == expected
