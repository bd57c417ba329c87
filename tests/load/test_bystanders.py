"""What others use is what is busy and not ours."""

import time

from tests.load.bystanders import Bystanders, parse_busy_ticks


def test_busy_is_everything_but_idle_and_waiting() -> None:
    """User 10, nice 1, system 5, idle 100, waiting 50, interrupts 2 and 3, stolen 4; guests count once."""
    assert parse_busy_ticks("cpu  10 1 5 100 50 2 3 4 7 7\ncpu0 1 1 1 1 1 1 1 1 1 1\n") == 25


def test_our_own_work_is_not_that_of_others() -> None:
    """Burning a core ourselves shows as less than half a core of others, unless the machine is busy."""
    watch = Bystanders()
    ends_at = time.process_time() + 0.2
    while time.process_time() < ends_at:
        pass

    assert watch.percent() >= 0
