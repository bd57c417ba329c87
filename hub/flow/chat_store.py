"""Which chats are wanted, and what is told of one beside its row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatFilter:
    """Which chats; None does not restrict."""

    line_ids: tuple[int, ...]
    #: Found in the name, the handles or the network's id of the chat.
    q: str | None = None
    is_group: bool | None = None
    is_unread: bool | None = None
    #: All of them are in the chat, our line aside.
    participants: frozenset[str] = frozenset()
    #: Nobody else is.
    is_exact: bool = False
    #: Unix ms: those that the hub got to know before then.
    created_before: int | None = None
    #: Latest known first, instead of latest activity.
    is_by_creation: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatTotals:
    """How many messages a chat has, as far as they were counted."""

    inbound: int
    outbound: int
    #: Whether there may be more: counting stopped at a limit.
    is_capped: bool
