"""Which chats are wanted, and what is told of one beside its row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

#: (last_message_at or 0, id), or (0, id) where that is not the order: where a chat stands among the others.
ChatPlace = tuple[int, int]


class ChatOrder(StrEnum):
    """How a list of chats is ordered; the id decides among equals."""

    #: By the last message, latest first.
    ACTIVITY = "activity"
    #: By the last message, latest last.
    OLDEST = "oldest"
    #: Latest known first.
    CREATED = "created"
    #: By the name, whatever the case of its letters; those without one as if it was empty. Sorts all that are wanted.
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatFilter:
    """Which chats, and in which order; None does not restrict."""

    line_ids: tuple[int, ...]
    #: Found in the name (as hub.rules.textsearch understands it), the handles or the network's id of the chat; a
    #: number however it is written.
    q: str | None = None
    #: Beside `q`, what contacts are searched for (hub.rules.contacts.search_needle): their direct chats are found, too.
    contact_needle: str = ""
    is_group: bool | None = None
    is_unread: bool | None = None
    #: Whether our line has left it; only groups can be left.
    is_left: bool | None = None
    #: All of them are in the chat, our line aside.
    participants: frozenset[str] = frozenset()
    #: Nobody else is.
    is_exact: bool = False
    #: Unix ms: those that the hub got to know before then.
    created_before: int | None = None
    order: ChatOrder = ChatOrder.ACTIVITY


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatTotals:
    """How many messages a chat has, as far as they were counted."""

    inbound: int
    outbound: int
    #: Whether there may be more: counting stopped at a limit.
    is_capped: bool
