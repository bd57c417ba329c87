"""The vendor's objects and envelopes (contracts: msgbubbles §1, §4); what is our choice is marked in README.md."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

Thing = TypeVar("Thing")

Uuid = Annotated[str, Meta(max_length=64)]
HandleText = Annotated[str, Meta(min_length=1, max_length=320)]
Limit = Annotated[int, Meta(ge=1, le=100)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing is taken: a field or query parameter is refused, as the vendor does."""


class One(msgspec.Struct, Generic[Thing], frozen=True, kw_only=True):
    """One thing; also several that are no page."""

    data: Thing
    request_id: str


class Many(msgspec.Struct, Generic[Thing], frozen=True, kw_only=True):
    """A page of things."""

    data: list[Thing]
    has_more: bool
    request_id: str


class PageQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page, newest first."""

    limit: Limit = 50
    #: ISO 8601: what was created before then.
    before: Annotated[str, Meta(max_length=64)] | None = None


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file: staged, or of a message."""

    id: str | None
    filename: str | None
    mime_type: str | None
    size_bytes: int | None
    url: str | None
    #: Null until a message has claimed it.
    message_id: str | None
    created_at: str | None


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message failed."""

    code: str
    message: str | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message."""

    id: str
    conversation_id: str | None
    direction: str
    status: str
    channel: str | None
    text: str | None
    effect: str | None
    reply_to: str | None
    error: Failure | None
    metadata: dict[str, Any] | None
    attachments: list[Attachment]
    sent_at: str | None
    delivered_at: str | None
    read_at: str | None
    created_at: str
    #: Our number, the contact (null for a group), who wrote: in webhooks only, which could not be understood without.
    from_handle: str | UnsetType = UNSET
    remote_handle: str | UnsetType | None = UNSET
    sender_handle: str | UnsetType | None = UNSET


class Reaction(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction that came in or was taken back."""

    id: str
    message_id: str
    conversation_id: str | None
    reaction: str
    removed: bool
    direction: str
    from_handle: str
    sender_handle: str
    created_at: str


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation."""

    id: str
    from_handle: str
    #: Null for a group.
    remote_handle: str | None
    is_group: bool
    title: str | None
    #: Our number aside.
    participants: tuple[str, ...]
    last_message_at: str | None
    created_at: str
    updated_at: str


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """One of the account's numbers."""

    handle: str
    channels: list[str]
    label: str | None
    #: `online`, `degraded` or `offline`.
    status: str


class Availability(msgspec.Struct, frozen=True, kw_only=True):
    """How a handle is reached."""

    handle: str
    imessage: bool
    channel: str


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook, without its secret."""

    id: str
    url: str
    events: list[str]
    enabled: bool
    created_at: str
    updated_at: str


class HookWithSecret(Hook, frozen=True, kw_only=True):
    """A webhook with its secret: at its making and its rotation."""

    secret: str


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """It is gone."""

    id: str
    deleted: bool = True


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Where the bytes of an announced attachment go."""

    id: str
    upload_url: str
    method: str
    headers: dict[str, str]


class Typing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the conversation is shown that we type."""

    conversation_id: str
    typing: bool
