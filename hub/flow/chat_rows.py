"""The rows of what goes on in a chat beside its messages. Field order is column order, as in hub.flow.rows."""

from __future__ import annotations

from typing import NamedTuple


class MemberRow(NamedTuple):
    """chat_members: the latest word on one who came or went."""

    chat_id: int
    handle: str
    is_member: int
    changed_at: int


class ChatState(NamedTuple):
    """chats: what changes of a chat beside what its messages show."""

    id: int
    name: str | None
    #: JSON list.
    participants: str
    #: As of when the name and the list were told, so that an older telling changes nothing.
    named_at: int | None
    listed_at: int | None
    own_read_at: int | None
    is_marked_unread: int
    icon_file_id: int | None
    #: JSON.
    background: str | None
    left_at: int | None
    #: JSON.
    assignee: str | None = None
    assigned_at: int | None = None


class PollRow(NamedTuple):
    """polls: inserted, or completed by what another observation knows."""

    id: int
    line_id: int
    chat_id: int
    guid: str
    title: str
    #: JSON list of {"id", "text"}.
    options: str
    creator: str | None
    is_from_me: int
    outbox_id: int | None
    created_at: int | None
    synced_at: int


class VoteRow(NamedTuple):
    """poll_votes: what one voter chose last."""

    line_id: int
    poll_guid: str
    voter: str
    #: JSON list of option ids.
    choices: str
    voted_at: int


class PlaceRow(NamedTuple):
    """places: where one contact is."""

    line_id: int
    handle: str
    latitude: float
    longitude: float
    label: str | None
    status: str | None
    located_at: int | None
    synced_at: int
