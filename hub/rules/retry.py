"""Decide what follows an attempt: done, another attempt at an instant, or a dead letter.

The schedule is durable: its instants are stored beside the delivery and outlive every process. That is why it
is written here and not with tenacity, which the project uses for retries inside one process (reaching Redis
while it starts, and the like) and which forgets everything with that process.
Not here: making attempts (hub.flow.deliver) and the lane's breaker (hub.rules.breaker).
"""

import math
import re
from dataclasses import dataclass
from typing import Final

from hub.rules.http_dates import parse_http_date

#: Standard Webhooks spec 1.0.0, example schedule: at once, then these waits; 75 h 35 m 05 s in all.
STANDARD_DELAYS_SECONDS: Final = (5.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
MOST_RETRIES: Final = 100
LONGEST_DELAY_SECONDS: Final = 30 * 86400.0

_HTTP_GONE: Final = 410
_HTTP_UNAVAILABLE: Final = 503
#: Standard Webhooks spec 1.0.0: these ask the sender to slow down, not only to repeat.
_THROTTLING: Final = frozenset({429, 502, 504})
_LONGEST_HEADER: Final = 64
_DELAY_SECONDS: Final = re.compile(r"([0-9]{1,15})(\.[0-9]{1,9})?", re.ASCII)
_UNPRINTABLE: Final = re.compile(r"[^ -~]", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How often and when a failed delivery is tried again."""

    #: The wait after attempt 1, 2, …; there are as many retries as waits.
    delays_seconds: tuple[float, ...] = STANDARD_DELAYS_SECONDS
    #: A wait is lengthened by up to this share of itself, never shortened.
    jitter_ratio: float = 0.1
    #: The longest wait a receiver can ask for.
    retry_after_cap_seconds: float = 86400.0
    #: How long a lane rests after 429, 502 or 504 without a `Retry-After`.
    throttle_seconds: float = 30.0

    def __post_init__(self) -> None:
        if len(self.delays_seconds) > MOST_RETRIES:
            raise ValueError(
                f"a retry schedule has at most {MOST_RETRIES} waits, not {len(self.delays_seconds)}"
            )
        for delay in self.delays_seconds:
            _require_within("each wait of a retry schedule", delay, LONGEST_DELAY_SECONDS)
        _require_within("jitter_ratio", self.jitter_ratio, 1.0)
        _require_within("retry_after_cap_seconds", self.retry_after_cap_seconds, LONGEST_DELAY_SECONDS)
        _require_within("throttle_seconds", self.throttle_seconds, LONGEST_DELAY_SECONDS)


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptOutcome:
    """What one attempt met with: a status, or else the code of what went wrong before there was one."""

    #: The receiver's HTTP status; None without an answer.
    status: int | None = None
    #: Our code for a missing answer, such as `timeout`; None with an answer.
    error_code: str | None = None
    #: The text of the `Retry-After` header, unread.
    retry_after: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Succeeded:
    """The receiver took it (2xx)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryAt:
    """Try again, not before the instant."""

    #: Unix ms.
    at_ms: int
    #: Why and when, for people.
    reason: str
    #: Unix ms until which nothing should be sent to this receiver at all; None to go on.
    throttle_lane_until_ms: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadLetter:
    """No further attempt by itself; the delivery waits for a person."""

    reason: str
    #: The receiver said it is gone for good.
    disable_endpoint: bool = False
    #: Unix ms until which nothing should be sent to this receiver at all; None to go on.
    throttle_lane_until_ms: int | None = None


Decision = Succeeded | RetryAt | DeadLetter
_SUCCEEDED: Final = Succeeded()


def decide(
    policy: RetryPolicy, *, attempt_number: int, outcome: AttemptOutcome, now_ms: int, jitter: float
) -> Decision:
    """Say what follows attempt `attempt_number` (from 1), which ended just now.

    Args:
        policy: the receiver's schedule.
        attempt_number: how many attempts have been made, this one included.
        outcome: what the attempt met with.
        now_ms: Unix ms; the wait counts from here.
        jitter: a fresh random draw, 0 <= jitter < 1.
    """
    status = outcome.status
    if status is not None and 200 <= status < 300:
        return _SUCCEEDED
    if status == _HTTP_GONE:
        return DeadLetter(reason="HTTP 410: the receiver is gone for good; disabled", disable_endpoint=True)
    asked_ms = None if outcome.retry_after is None else parse_retry_after(outcome.retry_after, now_ms)
    if asked_ms is not None:
        asked_ms = min(asked_ms, round(policy.retry_after_cap_seconds * 1000))
    throttle_until_ms = _throttle_until(policy, status, asked_ms, now_ms)
    what = _describe(outcome)
    retries = len(policy.delays_seconds)
    if attempt_number > retries:
        return DeadLetter(
            reason=f"{what}; attempt {attempt_number} of {retries + 1} was the last",
            throttle_lane_until_ms=throttle_until_ms,
        )
    delay_seconds = policy.delays_seconds[attempt_number - 1]
    wait_ms = math.ceil(delay_seconds * (1 + policy.jitter_ratio * jitter) * 1000)
    wait_ms = max(wait_ms, asked_ms or 0)
    return RetryAt(
        at_ms=now_ms + wait_ms,
        reason=f"{what}; retry {attempt_number} of {retries} in {describe_wait(wait_ms)}",
        throttle_lane_until_ms=throttle_until_ms,
    )


def parse_retry_after(text: str, now_ms: int) -> int | None:
    """Return how many milliseconds from now a `Retry-After` asks for (0 for the past), or None if unreadable.

    Reads whole or decimal seconds and the three forms of HTTP-date (RFC 9110 §5.6.7). Not capped here.
    """
    if len(text) > _LONGEST_HEADER:
        return None
    text = text.strip(" \t")
    seconds = _DELAY_SECONDS.fullmatch(text)
    if seconds is not None:
        whole, fraction = seconds.groups()
        return int(whole) * 1000 + (math.ceil(float(fraction) * 1000) if fraction else 0)
    at_ms = parse_http_date(text, now_ms)
    return None if at_ms is None else max(0, at_ms - now_ms)


def describe_wait(wait_ms: int) -> str:
    """Write a wait for people in its two largest units: `2 min 0 s`, `5 h 30 min`, `850 ms`."""
    if wait_ms < 1000:
        return f"{wait_ms} ms"
    minutes, seconds = divmod(wait_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def _throttle_until(policy: RetryPolicy, status: int | None, asked_ms: int | None, now_ms: int) -> int | None:
    """A 503 that names a time speaks of the whole receiver too (RFC 9110 §10.2.3)."""
    if status in _THROTTLING:
        rest_ms = round(policy.throttle_seconds * 1000) if asked_ms is None else asked_ms
        return now_ms + rest_ms
    return now_ms + asked_ms if status == _HTTP_UNAVAILABLE and asked_ms else None


def _describe(outcome: AttemptOutcome) -> str:
    if outcome.status is None:
        return f"no answer ({outcome.error_code or 'unknown'})"
    text = f"HTTP {outcome.status}"
    if 300 <= outcome.status < 400:
        text += " (redirects are not followed)"
    if outcome.retry_after:
        text += f" with Retry-After: {_UNPRINTABLE.sub('?', outcome.retry_after[:_LONGEST_HEADER])}"
    return text


def _require_within(name: str, value: float, most: float) -> None:
    if not 0 <= value <= most:  # also false for NaN
        raise ValueError(f"{name} must be from 0 to {most:g}, not {value!r}")
