"""One attempt of one delivery: sign, post, decide. The caller records the result, many in one transaction.

Not here: what the bytes look like (hub.flow.webhook_forms).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from hub.flow.ports import Clock
from hub.flow.receivers import Answer, Poster, Receiver
from hub.flow.rows import AttemptRow, DueDelivery, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.rules.retry import AttemptOutcome, DeadLetter, Decision, RetryAt, Succeeded, decide

#: Response headers kept in the attempt log; the rest is counted, not kept.
MOST_HEADERS = 32
MOST_HEADER_BYTES = 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """An attempt that ended, ready to be recorded."""

    due: DueDelivery
    finish: FinishRow
    attempt: AttemptRow
    decision: Decision

    @property
    def is_success(self) -> bool:
        return self.attempt.outcome == Outcome.SUCCESS


class Deliverer:
    """Makes attempts."""

    def __init__(
        self,
        *,
        poster: Poster,
        clock: Clock,
        monotonic: Callable[[], float],
        draw: Callable[[], float],
        unreachable: type[Exception],
    ) -> None:
        self._poster = poster
        self._clock = clock
        self._monotonic = monotonic
        self._draw = draw
        self._unreachable = unreachable

    async def attempt(self, receiver: Receiver, due: DueDelivery) -> Finished:
        """Post once and decide what follows. Never raises for anything that a receiver can do."""
        started_at = self._clock.now_ms()
        begun = self._monotonic()
        headers, body = receiver.render(due, started_at)
        answer: Answer | None = None
        failure: Exception | None = None
        try:
            if isinstance(receiver.target, Exception):
                raise receiver.target
            answer = await self._poster.post(
                receiver.target,
                headers,
                body,
                timeout_seconds=receiver.timeout_seconds,
                max_response_bytes=receiver.max_response_bytes,
            )
        except self._unreachable as error:
            failure = error
        duration_us = int((self._monotonic() - begun) * 1_000_000)
        return self._finish(receiver, due, started_at, duration_us, answer, failure)

    def _finish(  # noqa: PLR0917 - one attempt's facts, gathered in one place
        self,
        receiver: Receiver,
        due: DueDelivery,
        started_at: int,
        duration_us: int,
        answer: Answer | None,
        failure: Exception | None,
    ) -> Finished:
        number = due.attempt_count + 1
        error = getattr(failure, "code", None)
        decision = decide(
            receiver.retry,
            attempt_number=number,
            outcome=AttemptOutcome(
                status=answer.status if answer else None,
                error_code=str(error) if error else None,
                retry_after=_retry_after(answer),
            ),
            now_ms=started_at + duration_us // 1000,
            jitter=self._draw(),
        )
        finish = _finish_row(due, number, decision, started_at + duration_us // 1000, answer)
        attempt = AttemptRow(
            due.id,
            number,
            started_at,
            duration_us,
            _outcome(decision),
            answer.status if answer else None,
            str(error) if error else None,
            getattr(failure, "detail", None) or finish.reason,
            answer.address if answer else getattr(failure, "address", None),
            receiver.request_json,
            _response_json(answer) if answer else None,
        )
        return Finished(due=due, finish=finish, attempt=attempt, decision=decision)


def _retry_after(answer: Answer | None) -> str | None:
    if answer is None or answer.status < 300:
        return None
    for name, value in answer.headers:
        if name.lower() == b"retry-after":
            return value.decode("latin-1")
    return None


def _outcome(decision: Decision) -> Outcome:
    match decision:
        case Succeeded():
            return Outcome.SUCCESS
        case RetryAt():
            return Outcome.RETRYABLE
        case DeadLetter():
            return Outcome.PERMANENT


def _finish_row(
    due: DueDelivery, number: int, decision: Decision, now_ms: int, answer: Answer | None
) -> FinishRow:
    status = answer.status if answer else None
    match decision:
        case Succeeded():
            return FinishRow(due.id, DeliveryState.SUCCEEDED, number, now_ms, now_ms, status, None)
        case RetryAt(at_ms=at_ms, reason=reason):
            return FinishRow(due.id, DeliveryState.PENDING, number, at_ms, None, status, reason)
        case DeadLetter(reason=reason):
            return FinishRow(due.id, DeliveryState.DEAD, number, now_ms, now_ms, status, reason)


def _response_json(answer: Answer) -> str:
    headers = [
        [name[:MOST_HEADER_BYTES].decode("latin-1"), value[:MOST_HEADER_BYTES].decode("latin-1")]
        for name, value in answer.headers[:MOST_HEADERS]
    ]
    body = answer.body.decode("utf-8", "replace").replace("\x00", "�")
    return msgspec.json.encode(
        {"headers": headers, "body": body, "is_truncated": answer.body_truncated}
    ).decode()
