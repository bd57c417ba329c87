"""What the supervisor is told about each process that it keeps alive, and when it tries again.

Values and arithmetic only; nothing here starts anything.
"""

from collections.abc import Callable
from dataclasses import dataclass

#: The group stopped because it was told to, and every child ended in time.
EXIT_CLEAN = 0
#: A child could not be kept alive, or had to be killed.
EXIT_FAILED = 1
#: A child that ends with this code (sysexits' EX_CONFIG) would fail again: nobody restarts it.
EXIT_DO_NOT_RESTART = 78

#: A child that lived this long has recovered from whatever ended it before.
STABLE_SECONDS = 10.0
#: A child without a readiness check counts as having come up when it lived this long.
UP_SECONDS = 2.0
#: A child that never came up gets this many starts; then the group ends, because a newcomer is better
#: served by an error than by an endless loop.
FIRST_STARTS = 4

#: How often the time to get ready doubles.
_MOST_DOUBLINGS = 4
_FIRST_DELAY_SECONDS = 0.2
_LONGEST_DELAY_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Child:
    """One process of the group.

    Args:
        name: How reports name it.
        run: Called in the new process; returns its exit code, or replaces the process with `os.execv`.
            SIGINT is blocked there: Ctrl-C reaches the supervisor, which sends SIGTERM.
        is_ready: Called in the supervisor, often; must return at once. None: ready when started.
        stage: Children of a lower stage start first, must be ready before others start, and stop last.
        ready_seconds: A child that is not ready by then is killed and counts as failed; the next one gets longer.
    """

    name: str
    run: Callable[[], int]
    is_ready: Callable[[], bool] | None = None
    stage: int = 1
    ready_seconds: float = 15.0


def restart_delay_seconds(failures: int) -> float:
    """Return the wait before the next start, given failures in a row, from 1."""
    doublings = min(failures - 1, 20)
    return min(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS * 2.0**doublings)


def patience_seconds(child: Child, failures: int) -> float:
    """Return how long a child may take to get ready, given failures in a row.

    On a machine that is too busy, killing one that is nearly there, for ever, would never bring it back.
    """
    return child.ready_seconds * 2.0 ** min(failures, _MOST_DOUBLINGS)
