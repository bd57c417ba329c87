"""A webhook made ready to be posted to: vetted target, signers, schedule; compiled once a revision of the webhook."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from hub.flow.webhook_forms import Render, WebhookForms
from hub.model.webhook import Webhook
from hub.rules.headers import mask_value
from hub.rules.retry import RetryPolicy

USER_AGENT = "Hub-Webhooks/1"


class Answer(Protocol):
    """What a receiver said (hub.outbound.client.Response)."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]: ...
    @property
    def body(self) -> bytes: ...
    @property
    def body_truncated(self) -> bool: ...
    @property
    def address(self) -> str: ...


class Poster(Protocol):
    """The one outbound client, as deliveries use it (hub.outbound.client.OutboundClient)."""

    def target(self, url: str, static_headers: Iterable[tuple[bytes, bytes]] = ()) -> Any:
        """Vet a URL once; raises OutboundError when it is refused."""
        ...

    async def post(
        self,
        target: Any,
        headers: bytes = b"",
        body: bytes = b"",
        *,
        timeout_seconds: float = ...,
        max_response_bytes: int = ...,
    ) -> Answer:
        """Post; raises OutboundError."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryDefaults:
    """What a webhook that does not say otherwise gets."""

    retry: RetryPolicy
    timeout_seconds: float
    max_response_bytes: int
    concurrency: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Receiver:
    """Everything that posting to one webhook needs."""

    webhook_id: int
    #: The vetted URL, or why it is refused today: a refusal counts as a failed attempt.
    target: Any
    #: Makes the bytes of an attempt, signed.
    render: Render
    #: Unix ms at which the old secret stops signing and the receiver must be compiled again.
    stale_at: int | None
    retry: RetryPolicy
    timeout_seconds: float
    max_response_bytes: int
    #: The attempt log's request JSON; header values masked.
    request_json: str


def compile_receiver(
    webhook: Webhook,
    poster: Poster,
    defaults: DeliveryDefaults,
    forms: WebhookForms,
    *,
    now_ms: int,
    refused: type[Exception],
) -> Receiver:
    """Make a webhook ready.

    Args:
        webhook: What is registered.
        poster: Vets the URL.
        defaults: For what the webhook leaves open.
        forms: All that there are.
        now_ms: Unix ms; secrets past their overlap sign no more.
        refused: What the poster raises for a URL that it will not call.
    """
    live = [secret for secret in webhook.secrets if secret.expires_at is None or secret.expires_at > now_ms]
    headers = [("Content-Type", "application/json"), *webhook.headers]
    shown = [["User-Agent", USER_AGENT], ["Content-Type", "application/json"]]
    shown += [[name, mask_value(value)] for name, value in webhook.headers]
    try:
        target = poster.target(
            webhook.url, [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        )
    except refused as refusal:
        target = refusal
    retry = defaults.retry
    if webhook.retry_schedule is not None:
        retry = RetryPolicy(
            delays_seconds=webhook.retry_schedule,
            jitter_ratio=retry.jitter_ratio,
            retry_after_cap_seconds=retry.retry_after_cap_seconds,
        )
    return Receiver(
        webhook_id=webhook.id,
        target=target,
        render=forms[webhook.form].compile(webhook, [secret.text for secret in live]),
        stale_at=min((secret.expires_at for secret in live if secret.expires_at), default=None),
        retry=retry,
        timeout_seconds=webhook.timeout_ms / 1000 if webhook.timeout_ms else defaults.timeout_seconds,
        max_response_bytes=defaults.max_response_bytes,
        request_json=msgspec.json.encode({"method": "POST", "url": webhook.url, "headers": shown}).decode(),
    )
