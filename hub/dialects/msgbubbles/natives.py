"""What the native surface tells, as far as this dialect needs it."""

from __future__ import annotations

from typing import Any

import msgspec


class NativeFile(msgspec.Struct, frozen=True):
    """A file of a message."""

    filename: str | None = None
    mime_type: str | None = None
    size: int | None = None
    url: str | None = None
    file_id: str | None = None


class NativeError(msgspec.Struct, frozen=True):
    """Why a message failed."""

    code: str | None = None
    raw: str | None = None


class NativeMessage(msgspec.Struct, frozen=True):
    """A message, as lists, reads and events tell it."""

    id: str
    line_id: str
    line_handle: str
    status: str
    synced_at: int
    is_from_me: bool
    chat_id: str | None = None
    #: The contact, or the network's id of the group.
    chat_address: str | None = None
    is_group: bool | None = None
    sender: str | None = None
    text: str | None = None
    attachments: tuple[NativeFile, ...] = ()
    service: str | None = None
    sent_at: int | None = None
    accepted_at: int | None = None
    delivered_at: int | None = None
    read_at: int | None = None
    unsent_at: int | None = None
    effect: str | None = None
    reply_to_guid: str | None = None
    error: NativeError | None = None
    metadata: dict[str, Any] | None = None

    @property
    def created_at(self) -> int:
        """By what lists are in order."""
        return self.synced_at if self.sent_at is None else self.sent_at


class NativeReaction(msgspec.Struct, frozen=True):
    """A reaction, as events tell it."""

    id: str
    message_id: str
    line_handle: str
    type: str
    sender: str
    is_from_me: bool
    added: bool
    sent_at: int
    chat_id: str | None = None


class NativeTest(msgspec.Struct, frozen=True):
    """A test of a webhook."""

    webhook_id: str
    message: str
