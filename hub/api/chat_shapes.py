"""How a chat looks to clients (contracts: messages.dev §3, and what blooio, msgbubbles and coop show beside it)."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from hub.api.contact_shapes import ContactBeside
from hub.flow.assignments import read_assignee
from hub.flow.chat_store import ChatTotals
from hub.flow.message_counts import MessageCounts
from hub.flow.payloads import status_of
from hub.flow.repositories import Chat
from hub.flow.rows import MessageRow
from hub.model.ids import Prefix, id_text
from hub.rules.message_status import MessageStatus

#: Characters of the last message that a list shows.
PREVIEW_LENGTH: Final = 200


class LastMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The latest message of a chat, cut short."""

    id: str
    #: The first 200 characters.
    text: str | None
    has_attachments: bool
    #: Null for our own.
    sender: str | None
    is_from_me: bool
    sent_at: int | None
    status: MessageStatus


class CountsReply(msgspec.Struct, frozen=True, kw_only=True):
    """Messages counted as `GET /v1/messages` lists them: those that wait or have failed, too."""

    message_count: int
    inbound_count: int
    outbound_count: int
    #: By `sent_at` of the messages.
    first_message_at: int | None
    last_message_at: int | None
    last_inbound_at: int | None
    last_outbound_at: int | None


class AssigneeReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes care of a chat."""

    team: str | None
    user: str | None
    note: str | None
    assigned_at: int | None


class ChatReply(msgspec.Struct, frozen=True, kw_only=True):
    """A chat."""

    id: str
    line_id: str
    line_handle: str
    identifier: str
    service: str
    name: str | None
    is_group: bool
    participants: tuple[str, ...]
    last_message_at: int | None
    #: Whether anybody there has written to the line.
    has_received_inbound: bool
    #: Who is on the other side of a direct chat, if known, and if the key has the scope `contacts:read`.
    contact: ContactBeside | None
    last_message: LastMessage | None
    #: What came in since the line has read the chat; no more than 100 are counted.
    unread_count: int
    #: Up to when the line has read it (`POST /v1/chats/{id}/read`), and whether it was marked as unread since.
    own_read_at: int | None
    is_marked_unread: bool
    #: The picture that the line gave the group.
    icon_file_id: str | None
    #: When the line left the group.
    left_at: int | None
    #: Null: nobody (`PUT /v1/chats/{id}/assignee`).
    assignee: AssigneeReply | None
    created_at: int
    #: With `include=counts`: however many there are.
    counts: CountsReply | UnsetType = UNSET


class OneChat(ChatReply, frozen=True, kw_only=True):
    """A chat, answered alone, with its messages counted."""

    #: Up to 10000.
    message_count: int
    inbound_count: int
    outbound_count: int
    #: Whether there are more than were counted.
    is_count_capped: bool
    request_id: str


def chat_fields(
    chat: Chat,
    *,
    line_handle: str,
    unread: int,
    last: MessageRow | None,
    contact: ContactBeside | None,
    counts: MessageCounts | None,
) -> dict[str, object]:
    """Give a chat as both shapes show it."""
    counted = {} if counts is None else {"counts": counts_reply(counts)}
    return {
        **counted,
        "id": id_text(Prefix.CHAT, chat.id),
        "line_id": id_text(Prefix.LINE, chat.line_id),
        "line_handle": line_handle,
        "identifier": chat.identifier,
        "service": chat.service,
        "name": chat.name,
        "is_group": chat.is_group,
        "participants": chat.participants,
        "last_message_at": chat.last_message_at,
        "has_received_inbound": chat.has_inbound,
        "contact": contact,
        "last_message": None if last is None else _preview(last),
        "unread_count": unread,
        "own_read_at": chat.own_read_at,
        "is_marked_unread": chat.is_marked_unread,
        "icon_file_id": None if chat.icon_file_id is None else id_text(Prefix.FILE, chat.icon_file_id),
        "left_at": chat.left_at,
        "assignee": _assignee(chat),
        "created_at": chat.created_at,
    }


def _assignee(chat: Chat) -> AssigneeReply | None:
    found = read_assignee(chat.assignee)
    if found is None:
        return None
    return AssigneeReply(team=found.team, user=found.user, note=found.note, assigned_at=chat.assigned_at)


def counts_reply(counts: MessageCounts) -> CountsReply:
    """Show counts."""
    return CountsReply(
        message_count=counts.inbound + counts.outbound,
        inbound_count=counts.inbound,
        outbound_count=counts.outbound,
        first_message_at=counts.first_at,
        last_message_at=counts.last_at,
        last_inbound_at=counts.last_inbound_at,
        last_outbound_at=counts.last_outbound_at,
    )


def total_fields(totals: ChatTotals) -> dict[str, object]:
    """Give how many messages a chat has."""
    return {
        "message_count": totals.inbound + totals.outbound,
        "inbound_count": totals.inbound,
        "outbound_count": totals.outbound,
        "is_count_capped": totals.is_capped,
    }


def _preview(message: MessageRow) -> LastMessage:
    return LastMessage(
        id=id_text(Prefix.MESSAGE, message.id),
        text=None if message.text is None else message.text[:PREVIEW_LENGTH],
        has_attachments=message.parts is not None and '"type":"a' in message.parts,
        sender=message.sender,
        is_from_me=bool(message.is_from_me),
        sent_at=message.sent_at,
        status=status_of(message),
    )
