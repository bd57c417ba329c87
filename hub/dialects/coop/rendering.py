"""Messages and conversations as the vendor shows them, out of what the native surface tells of them."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.api.chat_shapes import ChatReply
from hub.dialects.coop.names import (
    CONVERSATION,
    MESSAGE_STATUS,
    MessageStatus,
    message_id,
    spelled,
)
from hub.dialects.coop.times import iso


class NativeAttachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a message."""

    file_id: str | None
    filename: str | None
    mime_type: str | None
    size: int | None
    url: str | None


class NativeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message, in lists, by itself and in events."""

    id: str
    chat_id: str | None
    chat_address: str | None
    sender: str | None
    line_handle: str
    text: str | None
    attachments: tuple[NativeAttachment, ...]
    is_from_me: bool
    status: str
    sent_at: int | None
    synced_at: int
    delivered_at: int | None
    failed_at: int | None = None
    error: dict[str, Any] | None = None
    queued_at: int | None = None
    accepted_at: int | None = None
    metadata: dict[str, Any] | None = None

    @property
    def was_sent_at(self) -> int | None:
        """When it left the line; None while it has not."""
        if self.accepted_at is not None or self.status in ("queued", "failed", "cancelled"):
            return self.accepted_at
        return self.sent_at

    @property
    def created_at(self) -> int:
        """When it was asked for, or came in."""
        return next(at for at in (self.queued_at, self.sent_at, self.synced_at) if at is not None)


class MessageItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message in a list: the answer of the send, and where it stands."""

    id: str
    status: MessageStatus
    to: str | None
    body: str | None
    priority: int
    created_at: str
    from_: str | None = msgspec.field(name="from")
    direction: str
    conversation_id: str | None
    sent_at: str | None
    delivered_at: str | None


class AttachmentItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A file of a message."""

    id: str | None
    filename: str | None
    mime_type: str | None
    size: int | None
    url: str | None


class Conversation(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A conversation."""

    id: str
    participant: str
    participant_name: str | None
    last_message: str | None
    last_message_at: str | None
    unread_count: int
    is_group: bool


def status_of(message: NativeMessage) -> MessageStatus:
    """Give a message's status."""
    if message.status == "unsent" and message.delivered_at is not None:
        return "delivered"
    return MESSAGE_STATUS[message.status]


def from_and_to(message: NativeMessage) -> tuple[str | None, str | None]:
    """Give who wrote, and to whom: a line of ours stands on one of the sides."""
    if message.is_from_me:
        return message.line_handle, message.chat_address
    return message.sender, message.line_handle


def conversation_id(chat_id: str | None) -> str | None:
    """Give the id of a chat; None while none is known."""
    return None if chat_id is None else spelled(CONVERSATION, chat_id)


def message_item(message: NativeMessage) -> MessageItem:
    """Show a message in a list."""
    sender, recipient = from_and_to(message)
    priority = (message.metadata or {}).get("priority")
    return MessageItem(
        id=message_id(message.id, is_from_me=message.is_from_me),
        status=status_of(message),
        to=recipient,
        body=message.text,
        priority=priority if isinstance(priority, int) else 0,
        created_at=iso(message.created_at),
        from_=sender,
        direction="sent" if message.is_from_me else "received",
        conversation_id=conversation_id(message.chat_id),
        sent_at=iso(message.was_sent_at if message.is_from_me else message.sent_at),
        delivered_at=iso(message.delivered_at),
    )


def attachment_item(attachment: NativeAttachment) -> AttachmentItem:
    """Show a file of a message."""
    return AttachmentItem(
        id=attachment.file_id,
        filename=attachment.filename,
        mime_type=attachment.mime_type,
        size=attachment.size,
        url=attachment.url,
    )


def conversation(chat: ChatReply) -> Conversation:
    """Show a chat; a group's participant is what messages to it are sent to."""
    last = chat.last_message
    known = chat.contact.name if chat.contact is not None else None
    return Conversation(
        id=spelled(CONVERSATION, chat.id),
        participant=chat.identifier,
        participant_name=chat.name if chat.is_group else known,
        last_message=None if last is None else last.text,
        last_message_at=iso(chat.last_message_at),
        unread_count=chat.unread_count,
        is_group=chat.is_group,
    )
