"""What follows when a bridge has answered, or could not: a person must not get a text twice.

PENDING ─▶ DISPATCHED (durable, before the call) ─▶ SENT | FAILED | PENDING (certainly not done) | UNKNOWN
UNKNOWN ─▶ looked up until proof: SENT | FAILED | PENDING; without proof after a quiet time: FAILED
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.model.outbox import Disposition, OperationKind, OperationOutcome, OutboxState


@dataclass(frozen=True, kw_only=True, slots=True)
class SendPolicy:
    """How patient a line is."""

    #: Tries of an operation that certainly did not start.
    most_attempts: int
    #: First wait after such a try; doubles up to `retry_max_ms`.
    retry_ms: int
    retry_max_ms: int
    #: Between two look-ups of an unknown outcome.
    lookup_ms: int
    #: After the dispatch, when absence of proof is taken as final.
    unknown_after_ms: int
    #: The same while the bridge itself says that it is still at it.
    in_flight_ms: int
    #: Typing and read marks older than this are dropped: late, they would mislead.
    fleeting_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class NextStep:
    """The item after this step."""

    state: OutboxState
    #: Unix ms; meaningful while unfinished.
    at_ms: int
    error: str | None = None
    #: It was not even tried: nothing was handed over, and the line's pace is not used up.
    is_untried: bool = False


#: A network that asks for more patience is asked again all the same.
LONGEST_ASKED_MS = 3_600_000
FLEETING = frozenset({OperationKind.TYPING, OperationKind.READ})
#: Signs of life, and what nobody gets anything of.
UNPACED = FLEETING | {OperationKind.CHECK}


def is_too_late(policy: SendPolicy, kind: OperationKind, *, created_at: int, now_ms: int) -> bool:
    """Tell whether a fleeting operation has lost its meaning."""
    return kind in FLEETING and now_ms - created_at > policy.fleeting_ms


def after_perform(
    policy: SendPolicy, outcome: OperationOutcome, *, attempt_number: int, now_ms: int
) -> NextStep:
    """Decide after `perform`.

    Args:
        policy: The line's patience.
        outcome: What the bridge says.
        attempt_number: From 1.
        now_ms: Unix ms.
    """
    match outcome.disposition:
        case Disposition.ACCEPTED:
            return NextStep(state=OutboxState.SENT, at_ms=now_ms)
        case Disposition.REJECTED:
            return NextStep(state=OutboxState.FAILED, at_ms=now_ms, error=_error(outcome))
        case Disposition.NOT_STARTED:
            return _again(policy, outcome, attempt_number, now_ms)
        case Disposition.MAY_HAVE_COMPLETED | Disposition.STILL_IN_FLIGHT:
            at_ms = now_ms + policy.lookup_ms
            return NextStep(state=OutboxState.UNKNOWN, at_ms=at_ms, error=_error(outcome))


def after_lookup(
    policy: SendPolicy,
    outcome: OperationOutcome,
    *,
    attempt_number: int,
    dispatched_at: int,
    is_idempotent: bool,
    now_ms: int,
    doubt: str = "",
) -> NextStep:
    """Decide after `lookup` of an operation whose outcome was unknown.

    Args:
        policy: The line's patience.
        outcome: ACCEPTED: it happened. NOT_STARTED: no trace of it, or certainly not. Anything else: cannot tell yet.
        attempt_number: From 1.
        dispatched_at: Unix ms of the hand-over to the bridge.
        is_idempotent: The bridge itself drops a repeat of the same attempt id, so repeating is harmless.
        now_ms: Unix ms.
        doubt: Names the part that nobody knows of: `part 2 of 3: `. Empty where it is the whole.
    """
    if outcome.disposition in (Disposition.ACCEPTED, Disposition.REJECTED):
        return after_perform(policy, outcome, attempt_number=attempt_number, now_ms=now_ms)
    if outcome.disposition is Disposition.NOT_STARTED and (is_idempotent or outcome.is_certain):
        return _again(policy, outcome, attempt_number, now_ms)
    is_at_it = outcome.disposition is Disposition.STILL_IN_FLIGHT
    if now_ms - dispatched_at >= (policy.in_flight_ms if is_at_it else policy.unknown_after_ms):
        return NextStep(
            state=OutboxState.FAILED,
            at_ms=now_ms,
            error=f"delivery_unknown: {doubt}the bridge never said whether this was sent, so it is not sent again. "
            f"Look at the conversation, then {'retry it' if doubt else 'send it anew'} if it is missing.",
        )
    return NextStep(state=OutboxState.UNKNOWN, at_ms=now_ms + policy.lookup_ms, error=_error(outcome))


def _again(policy: SendPolicy, outcome: OperationOutcome, attempt_number: int, now_ms: int) -> NextStep:
    if not outcome.is_retry_safe or attempt_number >= policy.most_attempts:
        return NextStep(state=OutboxState.FAILED, at_ms=now_ms, error=_error(outcome))
    wait_ms = min(policy.retry_ms * 2 ** min(attempt_number - 1, 20), policy.retry_max_ms)
    if outcome.retry_after_ms is not None:
        wait_ms = max(wait_ms, min(outcome.retry_after_ms, LONGEST_ASKED_MS))
    return NextStep(state=OutboxState.PENDING, at_ms=now_ms + wait_ms, error=_error(outcome))


def _error(outcome: OperationOutcome) -> str:
    code = outcome.code or str(outcome.disposition)
    return f"{code}: {outcome.detail}" if outcome.detail else code
