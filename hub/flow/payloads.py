"""Render the native JSON of an event's `data`, once, when the event is recorded.

Not here: what the data of each type holds (hub.flow.event_shapes), and the envelope around it, which is made
and signed anew for each attempt.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from hub.flow.event_shapes import (
    AttachmentData,
    ChatData,
    GroupMessageData,
    LineStatusData,
    MessageData,
    ReactionData,
    WebhookDisabledData,
    WebhookTestData,
)
from hub.flow.file_links import FileLinks
from hub.flow.rows import ChatRow, MessageRow, ReactionRow, SnapshotRow
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import ATTACHED, KeptPart, Observation
from hub.model.webhook import Webhook
from hub.rules.chatkeys import handle_of, normalize_handle
from hub.rules.facts import Fact
from hub.rules.message_status import MessageStatus, message_status

#: JSON of about a hundred handles: each message of the group carries it, to each webhook.
_MOST_PARTICIPANTS_CHARS: Final = 2048
_HAS_ATTACHMENT: Final = tuple(f'"type":"{name}"' for name in sorted(ATTACHED))

_encode = msgspec.json.Encoder().encode
_decode_parts = msgspec.json.Decoder(tuple[KeptPart, ...]).decode


def event_data(
    fact: Fact,
    observation: Observation,
    *,
    line: Line,
    chat: ChatRow | None,
    message: SnapshotRow | MessageRow | None,
    reaction: ReactionRow | None,
    links: FileLinks | None = None,
    chat_key: str | None = None,
) -> str:
    """Render the data of an event that follows from an observation.

    Args:
        chat_key: Of the message's chat, where the observation does not name the chat.
        message: The message after the merge; for a reaction, the message that it is on.
        links: Makes the addresses of attachments.
    """
    if message is not None and chat is not None and message.chat_id != chat.id:
        message = message._replace(chat_id=chat.id)  # the observation names the chat, the row did not know it
    if fact.type.startswith("message.") and message is not None:
        key = chat_key if chat is None else chat.chat_key
        data = _message_data(message, line.handle, key, actor=observation.actor, links=links)
        return _text(data if chat is None or not chat.is_group else _with_group(data, chat))
    if reaction is not None and message is not None:
        return reaction_data(
            reaction, message_id=message.id, chat_id=message.chat_id, line_handle=line.handle
        )
    if fact.type.startswith("chat.") and chat is not None:
        return _chat_data(chat, observation, line_handle=line.handle)
    if fact.type == "line.status_changed":
        return _line_status_data(line, observation)
    raise ValueError(f"a '{fact.type}' cannot follow from an observation without what it is about")


def message_data(
    message: SnapshotRow | MessageRow,
    *,
    line_handle: str,
    chat_key: str | None,
    actor: str | None = None,
    links: FileLinks | None = None,
) -> str:
    """Render a message with what became of it.

    Args:
        chat_key: Of its chat; None while no chat is known.
        links: Makes the addresses of attachments; without it those stay as their bridge gave them.
    """
    return _text(_message_data(message, line_handle, chat_key, actor=actor, links=links))


def _message_data(
    message: SnapshotRow | MessageRow,
    line_handle: str,
    chat_key: str | None,
    *,
    actor: str | None,
    links: FileLinks | None,
) -> MessageData:
    is_from_me = bool(message.is_from_me)
    data = MessageData(
        id=id_text(Prefix.MESSAGE, message.id),
        line_id=_line_id(message.line_id),
        chat_id=_chat_id(message.chat_id),
        guid=message.guid,
        sender=line_handle if is_from_me else message.sender,
        text=message.text,
        attachments=_attachments(message.parts, links),
        service=message.service,
        is_from_me=is_from_me,
        is_audio_message=bool(message.is_audio_message),
        sent_at=message.sent_at,
        synced_at=message.synced_at,
        outbox_id=None if message.outbox_id is None else id_text(Prefix.OUTBOX, message.outbox_id),
        reply_to_guid=message.reply_to_guid,
        line_handle=line_handle,
        chat_address=None if chat_key is None else handle_of(chat_key) or chat_key,
        is_group=None if chat_key is None else handle_of(chat_key) is None,
        actor=normalize_handle(actor) if actor else None,
        effect=message.effect,
        subject=message.subject,
        status=status_of(message) if is_from_me else MessageStatus.RECEIVED,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
        failed_at=message.failed_at,
        edited_at=message.edited_at,
        unsent_at=message.unsent_at,
        error=None if message.error is None else msgspec.Raw(message.error.encode()),
    )
    return _with_our_part(data, message) if is_from_me else data


def status_of(message: SnapshotRow | MessageRow) -> MessageStatus:
    """Give what a message is now."""
    own = message if isinstance(message, MessageRow) else None
    return message_status(
        is_from_me=bool(message.is_from_me),
        queued_at=own.queued_at if own else None,
        accepted_at=own.accepted_at if own else None,
        cancelled_at=own.cancelled_at if own else None,
        failed_at=message.failed_at,
        delivered_at=message.delivered_at,
        read_at=message.read_at,
        unsent_at=message.unsent_at,
    )


def _with_group(data: MessageData, chat: ChatRow) -> MessageData:
    is_short = len(chat.participants) <= _MOST_PARTICIPANTS_CHARS
    return GroupMessageData(
        **msgspec.structs.asdict(data),
        chat_name=chat.name,
        participants=msgspec.Raw(chat.participants.encode()) if is_short else None,
    )


def _with_our_part(data: MessageData, message: SnapshotRow | MessageRow) -> MessageData:
    """Add what only our own messages have."""
    own = message if isinstance(message, MessageRow) else None
    return msgspec.structs.replace(
        data,
        queued_at=own.queued_at if own else None,
        accepted_at=own.accepted_at if own else None,
        cancelled_at=own.cancelled_at if own else None,
        send_at=own.send_at if own else None,
        was_downgraded=bool(own and own.was_downgraded),
        metadata=msgspec.Raw(own.metadata.encode()) if own and own.metadata else None,
        job_id=id_text(Prefix.JOB, own.job_id) if own and own.job_id else None,
    )


def reaction_data(reaction: ReactionRow, *, message_id: int, chat_id: int, line_handle: str) -> str:
    """Render a reaction."""
    return _text(
        ReactionData(
            id=id_text(Prefix.REACTION, reaction.id),
            message_id=id_text(Prefix.MESSAGE, message_id),
            message_guid=reaction.message_guid,
            chat_id=_chat_id(chat_id),
            line_id=_line_id(reaction.line_id),
            line_handle=line_handle,
            type=reaction.type,
            sender=reaction.sender,
            is_from_me=bool(reaction.is_from_me),
            added=bool(reaction.is_added),
            sent_at=reaction.sent_at,
            synced_at=reaction.synced_at,
        )
    )


def webhook_disabled_data(webhook: Webhook) -> str:
    """Render the operational event of a webhook that was disabled just now."""
    return _text(
        WebhookDisabledData(
            webhook_id=id_text(Prefix.WEBHOOK, webhook.id),
            line_ids=_line_ids(webhook),
            url=webhook.url,
            events=webhook.patterns,
            description=webhook.description,
            reason=webhook.disabled_reason or "unknown",
            disabled_at=webhook.disabled_at or webhook.updated_at,
            failing_since=webhook.failing_since,
        )
    )


def webhook_test_data(webhook: Webhook, *, now_ms: int) -> str:
    """Render a test event."""
    return _text(
        WebhookTestData(
            webhook_id=id_text(Prefix.WEBHOOK, webhook.id),
            line_ids=_line_ids(webhook),
            message="This is a test. If you can read it and its signature holds, the webhook works.",
            requested_at=now_ms,
        )
    )


def _chat_data(chat: ChatRow, observation: Observation, *, line_handle: str) -> str:
    chat_id = id_text(Prefix.CHAT, chat.id)
    is_about_member = observation.kind in {"chat.member_added", "chat.member_removed", "chat.left"}
    value = observation.value or (observation.actor if observation.kind == "chat.left" else None)
    return _text(
        ChatData(
            id=chat_id,
            chat_id=chat_id,
            line_id=_line_id(chat.line_id),
            line_handle=line_handle,
            identifier=chat.identifier,
            service=chat.service,
            name=chat.name,
            is_group=bool(chat.is_group),
            participants=msgspec.Raw(chat.participants.encode()),
            has_received_inbound=bool(chat.has_inbound),
            last_message_at=chat.last_message_at,
            value=normalize_handle(value) if value and is_about_member else value,
            actor=normalize_handle(observation.actor) if observation.actor else None,
            occurred_at=observation.at,
        )
    )


def _line_status_data(line: Line, observation: Observation) -> str:
    error = observation.error
    return _text(
        LineStatusData(
            line_id=_line_id(line.id),
            line_handle=line.handle,
            label=line.label,
            service=line.service,
            is_active=line.is_active,
            status=observation.value or line.status,
            reason=None if error is None else error.raw or error.code,
            occurred_at=observation.at,
        )
    )


def _attachments(parts: str | None, links: FileLinks | None) -> tuple[AttachmentData, ...]:
    # Decoding costs more than looking, and most messages are words only.
    if parts is None or not any(mark in parts for mark in _HAS_ATTACHMENT):
        return ()
    return tuple(
        AttachmentData(
            filename=part.filename,
            mime_type=part.mime_type,
            size=part.size,
            url=_attachment_url(part, links),
            transcription=part.transcription,
            file_id=part.file_id,
        )
        for part in _decode_parts(parts)
        if part.type in ATTACHED
    )


def _attachment_url(part: KeptPart, links: FileLinks | None) -> str | None:
    if part.file_id is None or links is None:
        return part.url
    return links.read_url(part.file_id)


def _line_ids(webhook: Webhook) -> tuple[str, ...]:
    return () if webhook.line_id is None else (_line_id(webhook.line_id),)


@lru_cache(maxsize=1024)
def _line_id(line_id: int) -> str:
    return id_text(Prefix.LINE, line_id)


@lru_cache(maxsize=8192)
def _chat_id(chat_id: int) -> str | None:
    return id_text(Prefix.CHAT, chat_id) if chat_id else None


def _text(data: msgspec.Struct) -> str:
    return _encode(data).decode()
