"""What follows an attempt: the table of outcomes, `Retry-After` in all its forms, and the bounds."""

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.rules.retry import (
    STANDARD_DELAYS_SECONDS,
    AttemptOutcome,
    DeadLetter,
    Decision,
    RetryAt,
    RetryPolicy,
    Succeeded,
    decide,
    describe_wait,
    parse_retry_after,
)

#: Sun, 06 Nov 1994 08:49:37 GMT, the instant of RFC 9110's examples.
RFC_INSTANT_MS = 784_111_777_000
NOW_MS = 1_700_000_000_000
EXACT = RetryPolicy(jitter_ratio=0.0)

statuses = st.one_of(st.none(), st.integers(0, 999))
headers = st.one_of(st.none(), st.text(max_size=80), st.integers(-10, 10**18).map(str))
outcomes = st.builds(
    AttemptOutcome, status=statuses, error_code=st.sampled_from([None, "timeout"]), retry_after=headers
)
policies = st.builds(
    RetryPolicy,
    delays_seconds=st.lists(st.floats(0, 1e6), max_size=12).map(tuple),
    jitter_ratio=st.floats(0, 1),
    retry_after_cap_seconds=st.floats(0, 1e6),
    throttle_seconds=st.floats(0, 3600),
)
jitters = st.floats(0, 1, exclude_max=True)
instants = st.integers(0, 4_000_000_000_000)


def after(
    status: int | None = None,
    retry_after: str | None = None,
    *,
    attempt_number: int = 1,
    error: str | None = None,
) -> Decision:
    outcome = AttemptOutcome(status=status, error_code=error, retry_after=retry_after)
    return decide(EXACT, attempt_number=attempt_number, outcome=outcome, now_ms=NOW_MS, jitter=0.5)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_success(status: int) -> None:
    """Any 2xx, and a Retry-After on it changes nothing."""
    assert after(status, "120") == Succeeded()


@pytest.mark.parametrize(
    "status", [0, 100, 199, 300, 301, 302, 307, 308, 400, 401, 404, 500, 501, 503, 599, 999]
)
def test_anything_else_is_tried_again(status: int) -> None:
    """Redirects, client errors and nonsense are failures like any other: the receiver may be mended."""
    decision = after(status)

    assert isinstance(decision, RetryAt)
    assert decision.at_ms == NOW_MS + 5_000
    assert decision.throttle_lane_until_ms is None


def test_410_disables_at_once() -> None:
    """Standard Webhooks: Gone means no more, even on the first attempt, whatever else the answer says."""
    decision = after(410, "120")

    assert isinstance(decision, DeadLetter)
    assert decision.disable_endpoint


@pytest.mark.parametrize(
    ("status", "retry_after", "throttled_ms"),
    [
        (429, None, 30_000),
        (502, None, 30_000),
        (504, None, 30_000),
        (429, "120", 120_000),
        (504, "soon", 30_000),
        (503, None, None),
        (503, "120", 120_000),
        (503, "0", None),
        (500, "120", None),
    ],
)
@pytest.mark.parametrize("attempt_number", [1, 10])
def test_who_throttles_the_lane(
    status: int, retry_after: str | None, throttled_ms: int | None, attempt_number: int
) -> None:
    """429, 502 and 504 rest the lane, 503 only when it names a time; also when it was the last attempt."""
    decision = after(status, retry_after, attempt_number=attempt_number)

    assert not isinstance(decision, Succeeded)
    assert decision.throttle_lane_until_ms == (None if throttled_ms is None else NOW_MS + throttled_ms)


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (after(503, "120", attempt_number=3), "HTTP 503 with Retry-After: 120; retry 3 of 9 in 30 min 0 s"),
        (after(503, "7200", attempt_number=3), "HTTP 503 with Retry-After: 7200; retry 3 of 9 in 2 h 0 min"),
        (after(503, "120"), "HTTP 503 with Retry-After: 120; retry 1 of 9 in 2 min 0 s"),
        (after(302), "HTTP 302 (redirects are not followed); retry 1 of 9 in 5 s"),
        (after(error="timeout"), "no answer (timeout); retry 1 of 9 in 5 s"),
        (after(), "no answer (unknown); retry 1 of 9 in 5 s"),
        (after(500, attempt_number=10), "HTTP 500; attempt 10 of 10 was the last"),
        (after(410), "HTTP 410: the receiver is gone for good; disabled"),
        (after(500, "a\r\nb\x00é"), "HTTP 500 with Retry-After: a??b??; retry 1 of 9 in 5 s"),
    ],
)
def test_reasons_explain(decision: Decision, reason: str) -> None:
    """A person can read what happened and what will; foreign text is made printable."""
    assert not isinstance(decision, Succeeded)
    assert decision.reason == reason


