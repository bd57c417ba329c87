"""Tell rows of chat.db, with what only its other rows show: link previews, and the read marks of earlier messages.

One row that cannot be told is counted, and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.chatdb.content import URL_BALLOON, same_address, url_of, words_of
from bridge.chatdb.database import ChatDatabase
from bridge.chatdb.matching import matches
from bridge.chatdb.observing import Seen, Unusable, observations_of, read_by, target_of
from bridge.chatdb.polls import UPDATE, VOTE
from bridge.chatdb.rows import ChatRow, MessageRow
from bridge.chatdb.summary import NOTHING
from bridge.macos.apple_time import clamped_ms, unix_ms
from bridge.macos.placing import Placing
from bridge.macos.sends import SentMemory, quote_in
from bridge.macos.tallies import Tallies
from bridge.quotes import Quote
from hub.model.observation import Observation

#: A preview comes within this time of the words that hold its address.
_PREVIEW_MS: Final = 5_000
_PREVIEW_ROWS: Final = 3
#: Earlier messages that one read mark is carried back to.
_MOST_READ: Final = 100
_READ_PAGE: Final = 10

Rows = Sequence[MessageRow | int]


@dataclass(slots=True)
class Told:
    """What came of some rows."""

    observations: list[Observation] = field(default_factory=list)
    #: ROWIDs that are in no chat yet.
    unjoined: list[int] = field(default_factory=list)
    #: ROWIDs whose files are still on their way.
    unfinished: list[int] = field(default_factory=list)


class Telling:
    """Turns rows into observations."""

    def __init__(
        self, *, placing: Placing, sent: SentMemory, tallies: Tallies, now_ms: Callable[[], int]
    ) -> None:
        self._placing = placing
        self._sent = sent
        self._tallies = tallies
        self._now_ms = now_ms

    @property
    def has_lines(self) -> bool:
        """Whether there is anybody to tell it of."""
        return self._placing.has_lines

    def tell(self, database: ChatDatabase, rows: Rows, *, since_ms: int) -> Told:
        """Tell rows, in their order.

        Args:
            database: Where they are from.
            rows: A number alone is a row without a guid.
            since_ms: Unix ms; older rows are passed over.
        """
        told = Told()
        for row in rows:
            if isinstance(row, int):
                self._tallies.note("guidless", rowid=row)
            elif (unix_ms(row.date) or since_ms) >= since_ms:
                self._tell_one(database, row, told)
        return told

    def _tell_one(self, database: ChatDatabase, row: MessageRow, told: Told) -> None:
        chat = row.chat
        if chat is None:
            told.unjoined.append(row.rowid)
            return
        try:
            told.observations += self._observe(database, row, chat)
        except Unusable as reason:
            self._tallies.note(str(reason), row, rowid=row.rowid)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            # What others' phones wrote may hold anything; the next row must still be told.
            self._tallies.note("unreadable", row, rowid=row.rowid, error=type(error).__name__)
        if row.attachments and not all(each.is_complete for each in row.attachments):
            told.unfinished.append(row.rowid)

    def _observe(self, database: ChatDatabase, row: MessageRow, chat: ChatRow) -> list[Observation]:
        line = self._placing.line_of(
            row.destination_caller_id, chat.last_addressed_handle, chat.account_login
        )
        if line is None:
            raise Unusable("lineless")
        if chat.is_masked:
            raise Unusable("masked")
        if self._sent.is_disowned(row.guid):
            raise Unusable("went_as_sms")
        if row.is_spam:
            raise Unusable("spam")
        if row.balloon_bundle_id == URL_BALLOON and self._is_preview(database, row, chat):
            return []
        seen = Seen(
            row=row,
            chat=chat,
            line=line,
            now_ms=self._now_ms(),
            quote=self._quote_of(row),
            poll_guid=_poll_of(database, row),
        )
        return [*observations_of(seen), *self._read_before(database, seen)]

    def _quote_of(self, row: MessageRow) -> Quote | None:
        known = self._sent.quote_of(row.guid) or (quote_in(row.guid) if row.is_from_me else None)
        if known is not None or not row.is_from_me:
            return known
        for expected in self._sent.awaited(self._now_ms()):
            if matches(expected, row):
                self._sent.note(row.guid, expected.attempt_id, part=expected.part)
                return self._sent.quote_of(row.guid)
        return None

    def _is_preview(self, database: ChatDatabase, row: MessageRow, chat: ChatRow) -> bool:
        """Tell whether the words with this link stand in a row of their own, just before."""
        url, at = url_of(row), unix_ms(row.date)
        if url is None or at is None:
            return False
        return any(
            (each.is_from_me, each.sender) == (row.is_from_me, row.sender)
            and abs((unix_ms(each.date) or 0) - at) <= _PREVIEW_MS
            and same_address(url, words_of(each, NOTHING))
            for each in database.before_in_chat(chat.rowid, row.rowid, limit=_PREVIEW_ROWS)
            if each.balloon_bundle_id is None
        )

    def _read_before(self, database: ChatDatabase, seen: Seen) -> list[Observation]:
        """Carry a contact's read mark back: Messages marks the newest message only."""
        row, chat = seen.row, seen.chat
        if not row.is_from_me or not row.date_read or chat.is_group or row.associated_type:
            return []
        read_at = clamped_ms(row.date_read, now_ms=seen.now_ms)
        if read_at is None:
            return []
        found: list[Observation] = []
        below = row.rowid
        while len(found) < _MOST_READ:
            page = database.before_in_chat(chat.rowid, below, limit=_READ_PAGE, is_own=True)
            for each in page:
                if each.date_read and not each.associated_type:
                    return found
                if (each.is_delivered or each.date_delivered) and not each.error and not each.associated_type:
                    earlier = Seen(row=each, chat=chat, line=seen.line, now_ms=seen.now_ms)
                    found.append(read_by(earlier, read_at=read_at))
            if len(page) < _READ_PAGE:
                return found
            below = page[-1].rowid
        return found


def _poll_of(database: ChatDatabase, row: MessageRow) -> str | None:
    """Give the poll of a vote, or of an option more; a vote may name the row that brought its option."""
    if row.associated_type not in (UPDATE, VOTE):
        return None
    guid = target_of(row.associated_guid)
    named = database.message_of(guid) if guid is not None and row.associated_type == VOTE else None
    if named is not None and named.associated_type == UPDATE:
        return target_of(named.associated_guid) or guid
    return guid
