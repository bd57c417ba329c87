"""Rows and nouns with harmless values, to be changed where a test cares."""

from __future__ import annotations

import hashlib

from hub.flow.rows import (
    AttemptRow,
    ChatRow,
    DeliveryRow,
    EventRow,
    FinishRow,
    Known,
    OutboxRow,
    OutboxUpdate,
    RawRow,
    ReactionRow,
    SnapshotRow,
)
from hub.model.line import Bridge, Line
from hub.model.webhook import StoredSecret, Webhook

RAW = RawRow(id=1, bridge_id=1, request_id="msg_1", body=b"{}")
CHAT = ChatRow(
    id=1,
    line_id=1,
    chat_key="dm:+1",
    identifier="+1",
    service="imessage",
    name=None,
    is_group=0,
    participants="[]",
    has_inbound=0,
    last_message_at=None,
    created_at=1,
)
MESSAGE = SnapshotRow(
    id=1,
    line_id=1,
    chat_id=1,
    guid="g1",
    is_known=Known.SEEN,
    sender="+1",
    text="hello",
    parts=None,
    service="imessage",
    is_from_me=0,
    is_audio_message=0,
    reply_to_guid=None,
    effect=None,
    subject=None,
    outbox_id=None,
    sent_at=10,
    synced_at=20,
    delivered_at=None,
    read_at=None,
    failed_at=None,
    error=None,
    edited_at=None,
    unsent_at=None,
)
REACTION = ReactionRow(
    id=1,
    line_id=1,
    message_guid="g1",
    sender="+1",
    slot="",
    type="love",
    is_from_me=0,
    is_added=1,
    sent_at=10,
    synced_at=20,
)
ATTEMPT = AttemptRow(
    delivery_id=1,
    number=1,
    started_at=5,
    duration_us=900,
    outcome=0,
    status=200,
    error=None,
    reason=None,
    address="127.0.0.1",
    request='{"method":"POST"}',
    response='{"body":""}',
)
FINISH = FinishRow(
    id=1, state=1, attempt_count=1, next_attempt_at=0, finished_at=9, last_status=200, reason=None
)
OUTBOX = OutboxRow(
    id=1,
    line_id=1,
    shard=0,
    api_key_id=None,
    kind="send",
    payload='{"to":"+1"}',
    next_attempt_at=5,
    created_at=5,
)
DISPATCH = OutboxUpdate(
    id=1,
    state=1,
    attempt_count=1,
    next_attempt_at=6,
    dispatched_at=6,
    provider_id=None,
    error=None,
    completed_at=None,
)
BRIDGE = Bridge(
    id=1,
    name="sandbox",
    kind="sandbox",
    secrets=(StoredSecret(text="whsec_bridge"),),
    cursor=None,
    is_enabled=True,
    created_at=1,
)
LINE = Line(
    id=1,
    bridge_id=1,
    handle="+15550100",
    label=None,
    service="imessage",
    is_active=True,
    is_contact_first=True,
    pace_ms=0,
    status="online",
    status_reason=None,
    created_at=1,
)
WEBHOOK = Webhook(
    id=7,
    line_id=None,
    url="https://example.com/hook",
    patterns=("message.*",),
    condition=None,
    headers=(("X-Team", "blue"),),
    secrets=(StoredSecret(text="whsec_new"), StoredSecret(text="whsec_old", expires_at=99)),
    description=None,
    is_active=True,
    disabled_reason=None,
    disabled_at=None,
    failing_since=None,
    retry_schedule=(5.0, 0.5),
    timeout_ms=None,
    concurrency=None,
    rate_per_second=None,
    is_ordered=False,
    created_at=1,
    updated_at=1,
)


def event(number: int, *, dedupe_key: str | None = None, type: str = "message.received") -> EventRow:
    digest = hashlib.blake2b((dedupe_key or str(number)).encode(), digest_size=16).digest()
    return EventRow(number, type, 1, 1, digest, 5, None, f'{{"number":{number}}}')


def delivery(
    number: int, *, event_id: int = 1, webhook_id: int = 7, shard: int = 0, at: int = 10, state: int = 0
) -> DeliveryRow:
    return DeliveryRow(number, event_id, webhook_id, shard, state, at)
