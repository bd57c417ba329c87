"""Watch chat.db: what is new is told at once, what changed again, and the past in pages beside it.

One turn: changes → new rows → rows that wait → files that came → one page of the past. Each piece is read in a thread
and told before the next is read, so a long past keeps nothing new waiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec
import structlog

from bridge.chatdb.changes import Changes
from bridge.chatdb.cursor import Cursor, is_replaced, read_cursor, resume, write_cursor
from bridge.chatdb.database import ChatDatabase, Unreadable
from bridge.chatdb.matching import is_ghost, matches
from bridge.chatdb.noticing import Signature, signature_of
from bridge.chatdb.reading import Reading
from bridge.chatdb.rows import MessageRow
from bridge.chatdb.settling import Settling, Waiting
from bridge.chatdb.telling import Telling
from bridge.macos.sends import SentMemory
from bridge.macos.tallies import Tallies
from hub.flow.ports import Clock
from hub.model.observation import Observation

log = structlog.get_logger("bridge")

#: Rows in one page: what is new waits no longer than for one.
PAGE: Final = 200
#: The newest rows, told once more after a start: they may have changed without a date.
_RETOLD: Final = 100
#: How far the dates of marks may lie behind: phones are off, and their clocks differ.
_MARK_SLACK_MS: Final = 60 * 60 * 1000
_ASK_EVERY_MS: Final = 5_000
_RETRY_SECONDS: Final = 5.0
#: A message of ours may look like one that came in for so long.
_ECHO_MS: Final = 3_000
#: What may yet be replaced by an SMS is kept back for so long.
_SENDING_MS: Final = 15_000
_FILES_FOR_MS: Final = 24 * 60 * 60 * 1000
_MOST_UNFINISHED: Final = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How the database is watched."""

    poll_seconds: float
    settle_ms: int
    history_hours: float
    watched_messages: int
    #: How much of the past a first start tells, in messages; None: as many as came in those hours.
    history_rows: int | None = None


