"""A circuit breaker for one lane: after failures in a row, rest; then let one attempt find out.

It spares a dead receiver our attempts and us the waiting; it never decides about a delivery (hub.rules.retry
does). The phase follows from the state and the clock, so no timer has to fire for an open breaker to let a trial
through, and a state from before a restart is still right.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerPolicy:
    """When a lane rests, and for how long."""

    #: Failures in a row after which the lane rests.
    threshold: int = 5
    #: The first rest; each failed trial doubles it.
    open_ms: int = 30_000
    #: The longest rest.
    open_max_ms: int = 900_000

    def __post_init__(self) -> None:
        if self.threshold < 1:
            raise ValueError(f"threshold must be at least 1, not {self.threshold}")
        if not 1 <= self.open_ms <= self.open_max_ms:
            raise ValueError(
                f"open_ms must be from 1 to open_max_ms, not {self.open_ms} with {self.open_max_ms}"
            )


class Phase(Enum):
    """How a lane stands to its receiver."""

    CLOSED = "closed"
    OPEN = "open"
    #: The rest is over; the next result decides.
    HALF_OPEN = "half_open"


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerState:
    """What is known of one lane. A fresh one is closed."""

    #: Since the last success.
    consecutive_failures: int = 0
    #: Unix ms at which the rest ends; None while closed.
    open_until_ms: int | None = None
    #: How long the last rest was chosen to be; 0 while closed.
    open_duration_ms: int = 0
    #: Unix ms until which the receiver asked us to stay away; independent of success and failure.
    throttled_until_ms: int = 0


_FRESH: Final = BreakerState()

Move = Callable[[BreakerState, int, BreakerPolicy], BreakerState]


def phase(state: BreakerState, now_ms: int) -> Phase:
    """Return how the lane stands now."""
    if state.open_until_ms is None:
        return Phase.CLOSED
    return Phase.OPEN if now_ms < state.open_until_ms else Phase.HALF_OPEN


def admits(state: BreakerState, now_ms: int) -> Literal[True] | int:
    """Return True if an attempt may start now, else the Unix ms from which one may.

    Compare with `is True`: an instant is truthy too. In the half-open phase the caller starts one attempt only.
    """
    until_ms = max(state.open_until_ms or 0, state.throttled_until_ms)
    return True if now_ms >= until_ms else until_ms


def on_result(
    state: BreakerState,
    ok: bool,
    now_ms: int,
    policy: BreakerPolicy,
    throttled_until_ms: int | None = None,
) -> BreakerState:
    """Return the lane's state after an attempt ended.

    Args:
        state: the state before.
        ok: whether the receiver took the delivery.
        now_ms: when the attempt ended, Unix ms.
        policy: the lane's policy.
        throttled_until_ms: what hub.rules.retry said of the lane, if anything; the later wish stands.
    """
    if ok and state is _FRESH and throttled_until_ms is None:
        return state  # nearly every result
    moved = MOVES[phase(state, now_ms), ok](state, now_ms, policy)
    if throttled_until_ms is not None and throttled_until_ms > moved.throttled_until_ms:
        moved = replace(moved, throttled_until_ms=throttled_until_ms)
    return moved


# ---- the moves


def _close(state: BreakerState, now_ms: int, _policy: BreakerPolicy) -> BreakerState:
    """Forget the failures; a throttle still running was asked for and stays."""
    if state.throttled_until_ms <= now_ms:
        return _FRESH
    return BreakerState(throttled_until_ms=state.throttled_until_ms)


def _count(state: BreakerState, now_ms: int, policy: BreakerPolicy) -> BreakerState:
    """Count a failure; the one that reaches the threshold opens."""
    counted = replace(state, consecutive_failures=state.consecutive_failures + 1)
    if counted.consecutive_failures < policy.threshold:
        return counted
    return _open_for(counted, now_ms, policy.open_ms)


def _count_late(state: BreakerState, _now_ms: int, _policy: BreakerPolicy) -> BreakerState:
    """Count the failure of an attempt that began before the rest; it says nothing new."""
    return replace(state, consecutive_failures=state.consecutive_failures + 1)


def _reopen(state: BreakerState, now_ms: int, policy: BreakerPolicy) -> BreakerState:
    """Rest twice as long after a failed trial."""
    counted = replace(state, consecutive_failures=state.consecutive_failures + 1)
    return _open_for(counted, now_ms, min(state.open_duration_ms * 2, policy.open_max_ms))


def _open_for(state: BreakerState, now_ms: int, duration_ms: int) -> BreakerState:
    return replace(state, open_until_ms=now_ms + duration_ms, open_duration_ms=duration_ms)


#: Every phase, each with success and failure. A success while open came from an attempt that began before, and
#: is proof enough that the receiver lives.
MOVES: Final[dict[tuple[Phase, bool], Move]] = {
    (Phase.CLOSED, True): _close,
    (Phase.CLOSED, False): _count,
    (Phase.OPEN, True): _close,
    (Phase.OPEN, False): _count_late,
    (Phase.HALF_OPEN, True): _close,
    (Phase.HALF_OPEN, False): _reopen,
}
