"""What a worker counts and tells of the attempts it recorded (hub.app.measuring)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from hub.app.measuring import DeliveryReport
from hub.flow.deliver import Finished
from hub.flow.rows import AttemptRow, DueDelivery, FinishRow
from hub.model.delivery import DeliveryState, Outcome
from hub.model.ids import IdFactory, Prefix, id_text
from hub.observe.logs import configure_logs
from hub.observe.metrics import Metrics
from hub.rules.retry import DeadLetter, Decision, RetryAt, Succeeded

NOW = 1_800_000_000_000
SECRET = "only between us"


Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capfd: pytest.CaptureFixture[str]) -> Iterator[Lines]:
    """Give what was logged since the last look."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs(level="debug", form="json", process="worker")
    yield lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def finished(decision: Decision, *, number: int = 1, status: int = 200, waited_ms: int = 7) -> Finished:
    delivery_id, event_id, webhook_id = IdFactory(1, lambda: NOW).take(3)
    outcome = {Succeeded: Outcome.SUCCESS, RetryAt: Outcome.RETRYABLE}.get(type(decision), Outcome.PERMANENT)
    reason = getattr(decision, "reason", None)
    due = DueDelivery(
        delivery_id, event_id, webhook_id, number - 1, "message.received", f'{{"text":"{SECRET}"}}'
    )
    row = FinishRow(delivery_id, DeliveryState.PENDING, number, NOW, None, status, reason)
    attempt = AttemptRow(
        delivery_id, number, NOW + waited_ms, 3000, outcome, status, None, None, None, SECRET, SECRET
    )  # fmt: skip
    return Finished(due=due, finish=row, attempt=attempt, decision=decision)


def counted(metrics: Metrics) -> dict[str, float]:
    return {
        f"{sample.name}{''.join(sample.labels.get('outcome', ''))}": sample.value
        for metric in metrics.registry.collect()
        for sample in metric.samples
        if sample.value and "_created" not in sample.name and "_bucket" not in sample.name
    }


async def test_successes_are_told_together_and_counted(lines: Lines) -> None:
    metrics = Metrics()
    report = DeliveryReport(metrics)
    report.take([finished(Succeeded()), finished(Succeeded())])
    report.take([finished(Succeeded(), number=2)])
    report.flush()
    report.flush()

    assert [(line["event"], line["count"]) for line in lines()] == [("deliveries.succeeded", 3)]
    assert counted(metrics) == pytest.approx(
        {
            "hub_delivery_attempts_totalsuccess": 3,
            "hub_post_seconds_count": 3,
            "hub_post_seconds_sum": 0.009,
            "hub_delivery_delay_seconds_count": 2,
            "hub_delivery_delay_seconds_sum": 0.014,
        }
    )


async def test_a_failure_is_told_by_itself_with_why_and_when_next(lines: Lines) -> None:
    report = DeliveryReport(Metrics())
    failed = finished(RetryAt(at_ms=NOW + 5000, reason="HTTP 500; retry 1 of 9 in 5 s"), status=500)
    report.take([failed])

    (line,) = lines()
    assert line["event"] == "delivery.failed"
    assert line["level"] == "info"
    assert line["delivery_id"] == id_text(Prefix.DELIVERY, failed.due.id)
    assert line["webhook_id"] == id_text(Prefix.WEBHOOK, failed.due.webhook_id)
    assert (line["status"], line["attempt_number"], line["next_attempt_at"]) == (500, 1, NOW + 5000)
    assert line["reason"] == "HTTP 500; retry 1 of 9 in 5 s"


async def test_a_dead_letter_is_a_warning(lines: Lines) -> None:
    DeliveryReport(Metrics()).take([finished(DeadLetter(reason="HTTP 410"), status=410)])

    (line,) = lines()
    assert (line["event"], line["level"], line["next_attempt_at"]) == ("delivery.dead", "warning", None)


async def test_neither_payload_nor_request_nor_answer_is_told(lines: Lines) -> None:
    report = DeliveryReport(Metrics())
    report.take([finished(RetryAt(at_ms=NOW, reason="HTTP 500")), finished(DeadLetter(reason="HTTP 410"))])
    report.flush()

    assert SECRET not in json.dumps(lines())
