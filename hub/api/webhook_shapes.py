"""The JSON of webhooks: what callers may write, and what they see. A secret is seen once, header values never."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.model.dialect import NATIVE
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.webhook import Webhook
from hub.rules.headers import mask_value

Url = Annotated[str, Meta(max_length=2048, description="https://, or http:// where the operator allows it.")]
Events = Annotated[
    tuple[Annotated[str, Meta(max_length=100)], ...],
    Meta(description="Event types, families such as `message.*`, or `*` for all.", max_length=1000),
]
Description = Annotated[str, Meta(max_length=1024)]
Headers = Annotated[
    dict[str, str],
    Meta(description="Sent with every delivery. Names of ours and of HTTP's framing are refused."),
]
Filter = Annotated[
    dict[str, Any],
    Meta(description='Conditions on the payload, such as {"data.is_from_me": false}; see docs/webhooks.md.'),
]
RetrySchedule = Annotated[
    tuple[Annotated[float, Meta(ge=0, le=2_592_000)], ...],
    Meta(description="Seconds to wait before each retry; null for the hub's own schedule.", max_length=100),
]
TimeoutSeconds = Annotated[float, Meta(ge=0.1, le=300)]
Concurrency = Annotated[int, Meta(ge=1, le=1000)]
RatePerSecond = Annotated[int, Meta(ge=1, le=100_000)]
OverlapHours = Annotated[float, Meta(ge=0, le=168)]

MOST_METADATA_BYTES: Final = 1024
#: Wire names → fields of Webhook, where they differ.
FIELD_NAMES: Final = {
    "events": "patterns",
    "filter": "condition",
    "max_concurrency": "concurrency",
    "ordered": "is_ordered",
}


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    description: Description | UnsetType | None = UNSET
    headers: Headers | UnsetType = UNSET
    filter: Filter | UnsetType | None = UNSET
    retry_schedule: RetrySchedule | UnsetType | None = UNSET
    timeout_seconds: TimeoutSeconds | UnsetType | None = UNSET
    max_concurrency: Concurrency | UnsetType | None = UNSET
    rate_per_second: RatePerSecond | UnsetType | None = UNSET
    #: One at a time, in the order of the events; a failing event holds up the next.
    ordered: bool | UnsetType = UNSET
    #: A JSON object of your own, at most 1 KB: given back in reads.
    metadata: dict[str, Any] | UnsetType | None = UNSET
    #: Unix ms: switched off within a minute of it. Null for never.
    expires_at: Annotated[int, Meta(ge=0, le=32_503_680_000_000)] | UnsetType | None = UNSET
    #: A secret of your own instead of one that Hub draws: `whsec_` and the base64 of 24 to 64 random bytes.
    secret: Annotated[str, Meta(max_length=256)] | UnsetType = UNSET


class NewWebhook(_Options, frozen=True, kw_only=True):
    """A receiver to register. Unknown fields are ignored (contracts: messages.dev)."""

    from_: Annotated[
        str,
        Meta(
            max_length=320,
            description=(
                "A line's handle or `ln_` id; `*` or empty for every line; `auto`: the line of a key that is restricted"
                " to one, else every line."
            ),
        ),
    ] = msgspec.field(name="from")
    url: Url
    events: Events
    #: In which form it gets events: `native`, or the name of a dialect that has webhooks.
    form: Annotated[str, Meta(max_length=64)] = NATIVE


class WebhookChanges(_Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays."""

    url: Url | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long the old secret, or key, still counts."""

    overlap_hours: OverlapHours | None = None


class WebhookReply(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. Its secret is shown at its making and rotation only."""

    id: str
    #: Empty for every line.
    line_ids: tuple[str, ...]
    url: str
    events: tuple[str, ...]
    is_active: bool
    status: Literal["active", "failing", "disabled"]
    description: str | None
    #: Values are masked.
    headers: dict[str, str]
    filter: dict[str, Any] | None
    retry_schedule: tuple[float, ...] | None
    timeout_seconds: float | None
    max_concurrency: int | None
    rate_per_second: int | None
    ordered: bool
    form: str
    metadata: dict[str, Any] | None
    expires_at: int | None
    disabled_reason: str | None
    disabled_at: int | None
    #: When the present run of failures began; null after a success.
    failing_since: int | None
    #: Until when the secret before the last rotation still signs.
    previous_secret_expires_at: int | None
    created_at: int
    updated_at: int


class OneWebhook(WebhookReply, frozen=True, kw_only=True):
    """A webhook, answered alone."""

    request_id: str


class WebhookWithSecret(OneWebhook, frozen=True, kw_only=True):
    """A webhook with its fresh secret: shown this once."""

    secret: str


class WebhookDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The webhook is gone."""

    id: str
    deleted: bool = True
    request_id: str


class TestFiredReply(msgspec.Struct, frozen=True, kw_only=True):
    """A test on its way; GET /v1/deliveries/{delivery_id} tells what came of it."""

    event_id: str
    delivery_id: str
    request_id: str


def options(body: msgspec.Struct) -> dict[str, Any]:
    """Give the fields of Webhook that a body sets."""
    fields = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not UNSET}
    fields.pop("from_", None)
    fields.pop("active", None)
    fields.pop("secret", None)
    if "timeout_seconds" in fields:
        seconds = fields.pop("timeout_seconds")
        fields["timeout_ms"] = None if seconds is None else round(seconds * 1000)
    if fields.get("metadata") is not None:
        fields["metadata"] = _metadata(fields["metadata"])
    return {FIELD_NAMES.get(name, name): value for name, value in fields.items()}


def given_secret(body: NewWebhook | WebhookChanges) -> str | None:
    """Give the secret that a webhook's owner brings."""
    return None if isinstance(body.secret, UnsetType) else body.secret


def _metadata(document: dict[str, Any]) -> str:
    text = msgspec.json.encode(document)
    if len(text) > MOST_METADATA_BYTES:
        message = f"'metadata' is larger than {MOST_METADATA_BYTES} bytes of JSON."
        raise InvalidRequest("invalid_parameter_value", message, param="metadata")
    return text.decode()


def webhook_fields(webhook: Webhook, *, now_ms: int) -> dict[str, Any]:
    """Give the JSON of a webhook, without its secret."""
    previous = [each.expires_at for each in webhook.secrets if (each.expires_at or 0) > now_ms]
    status = "disabled" if not webhook.is_active else "failing" if webhook.failing_since else "active"
    return {
        "id": id_text(Prefix.WEBHOOK, webhook.id),
        "line_ids": () if webhook.line_id is None else (id_text(Prefix.LINE, webhook.line_id),),
        "url": webhook.url,
        "events": webhook.patterns,
        "is_active": webhook.is_active,
        "status": status,
        "description": webhook.description,
        "headers": {name: mask_value(value) for name, value in webhook.headers},
        "filter": None if webhook.condition is None else msgspec.json.decode(webhook.condition),
        "retry_schedule": webhook.retry_schedule,
        "timeout_seconds": None if webhook.timeout_ms is None else webhook.timeout_ms / 1000,
        "max_concurrency": webhook.concurrency,
        "rate_per_second": webhook.rate_per_second,
        "ordered": webhook.is_ordered,
        "form": webhook.form,
        "metadata": None if webhook.metadata is None else msgspec.json.decode(webhook.metadata),
        "expires_at": webhook.expires_at,
        "disabled_reason": webhook.disabled_reason,
        "disabled_at": webhook.disabled_at,
        "failing_since": webhook.failing_since,
        "previous_secret_expires_at": max(filter(None, previous), default=None),
        "created_at": webhook.created_at,
        "updated_at": webhook.updated_at,
    }
