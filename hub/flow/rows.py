"""The rows that hot statements carry: plain tuples, so that a batch goes to either database as it is.

Field order is column order; the SQL in hub.store relies on it.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class RawRow(NamedTuple):
    """raw_payloads: what a bridge sent, and the memory of its request id."""

    id: int
    bridge_id: int
    request_id: str
    body: bytes


class ChatRow(NamedTuple):
    """chats: inserted, or merged into the row of the same (line_id, chat_key)."""

    id: int
    line_id: int
    chat_key: str
    identifier: str
    service: str
    name: str | None
    is_group: int
    participants: str
    has_inbound: int
    last_message_at: int | None
    created_at: int


class Known(IntEnum):
    """messages.is_known: how we know of a message; a higher one has the say over what it says."""

    #: Only from what was said about it: a receipt, a reaction.
    UNSEEN = 0
    #: Because we were asked to send it.
    ASKED = 1
    #: Its network, or its bridge, has shown it.
    SEEN = 2
    #: It stands for an attempt that a later one replaced: kept out of sight, and deaf.
    SUPERSEDED = 3


class SnapshotRow(NamedTuple):
    """messages: a snapshot, merged into the row of the same (line_id, guid).

    The merge is commutative: what is said from the newest edit of the best known snapshot (`Known`), the earliest of
    each receipt time. An edit time counts only together with content: that of a placeholder gives way to the
    first known snapshot. A chat id of 0 says that the snapshot did not show the chat.
    """

    id: int
    line_id: int
    chat_id: int
    guid: str
    is_known: int
    sender: str | None
    text: str | None
    parts: str | None
    service: str | None
    is_from_me: int
    is_audio_message: int
    reply_to_guid: str | None
    effect: str | None
    subject: str | None
    outbox_id: int | None
    sent_at: int | None
    synced_at: int
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None
    error: str | None
    edited_at: int | None
    unsent_at: int | None


class MessageRow(NamedTuple):
    """messages: the whole row, as people see it. Its columns begin with those of a snapshot.

    Until a network names a message that we were asked to send, its guid is the attempt id of its newest outbox item,
    which `outbox_id` points to (decision 9).
    """

    id: int
    line_id: int
    chat_id: int
    guid: str
    is_known: int
    sender: str | None
    text: str | None
    parts: str | None
    service: str | None
    is_from_me: int
    is_audio_message: int
    reply_to_guid: str | None
    effect: str | None
    subject: str | None
    outbox_id: int | None
    sent_at: int | None
    synced_at: int
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None
    error: str | None
    edited_at: int | None
    unsent_at: int | None
    #: The rest is set for our own sends only; bridges say nothing about it.
    queued_at: int | None = None
    accepted_at: int | None = None
    cancelled_at: int | None = None
    send_at: int | None = None
    was_downgraded: int = 0
    metadata: str | None = None
    job_id: int | None = None


class ReactionRow(NamedTuple):
    """reactions: the latest word of one sender on one message, or on one of its parts (hub.rules.reactions)."""

    id: int
    line_id: int
    message_guid: str
    sender: str
    #: What a newer word takes the place of.
    slot: str
    type: str
    is_from_me: int
    is_added: int
    sent_at: int
    synced_at: int

    @property
    def key(self) -> tuple[int, str, str, str]:
        """What the row is known by."""
        return self.line_id, self.message_guid, self.sender, self.slot

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Of two words the one that ranks higher counts: the later one; at a tie that something is there."""
        return self.sent_at, self.is_added, self.is_from_me, self.type


class EventRow(NamedTuple):
    """events: ignored when the dedupe key is known."""

    id: int
    type: str
    line_id: int | None
    chat_id: int | None
    dedupe_key: bytes
    occurred_at: int
    raw_id: int | None
    data: str


class DeliveryRow(NamedTuple):
    """deliveries: pending and due at once, or held."""

    id: int
    event_id: int
    webhook_id: int
    shard: int
    state: int
    next_attempt_at: int


class DueDelivery(NamedTuple):
    """What a worker needs to attempt a delivery."""

    id: int
    event_id: int
    webhook_id: int
    attempt_count: int
    event_type: str
    data: str
    #: How often it was made due again after it was over.
    replay_count: int = 0


class AttemptRow(NamedTuple):
    """attempts."""

    delivery_id: int
    number: int
    started_at: int
    duration_us: int
    outcome: int
    status: int | None
    error: str | None
    reason: str | None
    address: str | None
    request: str
    response: str | None


class FinishRow(NamedTuple):
    """The delivery after an attempt; applied only while it is still pending."""

    id: int
    state: int
    attempt_count: int
    next_attempt_at: int
    finished_at: int | None
    last_status: int | None
    reason: str | None


class OutboxRow(NamedTuple):
    """outbox: a new item, pending."""

    id: int
    line_id: int
    shard: int
    api_key_id: int | None
    kind: str
    payload: str
    next_attempt_at: int
    created_at: int
    message_id: int | None = None
    priority: int = 0
    parts_done: int = 0
    job_id: int | None = None
    set_id: int | None = None
    is_counted: int = 1


class IdempotencyRow(NamedTuple):
    """idempotency_keys: the answer to be given again."""

    scope: str
    key: str
    request_hash: bytes
    status: int
    response: str
    created_at: int
    run_id: int | None = None


class DueOutbox(NamedTuple):
    """What a worker needs to perform or look up a send."""

    id: int
    line_id: int
    kind: str
    payload: str
    state: int
    attempt_count: int
    dispatched_at: int | None
    next_attempt_at: int
    created_at: int
    message_id: int | None = None
    priority: int = 0
    parts_done: int = 0
    is_counted: int = 1


class OutboxClaim(NamedTuple):
    """An outbox item, finished or not, and the message that it is about, if there is one."""

    id: int
    line_id: int
    payload: str
    kind: str
    state: int
    priority: int
    parts_done: int
    set_id: int | None
    evidence_key: bytes | None
    message_id: int | None
    #: The message's newest item: another one than this if it was tried anew since.
    current_outbox_id: int | None
    #: The message's.
    guid: str | None
    #: The message went as SMS.
    was_downgraded: int | None


class OperationRow(NamedTuple):
    """What was done, or is to be done, for a message."""

    id: int
    message_id: int
    kind: str
    state: int
    payload: str
    evidence_key: bytes | None


class OutboxUpdate(NamedTuple):
    """The outbox item after a step; applied only while it is in one of the states it may leave."""

    id: int
    state: int
    attempt_count: int
    next_attempt_at: int
    dispatched_at: int | None
    provider_id: str | None
    error: str | None
    completed_at: int | None
    #: Only rises.
    parts_done: int = 0
    #: None leaves what is there.
    result: str | None = None
