"""Which messages somebody wants to see, page by page: the question and the answer, not the SQL.

A page walks along an index, newest or oldest first. What only a look into each row can decide is looked for in a
bounded number of rows a page, so that no question can keep the database busy: such a page may hold fewer messages than
were asked for, none even, and still say where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.flow.rows import MessageRow
from hub.rules.message_status import MessageStatus

#: (sent_at, id): where a message stands among the others; (0, id) in the order in which they were stored.
Place = tuple[int, int]

#: Rows that one page looks into, where it must look into rows.
MOST_READ = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageFilter:
    """Which messages; None does not restrict. The lines always do: they are those that the caller may see."""

    line_ids: tuple[int, ...]
    #: Chats of these lines.
    chat_ids: tuple[int, ...] | None = None
    job_id: int | None = None
    #: By `sent_at`, Unix ms: from `since` on, before `until`.
    since: int | None = None
    until: int | None = None
    #: By when the hub stored it, Unix ms. With either, messages are in that order, and all else looks into rows.
    synced_since: int | None = None
    synced_before: int | None = None
    is_from_me: bool | None = None
    status: MessageStatus | None = None
    service: str | None = None
    has_attachments: bool | None = None
    #: A part of the text, as hub.rules.textsearch understands it.
    words: str | None = None

    @property
    def is_by_arrival(self) -> bool:
        """Whether the order is that in which the hub stored them."""
        return self.synced_since is not None or self.synced_before is not None

    @property
    def looks_into_rows(self) -> bool:
        """Whether an index alone cannot answer."""
        asked = (self.job_id, self.is_from_me, self.status, self.service, self.has_attachments, self.words)
        return any(each is not None for each in asked)

    @property
    def is_countable(self) -> bool:
        """Whether indexes tell which messages are meant, or few rows do: such can be counted, and skipped."""
        asked = (self.status, self.service, self.has_attachments, self.words)
        return not self.is_by_arrival and all(each is None for each in asked)


@dataclass(frozen=True, kw_only=True, slots=True)
class MessagePage:
    """Messages in order, and where the next page begins."""

    messages: Sequence[MessageRow]
    #: After this place; None when all have been seen.
    after: Place | None
