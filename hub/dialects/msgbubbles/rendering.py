"""Native things → the vendor's objects. Pure."""

from __future__ import annotations

from typing import Final

from hub.api.chat_shapes import ChatReply
from hub.api.file_shapes import FileData
from hub.api.lines import LineReply
from hub.api.webhook_shapes import WebhookReply
from hub.dialects.msgbubbles.event_names import vendor_events
from hub.dialects.msgbubbles.identifiers import uuid_of
from hub.dialects.msgbubbles.natives import NativeError, NativeFile, NativeMessage, NativeReaction
from hub.dialects.msgbubbles.shapes import Attachment, Chat, Failure, Hook, Message, Number, Reaction
from hub.dialects.msgbubbles.times import iso, iso_or_none
from hub.model.ids import Prefix, id_time_ms, parse_id

#: Native statuses that the vendor does not have.
_STATUS: Final = {"cancelled": "failed"}
#: Native services that are another channel there.
_CHANNEL: Final = {"mms": "sms"}
_CHANNELS: Final = {"auto": ["imessage", "sms"], "imessage": ["imessage"], "sms": ["sms"]}
#: What a line can that sends by WhatsApp, and by nothing else; and the vendor's name for it.
WHATSAPP: Final = "whatsapp"
_UNSENT_YET: Final = frozenset({"queued", "failed", "cancelled"})


def message_of(native: NativeMessage, *, reply_to: str | None) -> Message:
    """Show a message.

    Args:
        native: As the native surface tells it.
        reply_to: The native id of the message that it answers, if known.
    """
    message_id = uuid_of(native.id)
    is_underway = native.is_from_me and native.status in _UNSENT_YET
    return Message(
        id=message_id,
        conversation_id=None if native.chat_id is None else uuid_of(native.chat_id),
        direction="outbound" if native.is_from_me else "inbound",
        status=_status(native),
        channel=None if is_underway or not native.service else channel_of(native.service),
        text=native.text,
        effect=native.effect,
        reply_to=None if reply_to is None else uuid_of(reply_to),
        error=_failure(native),
        metadata=native.metadata,
        attachments=[_attachment(each, message_id) for each in native.attachments],
        sent_at=_sent_at(native),
        delivered_at=iso_or_none(native.delivered_at),
        read_at=iso_or_none(native.read_at),
        created_at=iso(native.created_at),
    )


def _status(native: NativeMessage) -> str:
    """Name the status; the native surface calls all `received` that came in, taken back or not."""
    if not native.is_from_me and native.unsent_at is not None:
        return "unsent"
    return _STATUS.get(native.status, native.status)


def channel_of(service: str) -> str:
    """Name a native service as the vendor does."""
    return _CHANNEL.get(service.lower(), service.lower())


def _sent_at(native: NativeMessage) -> str | None:
    if native.is_from_me and native.accepted_at is not None:
        return iso(native.accepted_at)
    return None if native.is_from_me and native.status in _UNSENT_YET else iso_or_none(native.sent_at)


def _failure(native: NativeMessage) -> Failure | None:
    if native.status == "cancelled":
        return Failure(code="cancelled", message="Cancelled before it was sent.")
    if native.status != "failed":
        return None
    error = native.error or NativeError()
    return Failure(code=error.code or "failed", message=error.raw)


def _attachment(file: NativeFile, message_id: str) -> Attachment:
    return Attachment(
        id=None if file.file_id is None else uuid_of(file.file_id),
        filename=file.filename,
        mime_type=file.mime_type,
        size_bytes=file.size,
        url=file.url,
        message_id=message_id,
        created_at=None if file.file_id is None else iso(made_at(Prefix.FILE, file.file_id)),
    )


def staged(file: FileData, *, message_id: str | None = None) -> Attachment:
    """Show a file that is asked for alone."""
    return Attachment(
        id=uuid_of(file.id),
        filename=file.filename,
        mime_type=file.mime_type,
        size_bytes=file.size,
        url=file.url,
        message_id=None if message_id is None else uuid_of(message_id),
        created_at=iso(file.created_at),
    )


def reaction_of(native: NativeReaction) -> Reaction:
    """Show a reaction."""
    return Reaction(
        id=uuid_of(native.id),
        message_id=uuid_of(native.message_id),
        conversation_id=None if native.chat_id is None else uuid_of(native.chat_id),
        reaction=native.type,
        removed=not native.added,
        direction="outbound" if native.is_from_me else "inbound",
        from_handle=native.line_handle,
        sender_handle=native.sender,
        created_at=iso(native.sent_at),
    )


def chat_of(native: ChatReply) -> Chat:
    """Show a conversation. It is as old as its id: so pages by `created_at` lose nothing."""
    created_at = made_at(Prefix.CHAT, native.id)
    return Chat(
        id=uuid_of(native.id),
        from_handle=native.line_handle,
        remote_handle=None if native.is_group else native.identifier,
        is_group=native.is_group,
        title=native.name,
        participants=native.participants,
        last_message_at=iso_or_none(native.last_message_at),
        created_at=iso(created_at),
        updated_at=iso(max(created_at, native.last_message_at or 0, native.own_read_at or 0)),
    )


def made_at(prefix: Prefix, native: str) -> int:
    """Tell when something got its id, Unix ms."""
    return id_time_ms(parse_id(prefix, native))


def number_of(line: LineReply) -> Number:
    """Show a number; one that is switched off is offline."""
    return Number(
        handle=line.handle,
        channels=[WHATSAPP] if has_whatsapp(line) else _CHANNELS.get(line.service, [line.service]),
        label=line.label,
        status=line.status if line.is_active else "offline",
    )


def has_whatsapp(line: LineReply) -> bool:
    """Tell whether a number sends by WhatsApp."""
    return WHATSAPP in (line.capabilities or ())


def hook_of(native: WebhookReply) -> Hook:
    """Show a webhook, without its secret."""
    return Hook(
        id=uuid_of(native.id),
        url=native.url,
        events=vendor_events(native.events),
        enabled=native.is_active,
        created_at=iso(native.created_at),
        updated_at=iso(native.updated_at),
    )
