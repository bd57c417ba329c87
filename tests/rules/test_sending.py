"""What follows a bridge's answer, as a table; and that nothing is ever sent twice, whatever a bridge does."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.model.outbox import OUTBOX_MOVES, Disposition, OperationKind, OperationOutcome, OutboxState
from hub.rules.sending import LONGEST_ASKED_MS, NextStep, SendPolicy, after_lookup, after_perform, is_too_late

POLICY = SendPolicy(
    most_attempts=3,
    retry_ms=1_000,
    retry_max_ms=1_500,
    lookup_ms=5_000,
    unknown_after_ms=60_000,
    in_flight_ms=300_000,
    fleeting_ms=10_000,
)
NOW = 1_000_000
PENDING, DISPATCHED, UNKNOWN = OutboxState.PENDING, OutboxState.DISPATCHED, OutboxState.UNKNOWN
SENT, FAILED = OutboxState.SENT, OutboxState.FAILED


def outcome(disposition: Disposition, *, is_retry_safe: bool = False) -> OperationOutcome:
    return OperationOutcome(
        disposition=disposition, code="code", detail="detail", is_retry_safe=is_retry_safe
    )


@pytest.mark.parametrize(
    ("disposition", "is_retry_safe", "attempt_number", "expected"),
    [
        (Disposition.ACCEPTED, False, 1, NextStep(state=SENT, at_ms=NOW)),
        (Disposition.REJECTED, False, 1, NextStep(state=FAILED, at_ms=NOW, error="code: detail")),
        (Disposition.NOT_STARTED, True, 1, NextStep(state=PENDING, at_ms=NOW + 1_000, error="code: detail")),
        (Disposition.NOT_STARTED, True, 2, NextStep(state=PENDING, at_ms=NOW + 1_500, error="code: detail")),
        (Disposition.NOT_STARTED, True, 3, NextStep(state=FAILED, at_ms=NOW, error="code: detail")),
        (Disposition.NOT_STARTED, False, 1, NextStep(state=FAILED, at_ms=NOW, error="code: detail")),
        (Disposition.MAY_HAVE_COMPLETED, True, 1, NextStep(state=UNKNOWN, at_ms=NOW + 5_000, error="code: detail")),
        (Disposition.STILL_IN_FLIGHT, True, 1, NextStep(state=UNKNOWN, at_ms=NOW + 5_000, error="code: detail")),
    ],
)  # fmt: skip
def test_after_perform(
    disposition: Disposition, is_retry_safe: bool, attempt_number: int, expected: NextStep
) -> None:
    found = after_perform(
        POLICY, outcome(disposition, is_retry_safe=is_retry_safe), attempt_number=attempt_number, now_ms=NOW
    )

    assert found == expected


@pytest.mark.parametrize(
    ("asked_ms", "waited_ms"),
    [(None, 1_000), (10, 1_000), (30_000, 30_000), (86_400_000, LONGEST_ASKED_MS)],
)
def test_a_network_that_asks_for_patience_gets_it_within_bounds(asked_ms: int | None, waited_ms: int) -> None:
    busy = OperationOutcome(
        disposition=Disposition.NOT_STARTED, code="busy", is_retry_safe=True, retry_after_ms=asked_ms
    )

    assert after_perform(POLICY, busy, attempt_number=1, now_ms=NOW).at_ms == NOW + waited_ms


@pytest.mark.parametrize(
    ("disposition", "is_idempotent", "age_ms", "expected"),
    [
        (Disposition.ACCEPTED, False, 0, SENT),
        (Disposition.ACCEPTED, False, 60_000, SENT),
        (Disposition.REJECTED, False, 0, FAILED),
        (Disposition.NOT_STARTED, True, 0, PENDING),
        (Disposition.NOT_STARTED, False, 0, UNKNOWN),
        (Disposition.NOT_STARTED, False, 60_000, FAILED),
        (Disposition.MAY_HAVE_COMPLETED, True, 59_999, UNKNOWN),
        (Disposition.MAY_HAVE_COMPLETED, True, 60_000, FAILED),
        (Disposition.STILL_IN_FLIGHT, False, 59_999, UNKNOWN),
        (Disposition.STILL_IN_FLIGHT, False, 60_000, UNKNOWN),
        (Disposition.STILL_IN_FLIGHT, False, 299_999, UNKNOWN),
        (Disposition.STILL_IN_FLIGHT, False, 300_000, FAILED),
    ],
)
def test_after_lookup(
    disposition: Disposition, is_idempotent: bool, age_ms: int, expected: OutboxState
) -> None:
    found = after_lookup(
        POLICY,
        outcome(disposition, is_retry_safe=True),
        attempt_number=1,
        dispatched_at=NOW - age_ms,
        is_idempotent=is_idempotent,
        now_ms=NOW,
    )

    assert found.state is expected
    if disposition not in {Disposition.ACCEPTED, Disposition.REJECTED} and expected is FAILED:
        assert (found.error or "").startswith("delivery_unknown: ")


@pytest.mark.parametrize(
    ("kind", "age_ms", "expected"),
    [
        (OperationKind.TYPING, 10_000, False),
        (OperationKind.TYPING, 10_001, True),
        (OperationKind.READ, 10_001, True),
        (OperationKind.SEND, 10_000_000, False),
        (OperationKind.REACT, 10_000_000, False),
    ],
)
def test_only_signs_of_life_can_be_too_late(kind: OperationKind, age_ms: int, expected: bool) -> None:
    assert is_too_late(POLICY, kind, created_at=NOW - age_ms, now_ms=NOW) is expected


class SendMachine(RuleBasedStateMachine):
    """An honest network behind a bridge that loses answers, and a hub that crashes between any two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.state = PENDING
        self.now_ms = NOW
        self.attempts = 0
        self.dispatched_at = 0
        self.is_idempotent = False
        #: How often the other side got the message.
        self.arrived = 0

    def move(self, step: NextStep) -> None:
        assert step.state is self.state or step.state in OUTBOX_MOVES[self.state]
        assert step.state in {SENT, FAILED} or step.at_ms >= self.now_ms
        self.state = step.state

    def send(self) -> None:
        self.arrived += 0 if self.is_idempotent and self.arrived else 1

    @precondition(lambda self: self.attempts == 0)
    @rule(is_idempotent=st.booleans())
    def choose(self, is_idempotent: bool) -> None:
        self.is_idempotent = is_idempotent

    @precondition(lambda self: self.state is PENDING)
    @rule()
    def dispatch(self) -> None:
        self.move(NextStep(state=DISPATCHED, at_ms=self.now_ms))
        self.attempts += 1
        self.dispatched_at = self.now_ms

    @precondition(lambda self: self.state is DISPATCHED)
    @rule(fate=st.sampled_from(["accepted", "lost", "never", "offline", "refused", "crash", "crash_before"]))
    def perform(self, fate: str) -> None:
        if fate in {"accepted", "lost", "crash"}:
            self.send()
        dispositions = {
            "accepted": outcome(Disposition.ACCEPTED),
            "lost": outcome(Disposition.MAY_HAVE_COMPLETED),
            "never": outcome(Disposition.MAY_HAVE_COMPLETED),
            "offline": outcome(Disposition.NOT_STARTED, is_retry_safe=True),
            "refused": outcome(Disposition.REJECTED),
        }
        if fate in dispositions:
            self.move(
                after_perform(POLICY, dispositions[fate], attempt_number=self.attempts, now_ms=self.now_ms)
            )
        elif self.state is DISPATCHED:
            self.look_up(can_tell=True)  # the only way on from a crash

    @precondition(lambda self: self.state is UNKNOWN)
    @rule(can_tell=st.booleans())
    def look_up(self, can_tell: bool) -> None:
        if not can_tell:
            found = outcome(Disposition.MAY_HAVE_COMPLETED)
        elif self.arrived:
            found = outcome(Disposition.ACCEPTED)
        else:
            found = outcome(Disposition.NOT_STARTED, is_retry_safe=True)
        self.move(
            after_lookup(
                POLICY,
                found,
                attempt_number=self.attempts,
                dispatched_at=self.dispatched_at,
                is_idempotent=self.is_idempotent,
                now_ms=self.now_ms,
            )
        )

    @rule(milliseconds=st.integers(1, 40_000))
    def wait(self, milliseconds: int) -> None:
        self.now_ms += milliseconds

    @invariant()
    def nobody_gets_it_twice(self) -> None:
        assert self.arrived <= 1

    @invariant()
    def sent_is_true(self) -> None:
        assert self.state is not SENT or self.arrived == 1

    @invariant()
    def tries_are_bounded(self) -> None:
        assert self.attempts <= POLICY.most_attempts


TestSendMachine = pytest.mark.slow(SendMachine.TestCase)
