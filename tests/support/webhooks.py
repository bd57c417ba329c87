"""A webhook with harmless values, to be changed where a test cares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.model.webhook import StoredSecret, Webhook
from hub.rules.signing import Secret

SECRET = Secret.from_bytes(b"s" * 32).text
_PLAIN = Webhook(
    id=3,
    line_id=None,
    url="https://a.example/",
    patterns=("*",),
    condition=None,
    headers=(),
    secrets=(StoredSecret(text=SECRET),),
    description=None,
    is_active=True,
    disabled_reason=None,
    disabled_at=None,
    failing_since=None,
    retry_schedule=None,
    timeout_ms=None,
    concurrency=None,
    rate_per_second=None,
    is_ordered=False,
    created_at=1,
    updated_at=1,
)


def a_webhook(**fields: Any) -> Webhook:
    return replace(_PLAIN, **fields)
