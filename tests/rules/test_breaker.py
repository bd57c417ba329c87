"""The breaker's moves one by one, and a walk through random histories against what must always hold."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.rules.breaker import MOVES, BreakerPolicy, BreakerState, Phase, admits, on_result, phase

POLICY = BreakerPolicy(threshold=3, open_ms=1_000, open_max_ms=3_000)
CLOSED = BreakerState()
FAILING = BreakerState(consecutive_failures=2)
OPEN = BreakerState(consecutive_failures=3, open_until_ms=1_000, open_duration_ms=1_000)
THROTTLED = BreakerState(throttled_until_ms=5_000)


def state_of(
    failures: int, until_ms: int | None, duration_ms: int, throttled_until_ms: int = 0
) -> BreakerState:
    return BreakerState(
        consecutive_failures=failures,
        open_until_ms=until_ms,
        open_duration_ms=duration_ms,
        throttled_until_ms=throttled_until_ms,
    )


@pytest.mark.parametrize(
    ("before", "ok", "now_ms", "after"),
    [
        pytest.param(CLOSED, True, 0, CLOSED, id="success-changes-nothing"),
        pytest.param(CLOSED, False, 0, state_of(1, None, 0), id="failure-is-counted"),
        pytest.param(FAILING, True, 0, CLOSED, id="success-forgets-failures"),
        pytest.param(FAILING, False, 0, OPEN, id="threshold-opens"),
        pytest.param(
            OPEN, False, 999, state_of(4, 1_000, 1_000), id="late-failure-does-not-lengthen-the-rest"
        ),
        pytest.param(OPEN, True, 999, CLOSED, id="late-success-closes"),
        pytest.param(OPEN, True, 1_000, CLOSED, id="trial-succeeds"),
        pytest.param(OPEN, False, 1_000, state_of(4, 3_000, 2_000), id="trial-fails-doubles"),
        pytest.param(
            state_of(4, 0, 2_000), False, 0, state_of(5, 3_000, 3_000), id="doubling-ends-at-the-longest"
        ),
        pytest.param(state_of(1, None, 0, 5_000), True, 0, THROTTLED, id="success-keeps-the-throttle"),
        pytest.param(state_of(1, None, 0, 5_000), True, 5_000, CLOSED, id="a-past-throttle-is-forgotten"),
    ],
)
def test_moves(before: BreakerState, ok: bool, now_ms: int, after: BreakerState) -> None:
    """Each state, each result."""
    assert on_result(before, ok, now_ms, POLICY) == after


def test_table_has_every_move() -> None:
    """No phase can meet a result the table does not know."""
    assert set(MOVES) == {(one, ok) for one in Phase for ok in (True, False)}


@pytest.mark.parametrize(
    ("state", "now_ms", "expected_phase", "expected"),
    [
        (CLOSED, 0, Phase.CLOSED, True),
        (OPEN, 999, Phase.OPEN, 1_000),
        (OPEN, 1_000, Phase.HALF_OPEN, True),
        (THROTTLED, 4_999, Phase.CLOSED, 5_000),
        (THROTTLED, 5_000, Phase.CLOSED, True),
        (state_of(3, 1_000, 1_000, 5_000), 1_000, Phase.HALF_OPEN, 5_000),
        (state_of(3, 6_000, 1_000, 5_000), 5_500, Phase.OPEN, 6_000),
    ],
)
def test_admission(state: BreakerState, now_ms: int, expected_phase: Phase, expected: int) -> None:
    """Neither an open breaker nor a throttle lets an attempt start; the later of both counts."""
    assert phase(state, now_ms) is expected_phase
    assert admits(state, now_ms) == expected


def test_a_throttle_is_never_shortened() -> None:
    """Two attempts in flight may bring two wishes; the later instant stands."""
    state = on_result(CLOSED, False, 0, POLICY, throttled_until_ms=9_000)
    state = on_result(state, False, 0, POLICY, throttled_until_ms=4_000)

    assert admits(state, 0) == 9_000


def test_success_on_a_healthy_lane_makes_no_new_state() -> None:
    """The hot path allocates nothing once a lane has closed."""
    healthy = on_result(FAILING, True, 0, POLICY)

    assert on_result(healthy, True, 1, POLICY) is healthy


@pytest.mark.parametrize(
    ("threshold", "first_ms", "longest_ms"), [(0, 1, 1), (1, 0, 1), (1, 2, 1), (1, -5, 10)]
)
def test_unfit_policies_are_refused(threshold: int, first_ms: int, longest_ms: int) -> None:
    """A breaker that can never open, or never close, is refused where it is made."""
    with pytest.raises(ValueError, match="must be"):
        BreakerPolicy(threshold=threshold, open_ms=first_ms, open_max_ms=longest_ms)


class BreakerHistory(RuleBasedStateMachine):
    """Any interleaving of results, throttles and passing time."""

    def __init__(self) -> None:
        super().__init__()
        self.state = BreakerState()
        self.now_ms = 0
        self.failures_in_a_row = 0
        self.throttled_until_ms = 0

    @rule(passed_ms=st.integers(0, 5_000))
    def time_passes(self, passed_ms: int) -> None:
        self.now_ms += passed_ms

    @rule()
    def an_attempt_succeeds(self) -> None:
        self.state = on_result(self.state, True, self.now_ms, POLICY)
        self.failures_in_a_row = 0

        assert phase(self.state, self.now_ms) is Phase.CLOSED

    @rule(throttled_ms=st.one_of(st.none(), st.integers(0, 5_000)))
    def an_attempt_fails(self, throttled_ms: int | None) -> None:
        before = self.state
        until_ms = None if throttled_ms is None else self.now_ms + throttled_ms
        self.state = on_result(before, False, self.now_ms, POLICY, throttled_until_ms=until_ms)
        self.failures_in_a_row += 1
        self.throttled_until_ms = max(self.throttled_until_ms, until_ms or 0)

        if phase(before, self.now_ms) is Phase.HALF_OPEN:
            assert self.state.open_duration_ms == min(2 * before.open_duration_ms, 3_000)

    @precondition(lambda self: phase(self.state, self.now_ms) is Phase.OPEN)
    @rule()
    def the_rest_ends(self) -> None:
        assert self.state.open_until_ms is not None
        self.now_ms = self.state.open_until_ms

        assert phase(self.state, self.now_ms) is Phase.HALF_OPEN

    @invariant()
    def failures_are_counted(self) -> None:
        assert self.state.consecutive_failures == self.failures_in_a_row

    @invariant()
    def open_exactly_from_the_threshold_on(self) -> None:
        is_closed = phase(self.state, self.now_ms) is Phase.CLOSED

        assert is_closed == (self.failures_in_a_row < POLICY.threshold)

    @invariant()
    def rests_are_bounded(self) -> None:
        admitted = admits(self.state, self.now_ms)

        assert admitted is True or self.now_ms < admitted <= self.now_ms + 5_000

    @invariant()
    def a_throttle_is_kept(self) -> None:
        if self.now_ms < self.throttled_until_ms:
            admitted = admits(self.state, self.now_ms)
            assert admitted is not True
            assert admitted >= self.throttled_until_ms


TestBreakerHistory = pytest.mark.slow(BreakerHistory.TestCase)
