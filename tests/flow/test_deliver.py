"""One attempt: signed in both forms, posted, decided, and told truly in its record."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as StandardVerifier

from hub.flow.deliver import Deliverer, Finished
from hub.flow.rows import DueDelivery
from hub.model.delivery import DeliveryState, Outcome
from hub.model.ids import Prefix, id_text
from hub.model.webhook import StoredSecret
from hub.rules.signing import Secret
from tests.flow.posting import Answer, Line, Unreachable, receiver
from tests.support.manual_time import ManualClock
from tests.support.webhooks import a_webhook

NEW, OLD = Secret.from_bytes(b"n" * 32).text, Secret.from_bytes(b"o" * 32).text
DUE = DueDelivery(7, 5, 3, 0, "message.received", '{"text":"héllo"}')


async def attempt(
    answer: Answer | Exception, *, due: DueDelivery = DUE, url: str = "https://a.example/"
) -> Finished:
    clock, line = ManualClock(), Line(answer)
    deliverer = Deliverer(
        poster=line,
        clock=clock,
        monotonic=iter([1.0, 1.25]).__next__,
        draw=lambda: 0.0,
        unreachable=Unreachable,
    )
    return await deliverer.attempt(receiver(a_webhook(url=url), line), due)


def headers_of(lines: bytes) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in lines.decode().split("\r\n"))


# ---- what is sent


def test_the_body_is_the_native_envelope() -> None:
    _, body = receiver(a_webhook(), Line()).render(DUE, 1_800_000_000_123)

    assert msgspec.json.decode(body) == {
        "event": "message.received",
        "data": {"text": "héllo"},
        "timestamp": 1_800_000_000_123,
        "delivery_id": id_text(Prefix.DELIVERY, 7),
    }


def test_the_webhook_id_is_the_events_on_every_attempt() -> None:
    compiled = receiver(a_webhook(), Line())
    ids = {
        headers_of(compiled.render(DUE._replace(id=number), number * 1000)[0])["webhook-id"]
        for number in (1, 2)
    }

    assert ids == {id_text(Prefix.EVENT, 5)}


@given(
    data=st.text().map(lambda text: msgspec.json.encode({"text": text}).decode()),
    at=st.integers(10**12, 10**13),
)
def test_every_body_is_verified_by_the_official_package(data: str, at: int) -> None:
    headers, body = receiver(a_webhook(), Line()).render(DUE._replace(data=data), at)
    verifier = StandardVerifier(a_webhook().secrets[0].text)
    given_headers = {name.lower(): value for name, value in headers_of(headers).items()}
    # The package checks the age of the timestamp against the machine's clock: only the signature is compared here.
    signed = verifier.sign(
        given_headers["webhook-id"], datetime.fromtimestamp(at // 1000, UTC), body.decode()
    )

    assert signed in given_headers["webhook-signature"].split(" ")


def test_both_secrets_sign_until_the_overlap_is_over() -> None:
    webhook = a_webhook(secrets=(StoredSecret(text=NEW), StoredSecret(text=OLD, expires_at=1_000)))
    during = headers_of(receiver(webhook, Line(), now_ms=999).render(DUE, 999)[0])
    after = headers_of(receiver(webhook, Line(), now_ms=1_000).render(DUE, 1_000)[0])

    assert len(during["webhook-signature"].split(" ")) == 2
    assert "X-Webhook-Signature-Previous" in during
    assert len(after["webhook-signature"].split(" ")) == 1
    assert "X-Webhook-Signature-Previous" not in after


# ---- what follows


@pytest.mark.parametrize(
    ("answer", "state", "outcome", "status"),
    [
        (Answer(200), DeliveryState.SUCCEEDED, Outcome.SUCCESS, 200),
        (Answer(204), DeliveryState.SUCCEEDED, Outcome.SUCCESS, 204),
        (Answer(301), DeliveryState.PENDING, Outcome.RETRYABLE, 301),
        (Answer(404), DeliveryState.PENDING, Outcome.RETRYABLE, 404),
        (Answer(500), DeliveryState.PENDING, Outcome.RETRYABLE, 500),
        (Answer(410), DeliveryState.DEAD, Outcome.PERMANENT, 410),
        (Unreachable("timeout", "too slow"), DeliveryState.PENDING, Outcome.RETRYABLE, None),
    ],
    ids=["200", "204", "301", "404", "500", "410", "timeout"],
)
async def test_the_record_says_what_happened(
    answer: Answer | Exception, state: DeliveryState, outcome: Outcome, status: int | None
) -> None:
    finished = await attempt(answer)

    assert (finished.finish.state, finished.attempt.outcome) == (state, outcome)
    assert (finished.finish.last_status, finished.attempt.status) == (status, status)
    assert finished.attempt.number == finished.finish.attempt_count == 1
    assert finished.attempt.duration_us == 250_000
    assert finished.is_success is (state is DeliveryState.SUCCEEDED)


async def test_the_schedule_counts_from_the_end_of_the_attempt() -> None:
    finished = await attempt(Answer(500))

    assert finished.finish.next_attempt_at == ManualClock().now_ms() + 250 + 5_000


async def test_the_last_failure_is_a_dead_letter() -> None:
    finished = await attempt(Answer(500), due=DUE._replace(attempt_count=1))

    assert finished.finish.state is DeliveryState.DEAD
    assert finished.finish.finished_at is not None


@pytest.mark.parametrize("name", [b"Retry-After", b"retry-after", b"RETRY-AFTER"])
async def test_retry_after_is_read_whatever_its_case(name: bytes) -> None:
    finished = await attempt(Answer(503, headers=[(name, b"120")]))

    assert finished.finish.next_attempt_at == ManualClock().now_ms() + 250 + 120_000


async def test_retry_after_of_a_success_means_nothing() -> None:
    finished = await attempt(Answer(200, headers=[(b"retry-after", b"120")]))

    assert finished.is_success


async def test_a_refused_url_is_a_failed_attempt_without_a_post() -> None:
    finished = await attempt(Answer(), url="https://refused.example/")

    assert finished.attempt.error == "url_refused"
    assert finished.attempt.reason == "it is private"
    assert finished.finish.state is DeliveryState.PENDING


@given(body=st.binary(max_size=200), value=st.binary(max_size=50))
async def test_whatever_a_receiver_answers_can_be_recorded(body: bytes, value: bytes) -> None:
    finished = await attempt(Answer(500, headers=[(b"x-odd", value)], body=body, body_truncated=True))

    text = finished.attempt.response
    assert text is not None
    text.encode()  # no lone surrogate
    assert "\x00" not in text
    assert msgspec.json.decode(text)["is_truncated"] is True


async def test_only_so_many_headers_are_kept() -> None:
    finished = await attempt(Answer(500, headers=[(b"x" * 5_000, b"y" * 5_000)] * 100))

    kept = msgspec.json.decode(finished.attempt.response or "")["headers"]
    assert len(kept) == 32
    assert {(len(name), len(value)) for name, value in kept} == {(1024, 1024)}
