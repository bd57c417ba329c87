"""Rows of chat.db, tamed: whatever type a column turns out to hold, a field has the type it says, or None."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from bridge.macos.apple_time import unix_ms
from bridge.macos.wire_text import clean, identifier


class Row(Protocol):
    """A row by the names of its columns, as sqlite3.Row is one."""

    def __getitem__(self, name: str, /) -> Any: ...


#: What a guid of a chat begins with; the service in it is stale, `any` on macOS 26.
_GROUP_MARK: Final = ";+;"
_GROUP_STYLE: Final = 43


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatRow:
    """A conversation."""

    rowid: int
    guid: str
    is_group: bool
    name: str | None
    #: Handles of the others.
    members: tuple[str, ...]
    account_login: str | None
    last_addressed_handle: str | None

    @property
    def is_masked(self) -> bool:
        """Unknown senders are hidden on some Macs (`+156****2244`): there is nobody to answer."""
        return "*" in self.guid.rpartition(";")[2]


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachmentRow:
    """A file of a message."""

    rowid: int
    guid: str
    filename: str | None
    uti: str | None
    mime_type: str | None
    transfer_state: int
    transfer_name: str | None
    total_bytes: int
    is_sticker: bool
    is_hidden: bool
    created_date: int

    @property
    def is_complete(self) -> bool:
        return self.transfer_state == COMPLETE

    def age_ms(self, now_ms: int) -> int:
        """Give how long Messages has known of it."""
        return now_ms - (unix_ms(self.created_date) or 0)


#: `transfer_state` of a file that is there.
COMPLETE: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageRow:
    """A message, a tapback, or something that happened in a group."""

    rowid: int
    guid: str
    text: str | None
    attributed_body: bytes | None
    subject: str | None
    sender: str | None
    service: str | None
    error: int
    date: int
    date_read: int
    date_delivered: int
    date_edited: int
    date_retracted: int
    is_from_me: bool
    #: None where the column is not there.
    is_sent: bool | None
    is_delivered: bool
    is_spam: bool
    item_type: int
    other_handle: str | None
    group_title: str | None
    group_action_type: int
    was_downgraded: bool
    is_audio_message: bool
    associated_guid: str | None
    associated_type: int
    associated_emoji: str | None
    balloon_bundle_id: str | None
    payload_data: bytes | None
    effect: str | None
    summary_info: bytes | None
    destination_caller_id: str | None
    thread_originator_guid: str | None
    part_count: int | None
    #: Meant for later ("Send Later", macOS 15 and on): until it is sent, it is nobody's message.
    is_scheduled: bool
    attachments: tuple[AttachmentRow, ...] = ()
    #: None while Messages has not put it into one.
    chat: ChatRow | None = None


def whole(value: object) -> int:
    """Give a number; 0 for none and for what is none."""
    if isinstance(value, bool | int):
        return int(value)
    if isinstance(value, float) and abs(value) < 2**63:
        return int(value)
    return (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 20
        else 0
    )


def text(value: object) -> str | None:
    """Give words, cleaned; None for none."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return clean(value) or None if isinstance(value, str) else None


def archive(value: object) -> bytes | None:
    return value if isinstance(value, bytes) and value else None


def read_message(
    row: Row,
    *,
    handle: Callable[[int], str | None],
    chat: ChatRow | None,
    attachments: tuple[AttachmentRow, ...],
) -> MessageRow | None:
    """Read a message; None for one without a usable guid.

    Args:
        row: Its columns, by name.
        handle: Gives the handle of a row of `handle`.
        chat: Where it is.
        attachments: Its files.
    """
    guid = identifier(row["guid"])
    if guid is None:
        return None
    plain: dict[str, Any] = {name: whole(row[name]) for name in _NUMBERS}
    plain |= {name: bool(whole(row[name])) for name in _FLAGS} | {name: text(row[name]) for name in _TEXTS}
    return MessageRow(
        rowid=whole(row["ROWID"]),
        guid=guid,
        chat=chat,
        attachments=attachments,
        sender=handle(whole(row["handle_id"])),
        other_handle=handle(whole(row["other_handle"])),
        is_sent=None if row["is_sent"] is None else bool(whole(row["is_sent"])),
        attributed_body=archive(row["attributedBody"]),
        payload_data=archive(row["payload_data"]),
        summary_info=archive(row["message_summary_info"]),
        associated_guid=identifier(row["associated_message_guid"]),
        associated_type=whole(row["associated_message_type"]),
        associated_emoji=text(row["associated_message_emoji"]),
        effect=text(row["expressive_send_style_id"]),
        thread_originator_guid=identifier(row["thread_originator_guid"]),
        part_count=None if row["part_count"] is None else whole(row["part_count"]),
        is_scheduled=whole(row["schedule_type"]) != 0,
        **plain,
    )


_NUMBERS: Final = (
    "date",
    "date_delivered",
    "date_edited",
    "date_read",
    "date_retracted",
    "error",
    "group_action_type",
    "item_type",
)
_FLAGS: Final = ("is_audio_message", "is_delivered", "is_from_me", "is_spam", "was_downgraded")
_TEXTS: Final = ("balloon_bundle_id", "destination_caller_id", "group_title", "service", "subject", "text")


def read_chat(row: Row, *, members: tuple[str, ...]) -> ChatRow | None:
    """Read a chat; None for one without a usable guid."""
    guid = identifier(row["guid"])
    if guid is None:
        return None
    is_group = whole(row["style"]) == _GROUP_STYLE or _GROUP_MARK in guid
    return ChatRow(
        rowid=whole(row["ROWID"]),
        guid=guid,
        is_group=is_group,
        name=text(row["display_name"]),
        members=members,
        account_login=text(row["account_login"]),
        last_addressed_handle=text(row["last_addressed_handle"]),
    )


def read_attachment(row: Row) -> AttachmentRow | None:
    """Read an attachment; None for one without a usable guid."""
    guid = identifier(row["guid"], most=500)
    if guid is None:
        return None
    return AttachmentRow(
        rowid=whole(row["ROWID"]),
        guid=guid,
        filename=text(row["filename"]),
        uti=text(row["uti"]),
        mime_type=text(row["mime_type"]),
        transfer_state=COMPLETE if row["transfer_state"] is None else whole(row["transfer_state"]),
        transfer_name=text(row["transfer_name"]),
        total_bytes=max(0, whole(row["total_bytes"])),
        is_sticker=bool(whole(row["is_sticker"])),
        is_hidden=bool(whole(row["hide_attachment"])),
        created_date=whole(row["created_date"]),
    )