def test_the_default_is_the_example_of_the_standard() -> None:
    """Ten attempts over 75 h 35 m 05 s."""
    moments, now_ms = [], 0
    for attempt_number in range(1, 11):
        decision = decide(
            EXACT,
            attempt_number=attempt_number,
            outcome=AttemptOutcome(status=500),
            now_ms=now_ms,
            jitter=0.0,
        )
        if isinstance(decision, RetryAt):
            moments.append((decision.at_ms - now_ms) / 1000)
            now_ms = decision.at_ms

    assert tuple(moments) == STANDARD_DELAYS_SECONDS
    assert now_ms == (75 * 3600 + 35 * 60 + 5) * 1000
    assert isinstance(decision, DeadLetter)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("120", 120_000),
        (" 120\t", 120_000),
        ("007", 7_000),
        ("1.5", 1_500),
        ("0.0001", 1),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 100_000),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 100_000),
        ("Sun Nov  6 08:49:37 1994", 100_000),
        ("sun, 06 nov 1994 08:49:37 gmt", 100_000),
        ("Sun, 06 Nov 1994 08:49:37 UTC", 100_000),
        ("Sun, 06 Nov 1994 08:47:00 GMT", 0),
        ("Sat, 31 Dec 1994 23:59:60 GMT", 4_806_723_000),
        ("", None),
        ("-1", None),
        ("+5", None),
        ("1e9", None),
        ("1.", None),
        (".5", None),
        ("١٢", None),
        ("5, 10", None),
        ("soon", None),
        ("inf", None),
        ("9" * 16, None),
        (" " * 65 + "5", None),
        ("Sun, 06 Nov 1994 08:49:37 +0100", None),
        ("Sun, 31 Feb 1994 08:49:37 GMT", None),
        ("Sun, 06 Foo 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 25:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:61 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("06 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after_forms(text: str, expected: int | None) -> None:
    """Seconds and the three HTTP-dates are read; whatever else a receiver writes is ignored."""
    assert parse_retry_after(text, RFC_INSTANT_MS - 100_000) == expected


@pytest.mark.parametrize(
    ("year", "expected_year"), [("94", 2094), ("73", 2073), ("26", 2026), ("77", 1977), ("76", 2076)]
)
def test_two_digit_years_look_at_most_50_years_ahead(year: str, expected_year: int) -> None:
    """RFC 9110 §5.6.7, seen from 2026; `94` seen from 2050."""
    now_ms = 2_524_608_000_000 if year == "94" else 1_767_225_600_000
    past = parse_retry_after(f"Sunday, 06-Nov-{year} 08:49:37 GMT", now_ms) == 0
    far = parse_retry_after(f"Sun, 06 Nov {expected_year} 08:49:37 GMT", now_ms)

    assert parse_retry_after(f"Sunday, 06-Nov-{year} 08:49:37 GMT", now_ms) == far
    assert past == (expected_year == 1977)


def test_retry_after_is_capped() -> None:
    """A receiver cannot park a delivery for ever."""
    decision = after(503, "999999999")

    assert isinstance(decision, RetryAt)
    assert decision.at_ms == NOW_MS + 86_400_000
    assert decision.throttle_lane_until_ms == NOW_MS + 86_400_000


@pytest.mark.parametrize(
    ("wait_ms", "text"),
    [
        (0, "0 ms"),
        (999, "999 ms"),
        (5_499, "5 s"),
        (120_000, "2 min 0 s"),
        (3_599_999, "59 min 59 s"),
        (19_800_000, "5 h 30 min"),
        (90_000_000, "1 d 1 h"),
    ],
)
def test_waits_read_well(wait_ms: int, text: str) -> None:
    """Two units at most, the smaller never misleading."""
    assert describe_wait(wait_ms) == text


@pytest.mark.parametrize(
    "unfit",
    [
        {"delays_seconds": (-1.0,)},
        {"delays_seconds": (float("nan"),)},
        {"delays_seconds": (float("inf"),)},
        {"delays_seconds": (1.0,) * 101},
        {"jitter_ratio": 1.5},
        {"jitter_ratio": -0.1},
        {"retry_after_cap_seconds": float("inf")},
        {"throttle_seconds": -1.0},
    ],
    ids=str,
)
def test_unfit_policies_are_refused(unfit: dict[str, float]) -> None:
    """A schedule that could stall or spin is refused where it is made."""
    with pytest.raises(ValueError):
        replace(RetryPolicy(), **unfit)  # type: ignore[arg-type]  # a table of one field each


@given(policies, st.integers(1, 20), outcomes, instants, jitters)
@example(RetryPolicy(), 1, AttemptOutcome(status=503, retry_after="86401"), 0, 0.999)
def test_bounds_of_the_next_attempt(
    policy: RetryPolicy, attempt_number: int, outcome: AttemptOutcome, now_ms: int, jitter: float
) -> None:
    """Never before the schedule, never beyond schedule + jitter or the cap on `Retry-After`."""
    decision = decide(policy, attempt_number=attempt_number, outcome=outcome, now_ms=now_ms, jitter=jitter)
    if not isinstance(decision, RetryAt):
        return

    scheduled_ms = policy.delays_seconds[attempt_number - 1] * 1000
    latest_ms = max(scheduled_ms * (1 + policy.jitter_ratio), policy.retry_after_cap_seconds * 1000)
    assert scheduled_ms <= decision.at_ms - now_ms <= latest_ms + 1
    assert f"retry {attempt_number} of {len(policy.delays_seconds)}" in decision.reason
    assert decision.reason.isprintable()


@given(policies, st.integers(1, 20), outcomes, instants, jitters)
def test_every_delivery_ends(
    policy: RetryPolicy, attempt_number: int, outcome: AttemptOutcome, now_ms: int, jitter: float
) -> None:
    """Success exactly for 2xx; a retry exactly while the schedule has a wait left; only 410 disables."""
    decision = decide(policy, attempt_number=attempt_number, outcome=outcome, now_ms=now_ms, jitter=jitter)

    is_success = outcome.status is not None and 200 <= outcome.status <= 299
    is_gone = outcome.status == 410
    has_wait_left = attempt_number <= len(policy.delays_seconds)
    assert isinstance(decision, Succeeded) == is_success
    assert isinstance(decision, RetryAt) == (has_wait_left and not is_success and not is_gone)
    assert (isinstance(decision, DeadLetter) and decision.disable_endpoint) == is_gone


@given(st.integers(0, 86_400), instants, st.integers(1, 9), jitters)
def test_never_earlier_than_asked(seconds: int, now_ms: int, attempt_number: int, jitter: float) -> None:
    """Within the cap a receiver's wish is honoured to the millisecond, for the retry and for the lane."""
    decision = decide(
        RetryPolicy(),
        attempt_number=attempt_number,
        outcome=AttemptOutcome(status=429, retry_after=str(seconds)),
        now_ms=now_ms,
        jitter=jitter,
    )

    assert isinstance(decision, RetryAt)
    assert decision.at_ms >= now_ms + seconds * 1000
    assert decision.throttle_lane_until_ms == now_ms + seconds * 1000


@given(st.text(max_size=80), instants)
def test_no_header_text_raises(text: str, now_ms: int) -> None:
    """Whatever stands there is a wait of zero or more, or ignored."""
    wait_ms = parse_retry_after(text, now_ms)

    assert wait_ms is None or wait_ms >= 0
