"""What the `data` of each event type holds on the wire.

`message.*` carry the whole Message and `reaction.*` the whole Reaction of contracts: messages.dev §3 with the
`line_handle` and `chat_id` of its §6; the official client accepts the superset. The other types follow the
pattern: the whole thing concerned, flat, with `line_handle`, `chat_id` and who did it (`actor`).
All times are Unix ms. A member is null when there is nothing to say, and never left out; only what just our own
messages can have stands in theirs alone.
"""

from __future__ import annotations

import msgspec

from hub.rules.message_status import MessageStatus


class AttachmentData(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message."""

    filename: str | None
    mime_type: str | None
    size: int | None
    #: Where anybody can read the bytes, without a key, until the address expires; GET /v1/files/{file_id} gives a
    #: fresh one. While they are being fetched from the bridge, a reader there is made to wait.
    url: str | None
    transcription: str | None
    #: Null for what the bridge could not name.
    file_id: str | None


class MessageData(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it stood when the event was recorded. Times are Unix ms."""

    id: str
    line_id: str
    #: Null while no observation has named the chat: never for `message.received` and `message.sent`.
    chat_id: str | None
    guid: str
    #: The line handle for our own message; null while the message itself was not seen.
    sender: str | None
    text: str | None
    attachments: tuple[AttachmentData, ...]
    service: str | None
    is_from_me: bool
    is_audio_message: bool
    sent_at: int | None
    synced_at: int
    outbox_id: str | None
    reply_to_guid: str | None
    line_handle: str
    #: The other side, as `to` takes it: the contact's handle, or the network's id of the group. Null like `chat_id`.
    chat_address: str | None
    is_group: bool | None
    #: Who did what the event says, where that is somebody else.
    actor: str | None
    effect: str | None
    #: The line above the words.
    subject: str | None
    #: `received` for an inbound message; for our own the highest of `unsent`, `read`, `delivered`, `cancelled`,
    #: `failed`, `sent`, `queued`.
    status: MessageStatus
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None
    edited_at: int | None
    unsent_at: int | None
    #: {"code", "raw"} as the network said it.
    error: msgspec.Raw | None
    #: When it was asked for; null for one that the line sent from another device. From here on: our own only.
    queued_at: int | msgspec.UnsetType | None = msgspec.UNSET
    #: When the bridge took it, or the network showed it.
    accepted_at: int | msgspec.UnsetType | None = msgspec.UNSET
    cancelled_at: int | msgspec.UnsetType | None = msgspec.UNSET
    #: When it is, or was, to be sent.
    send_at: int | msgspec.UnsetType | None = msgspec.UNSET
    #: It went over a lesser service than the line's own.
    was_downgraded: bool | msgspec.UnsetType = msgspec.UNSET
    #: The JSON object that came with the request.
    metadata: msgspec.Raw | msgspec.UnsetType | None = msgspec.UNSET
    #: The bulk job that it belongs to.
    job_id: str | msgspec.UnsetType | None = msgspec.UNSET


class GroupMessageData(MessageData, frozen=True, kw_only=True):
    """A message of a group that its network showed, with what is known of the group."""

    #: Null while it has none.
    chat_name: str | None
    #: The handles of the others; null of a group with so many that each message would be long (`GET /v1/chats/{id}`).
    participants: msgspec.Raw | None


class ReactionData(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction that was added or removed."""

    id: str
    message_id: str
    message_guid: str
    chat_id: str | None
    line_id: str
    line_handle: str
    type: str
    sender: str
    is_from_me: bool
    added: bool
    sent_at: int
    synced_at: int


class ChatData(msgspec.Struct, frozen=True, kw_only=True):
    """A chat as it stands after what happened to it."""

    id: str
    #: The same as `id`, so that one filter fits every event.
    chat_id: str
    line_id: str
    line_handle: str
    identifier: str
    service: str
    name: str | None
    is_group: bool
    participants: msgspec.Raw
    has_received_inbound: bool
    last_message_at: int | None
    #: The member concerned, or the new name.
    value: str | None
    #: Who did it; null when our line did or the network does not say.
    actor: str | None
    occurred_at: int


class ChatAssignedData(msgspec.Struct, frozen=True, kw_only=True):
    """A chat that was given to somebody to take care of, or to nobody again."""

    id: str
    #: The same as `id`, so that one filter fits every event.
    chat_id: str
    line_id: str
    line_handle: str
    #: The other side, as `to` takes it: the contact's handle, or the network's id of the group.
    chat_address: str
    is_group: bool
    #: Who takes care of it now; both null: nobody.
    team: str | None
    user: str | None
    note: str | None
    #: Who did before.
    previous_team: str | None
    previous_user: str | None
    occurred_at: int


class PollOptionData(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that a poll offers."""

    id: str
    text: str
    #: How many have chosen it.
    votes: int


class PollData(msgspec.Struct, frozen=True, kw_only=True):
    """A poll as it stood when the event was recorded."""

    id: str
    #: The same as `id`, so that it can be told from other ids.
    poll_id: str
    #: Null while no observation has named the chat.
    chat_id: str | None
    line_id: str
    line_handle: str
    #: The network's id.
    guid: str
    #: Null, and no options, while only votes were seen.
    title: str | None
    options: tuple[PollOptionData, ...]
    is_from_me: bool
    #: Who made it; null when our line did or nobody knows.
    creator: str | None
    outbox_id: str | None
    created_at: int | None
    #: Who voted; null when our line did, and for `poll.created`.
    actor: str | None
    #: What the actor has chosen now: ids of options. Empty when the vote was taken back.
    choices: tuple[str, ...]
    occurred_at: int


class LineStatusData(msgspec.Struct, frozen=True, kw_only=True):
    """A line whose status changed."""

    line_id: str
    line_handle: str
    label: str | None
    service: str
    is_active: bool
    #: `online`, `degraded` or `offline`.
    status: str
    #: Why, as the network or the bridge says it.
    reason: str | None
    occurred_at: int


class ConsentData(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said about hearing from us."""

    #: Of the log's entry.
    id: str
    handle: str
    #: The line that heard it or was named; null where none was.
    line_id: str | None
    line_handle: str | None
    chat_id: str | None
    #: For which lines it counts: `line` or `hub`.
    scope: str
    #: `opted_out` or `opted_in`; null for a request for help.
    state: str | None
    #: `keyword`, `api`, `import` or `operator`.
    source: str
    keyword: str | None
    message_id: str | None
    reason: str | None
    #: When it was said, and when the hub heard of it.
    said_at: int
    recorded_at: int


class HealthWarningData(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not well with a line."""

    code: str
    #: How bad: `limited`, `flagged` or `offline`.
    state: str
    message: str


class LineHealthData(msgspec.Struct, frozen=True, kw_only=True):
    """A line that fares better or worse from now on."""

    line_id: str
    line_handle: str
    label: str | None
    #: The bridge that carries it.
    bridge_id: str
    bridge_name: str | None
    #: `active`, `limited`, `flagged` or `offline`.
    state: str
    previous_state: str
    #: The code of the worst warning; null while active.
    reason: str | None
    since: int
    warnings: tuple[HealthWarningData, ...]
    sent_today: int
    failed_today: int
    received_today: int
    new_conversations_today: int
    sent_week: int
    received_week: int
    #: The most messages in a row to one chat without an answer.
    unanswered_most: int
    occurred_at: int


class ConnectionData(msgspec.Struct, frozen=True, kw_only=True):
    """A connection to another service whose credentials are refused, or believed again."""

    #: As connections.yaml calls it.
    connection: str
    connector: str
    #: Why it was paused.
    reason: str
    paused_at: int
    #: Null while it is paused.
    resumed_at: int | None
    occurred_at: int


class WebhookDisabledData(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook that was disabled; what it misses from now on is held for a replay."""

    webhook_id: str
    #: Empty for every line.
    line_ids: tuple[str, ...]
    url: str
    events: tuple[str, ...]
    description: str | None
    reason: str
    disabled_at: int
    failing_since: int | None


class WebhookTestData(msgspec.Struct, frozen=True, kw_only=True):
    """A test that somebody asked for."""

    webhook_id: str
    line_ids: tuple[str, ...]
    message: str
    requested_at: int


class BulkCompletedData(msgspec.Struct, frozen=True, kw_only=True):
    """A bulk send whose recipients have all been dealt with."""

    id: str
    name: str | None
    line_id: str
    line_handle: str
    total: int
    #: Recipients by status, as of now.
    counts: dict[str, int]
    created_at: int
    finished_at: int


class SourceData(msgspec.Struct, frozen=True, kw_only=True):
    """What a source told, verified."""

    #: The name under which it is set up.
    source: str
    #: As the vendor calls it: `checkout.session.completed`.
    event: str
    #: As the vendor names it, so that it counts once; the digest of the payload where it has no name.
    source_event_id: str
    #: The path of the route that it was sent to, as a digest; null for what came to a source.
    hook: str | None
    received_at: int
    #: What the vendor sent of it.
    payload: msgspec.Raw


#: The shape of each event type: every type that a webhook can ask for.
SHAPES: dict[str, type[msgspec.Struct]] = {
    "bulk.completed": BulkCompletedData,
    "chat.assigned": ChatAssignedData,
    "chat.icon_changed": ChatData,
    "chat.left": ChatData,
    "chat.member_added": ChatData,
    "chat.member_removed": ChatData,
    "chat.renamed": ChatData,
    "connection.paused": ConnectionData,
    "connection.resumed": ConnectionData,
    "contact.help_requested": ConsentData,
    "contact.opted_in": ConsentData,
    "contact.opted_out": ConsentData,
    "line.degraded": LineHealthData,
    "line.offline": LineHealthData,
    "line.online": LineHealthData,
    "line.status_changed": LineStatusData,
    "message.cancelled": MessageData,
    "message.delivered": MessageData,
    "message.downgraded": MessageData,
    "message.edited": MessageData,
    "message.failed": MessageData,
    "message.queued": MessageData,
    "message.read": MessageData,
    "message.received": MessageData,
    "message.sent": MessageData,
    "message.unsent": MessageData,
    "poll.created": PollData,
    "poll.voted": PollData,
    "reaction.added": ReactionData,
    "reaction.removed": ReactionData,
    "source.received": SourceData,
    "webhook.disabled": WebhookDisabledData,
    "webhook.test": WebhookTestData,
}
