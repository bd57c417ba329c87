"""The far side of an attempt, as a test wants it; hub.outbound has the real one, and tests/worker uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.flow.receivers import DeliveryDefaults, Receiver, compile_receiver
from hub.flow.webhook_forms import NATIVE_FORMS, WebhookForms
from hub.model.webhook import Webhook
from hub.rules.retry import RetryPolicy

DEFAULTS = DeliveryDefaults(
    retry=RetryPolicy(delays_seconds=(5.0,), jitter_ratio=0.0),
    timeout_seconds=20.0,
    max_response_bytes=100,
    concurrency=4,
)


class Unreachable(Exception):
    """What the poster raises, as the outbound client does."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.address = "192.0.2.1"


@dataclass
class Answer:
    status: int = 200
    headers: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""
    body_truncated: bool = False
    address: str = "192.0.2.1"


@dataclass
class Line:
    """A poster that answers as told and keeps what it was given."""

    answer: Answer | Exception = field(default_factory=Answer)
    posted: list[tuple[bytes, bytes]] = field(default_factory=list)

    def target(self, url: str, static_headers: Iterable[tuple[bytes, bytes]] = ()) -> Any:
        if "refused" in url:
            raise Unreachable("url_refused", "it is private")
        return url, tuple(static_headers)

    async def post(
        self,
        target: Any,
        headers: bytes = b"",
        body: bytes = b"",
        *,
        timeout_seconds: float = 0,
        max_response_bytes: int = 0,
    ) -> Answer:
        self.posted.append((headers, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def receiver(
    webhook: Webhook, line: Line, *, now_ms: int = 0, forms: WebhookForms = NATIVE_FORMS
) -> Receiver:
    return compile_receiver(webhook, line, DEFAULTS, forms, now_ms=now_ms, refused=Unreachable)
