"""A webhook made ready: what is signed with what, what is masked, what is overridden, when it goes stale."""

from __future__ import annotations

from hub.model.webhook import StoredSecret
from hub.rules.signing import Secret
from tests.flow.posting import DEFAULTS, Line, receiver
from tests.support.webhooks import a_webhook

NEW, OLD = Secret.from_bytes(b"n" * 32).text, Secret.from_bytes(b"o" * 32).text


def test_secret_headers_are_masked_in_the_record_and_whole_on_the_wire() -> None:
    compiled = receiver(a_webhook(headers=(("Authorization", "Bearer very-secret-value"),)), Line())

    assert "very-secret-value" not in compiled.request_json
    assert (b"Authorization", b"Bearer very-secret-value") in compiled.target[1]


def test_a_webhook_overrides_the_defaults() -> None:
    compiled = receiver(a_webhook(retry_schedule=(1.0, 2.0), timeout_ms=1_500), Line())

    assert compiled.retry.delays_seconds == (1.0, 2.0)
    assert compiled.timeout_seconds == 1.5
    assert receiver(a_webhook(), Line()).retry is DEFAULTS.retry


def test_a_receiver_goes_stale_when_its_first_old_secret_expires() -> None:
    secrets = (StoredSecret(text=NEW), StoredSecret(text=OLD, expires_at=9_000))

    assert receiver(a_webhook(secrets=secrets), Line()).stale_at == 9_000
    assert receiver(a_webhook(), Line()).stale_at is None