class Watcher:
    """One listening to chat.db; another begins with a new one."""

    def __init__(
        self,
        reading: Reading,
        telling: Telling,
        *,
        sent: SentMemory,
        tallies: Tallies,
        clock: Clock,
        sleep: Callable[[float], Awaitable[None]],
        pace: Pace,
    ) -> None:
        self._reading = reading
        self._telling = telling
        self._sent = sent
        self._tallies = tallies
        self._clock = clock
        self._sleep = sleep
        self._pace = pace
        self._cursor = Cursor(rowid=0)
        self._file: tuple[int, int] | None = None
        self._settling = Settling(0, settle_ms=pace.settle_ms)
        self._changes = Changes(wide=pace.watched_messages)
        self._waiting = Waiting()
        self._again: list[int] = []
        #: ROWID → until when its files are looked for, Unix ms.
        self._unfinished: dict[int, int] = {}
        #: ROWID → since when it may be an echo of ours, Unix ms.
        self._echoes: dict[int, int] = {}
        self._signature: Signature = ()
        self._version: int | None = None
        self._asked_at = 0
        #: Why it could not be read the last time.
        self._complaint: str | None = None

    async def observations(self, cursor: str | None) -> AsyncIterator[tuple[Observation, ...]]:
        """Tell what there is from the cursor on, for ever, piece by piece. What cannot be read is waited for."""
        kept = read_cursor(cursor)
        if cursor is not None and kept is None:
            self._tallies.note("cursor_unreadable")
        while True:
            while not self._telling.has_lines:
                await self._sleep(_RETRY_SECONDS)
            try:
                async for piece in self._follow(kept):
                    yield piece
            except Unreadable as error:
                self._complain(str(error))
                # Where it was: nothing of the piece that failed was told.
                kept = self._resumable() if self._file is not None else kept
            await self._sleep(_RETRY_SECONDS)

    def _complain(self, error: str) -> None:
        """Log why nothing can be read, once for each reason: every few seconds it is tried again."""
        if error != self._complaint:
            log.warning("bridge.unreadable", kind="chatdb", error=error)
        self._complaint = error

    async def _follow(self, kept: Cursor | None) -> AsyncIterator[tuple[Observation, ...]]:
        """Tell until the database is another one, or cannot be read."""
        await self._reading.run(partial(self._begin, kept))
        while True:
            has_changed = await self._has_changed()
            for piece in self._pieces(has_changed=has_changed):
                if told := await self._reading.run(piece):
                    yield tuple(told)
            if not self._is_behind():
                await self._sleep(self._pace.poll_seconds)

    def _begin(self, kept: Cursor | None, database: ChatDatabase) -> None:
        now_ms, pace = self._clock.now_ms(), self._pace
        cursor = resume(
            database,
            kept,
            now_ms=now_ms,
            history_hours=pace.history_hours,
            history_rows=pace.history_rows,
            page=PAGE,
        )
        again: set[int] = set()
        if kept is not None:
            above = max(0, cursor.rowid - pace.watched_messages)
            again = set(database.changed_since(above=above, at_ms=max(0, kept.told_at - _MARK_SLACK_MS)))
            again.update(range(max(1, cursor.rowid - _RETOLD), cursor.rowid + 1))
        self._changes.begin(database, now_ms)
        self._version = self._complaint = None
        self._cursor, self._again = cursor, sorted(each for each in again if _is_told(cursor, each))
        self._settling = Settling(database.last_rowid(), settle_ms=pace.settle_ms)
        self._waiting, self._echoes, self._unfinished = Waiting(), {}, {}
        self._file = database.file_identity

    async def _has_changed(self) -> bool:
        """Look at the files; now and then ask the database itself."""
        signature, now_ms = signature_of(self._reading.path), self._clock.now_ms()
        if signature == self._signature and 0 <= now_ms - self._asked_at < _ASK_EVERY_MS:
            return False
        has_changed = await self._reading.run(self._look)
        self._signature, self._asked_at = signature, now_ms
        return has_changed

    def _look(self, database: ChatDatabase) -> bool:
        is_other_file = self._file != database.file_identity
        if is_other_file or database.version() != self._version:
            # It may have been restored in its place, too: the same file, and other messages in it.
            is_other = is_replaced(database, self._cursor)
            if is_other or is_other_file:
                self._begin(self._cursor if is_other else self._resumable(), database)
        version, self._version = self._version, database.version()
        return version != self._version

    def _is_behind(self) -> bool:
        """Whether the next turn should come at once."""
        return self._cursor.gap is not None or bool(self._again)

    def _pieces(self, *, has_changed: bool) -> list[Callable[[ChatDatabase], list[Observation]]]:
        """Name what is to be read in this turn; nothing when nothing has changed and nothing waits."""
        now_ms = self._clock.now_ms()
        pieces: list[Callable[[ChatDatabase], list[Observation]]] = []
        # Before the new rows: what changes after this look is found by the next one.
        if self._changes.is_due(now_ms, has_changed=has_changed):
            pieces.append(self._note_changes)
        if has_changed or self._settling.has_beyond(self._cursor.rowid):
            pieces.append(self._tell_new)
        if self._waiting:
            pieces.append(partial(self._tell_waiting, has_changed))
        if self._unfinished and has_changed:
            pieces.append(self._tell_finished)
        if self._again:
            pieces.append(self._tell_again)
        if self._cursor.gap is not None:
            pieces.append(self._tell_gap)
        return pieces

    def _note_changes(self, database: ChatDatabase) -> list[Observation]:
        found = self._changes.find(database, self._clock.now_ms())
        told = [rowid for rowid in found if rowid <= self._cursor.rowid]
        self._again = sorted({*self._again, *told})
        return []

    def _tell_new(self, database: ChatDatabase) -> list[Observation]:
        now_ms = self._clock.now_ms()
        up_to = self._settling.settled_up_to(database.last_rowid(), now_ms)
        if up_to <= self._cursor.rowid:
            return []
        page = database.messages_between(self._cursor.rowid, up_to, limit=PAGE)
        rows = self._without_echoes(page, now_ms)
        observations = self._tell(database, rows)
        last = _rowid(rows[-1]) if rows else self._cursor.rowid
        last = up_to if len(rows) == len(page) < PAGE else last
        self._cursor = msgspec.structs.replace(self._cursor, rowid=last, anchor=database.guid_at(last))
        return self._marked(observations)

    def _without_echoes(self, rows: Sequence[MessageRow | int], now_ms: int) -> list[MessageRow | int]:
        """Stop before a row that may be what we are just sending, and does not show yet what it is."""
        for index, row in enumerate(rows):
            if isinstance(row, MessageRow) and self._is_undecided(row):
                since = self._echoes[row.rowid] = min(self._echoes.get(row.rowid, now_ms), now_ms)
                if now_ms - since < (_SENDING_MS if row.is_from_me else _ECHO_MS):
                    return list(rows[:index])
        self._echoes.clear()
        return list(rows)

    def _is_undecided(self, row: MessageRow) -> bool:
        if self._sent.quote_of(row.guid) is not None or self._sent.is_disowned(row.guid):
            return False
        return any(
            (each.is_tentative or not row.is_from_me) and matches(each, row)
            for each in self._sent.awaited(self._clock.now_ms())
        )

    def _tell_waiting(self, has_changed: bool, database: ChatDatabase) -> list[Observation]:
        now_ms = self._clock.now_ms()
        over = self._waiting.over(now_ms)
        for row in database.messages_at(over):
            reason = "ghost" if isinstance(row, MessageRow) and is_ghost(row) else "unjoined"
            self._tallies.note(reason, row, rowid=_rowid(row))
        due = self._waiting.due(now_ms, has_changed=has_changed)
        rows = database.messages_at(due)
        found = [row for row in rows if not isinstance(row, MessageRow) or row.chat is not None]
        for rowid in {*due} - {_rowid(row) for row in rows} | {_rowid(row) for row in found}:
            self._waiting.done(rowid)
        return self._marked(self._tell(database, found)) if found else []

    def _tell_finished(self, database: ChatDatabase) -> list[Observation]:
        now_ms = self._clock.now_ms()
        rows = [row for row in database.messages_at(self._unfinished) if isinstance(row, MessageRow)]
        is_there = {row.rowid for row in rows}
        complete = [row for row in rows if all(each.is_complete for each in row.attachments)]
        observations = self._tell(database, complete)
        for rowid, until in list(self._unfinished.items()):
            if rowid not in is_there or rowid in {row.rowid for row in complete} or until <= now_ms:
                del self._unfinished[rowid]
        return self._marked(observations)

    def _tell_again(self, database: ChatDatabase) -> list[Observation]:
        page = self._again[:PAGE]
        observations = self._tell(database, database.messages_at(page))
        self._again = self._again[PAGE:]
        return self._marked(observations)

    def _tell_gap(self, database: ChatDatabase) -> list[Observation]:
        gap = self._cursor.gap
        if gap is None:
            return []
        rows = database.messages_between(gap[0], gap[1], limit=PAGE)
        observations = self._tell(database, rows)
        reached = _rowid(rows[-1]) if len(rows) == PAGE else gap[1]
        rest = (reached, gap[1]) if reached < gap[1] else None
        self._cursor = msgspec.structs.replace(self._cursor, gap=rest)
        return self._marked(observations)

    def _tell(self, database: ChatDatabase, rows: Sequence[MessageRow | int]) -> list[Observation]:
        now_ms = self._clock.now_ms()
        told = self._telling.tell(database, rows, since_ms=self._cursor.since)
        for rowid in told.unjoined:
            for given_up in self._waiting.add(rowid, now_ms):
                self._tallies.note("unjoined", rowid=given_up)
        for rowid in told.unfinished:
            if len(self._unfinished) < _MOST_UNFINISHED:
                self._unfinished.setdefault(rowid, now_ms + _FILES_FOR_MS)
        return told.observations

    def _resumable(self) -> Cursor:
        """Give the cursor with which nothing is lost: rows that wait are found again, without the anchor of another."""
        first = self._waiting.first
        if first is None or first > self._cursor.rowid:
            return self._cursor
        return msgspec.structs.replace(self._cursor, rowid=first - 1, anchor=None)

    def _marked(self, observations: list[Observation]) -> list[Observation]:
        """Let the last of a piece carry the cursor: before it is recorded, all of the piece is told again."""
        if not self._again:
            self._cursor = msgspec.structs.replace(self._cursor, told_at=self._clock.now_ms())
        if not observations:
            return []
        last = msgspec.structs.replace(observations[-1], cursor=write_cursor(self._resumable()))
        return [*observations[:-1], last]


def _is_told(cursor: Cursor, rowid: int) -> bool:
    is_in_gap = cursor.gap is not None and cursor.gap[0] < rowid <= cursor.gap[1]
    return rowid <= cursor.rowid and not is_in_gap


def _rowid(row: MessageRow | int) -> int:
    return row if isinstance(row, int) else row.rowid
