"""How far chat.db was told: kept by the hub as text, in `Observation.cursor`.

ROWIDs belong to one database. After a restore, a new account or a repair they begin again, and the cursor would stand
ahead of everything, or in the middle of something else: then what is recent is told again, found by its date. The hub
knows by the guids what it has.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from bridge.chatdb.database import ChatDatabase

#: Told again after the database was replaced.
_OVERLAP_MS: Final = 24 * 60 * 60 * 1000
_HOUR_MS: Final = 60 * 60 * 1000


#: What SQLite can hold; ROWIDs of messages begin at 1.
RowId = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
_Instant = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far it was told."""

    #: Messages up to this ROWID were told as they came, but for the gap.
    rowid: RowId
    #: The guid of that message: in another database it is another one.
    anchor: str | None = None
    #: Unix ms: what is older is not told.
    since: _Instant = 0
    #: Unix ms of the last telling: what changed before was told.
    told_at: _Instant = 0
    #: ROWIDs, from (not included) and to, that are being caught up on.
    gap: tuple[RowId, RowId] | None = None


_decode: Final = msgspec.json.Decoder(Cursor).decode


def read_cursor(text: str | None) -> Cursor | None:
    """Read what we once gave; None for none, and for what is none of ours."""
    try:
        return None if text is None else _decode(text)
    except msgspec.DecodeError:
        return None


def write_cursor(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()


def resume(
    database: ChatDatabase,
    cursor: Cursor | None,
    *,
    now_ms: int,
    history_hours: float,
    page: int,
    history_rows: int | None = None,
) -> Cursor:
    """Give where to go on from: what came meanwhile is a gap, unless it is short.

    Args:
        cursor: As it was kept; None at the very first start.
        now_ms: Unix ms.
        history_hours: How much of the past a first start tells.
        page: The longest way that is no gap.
        history_rows: How many messages of the past a first start tells, in place of hours.
    """
    last = max(0, database.last_rowid())
    if cursor is None and history_rows is not None:
        start = max(0, last - history_rows)
        gap = (start, last) if start < last else None
        return Cursor(rowid=last, anchor=database.guid_at(last), told_at=now_ms, gap=gap)
    if cursor is None:
        return _from_date(
            database, last, since=max(0, now_ms - round(history_hours * _HOUR_MS)), told_at=now_ms
        )
    cursor = msgspec.structs.replace(
        cursor, since=min(cursor.since, now_ms), told_at=min(cursor.told_at, now_ms)
    )
    if is_replaced(database, cursor):
        since = max(cursor.since, cursor.told_at - _OVERLAP_MS)
        return _from_date(database, last, since=since, told_at=cursor.told_at)
    if cursor.gap is None and last - cursor.rowid <= page:
        return cursor
    start = cursor.rowid if cursor.gap is None else cursor.gap[0]
    gap = (start, last) if start < last else None
    return msgspec.structs.replace(cursor, rowid=last, anchor=database.guid_at(last), gap=gap)


def is_replaced(database: ChatDatabase, cursor: Cursor) -> bool:
    """Tell whether the cursor is of another database. That messages were deleted does not make it one."""
    if database.highest_ever() < cursor.rowid:
        return True
    guid = database.guid_at(cursor.rowid)
    return guid is not None and cursor.anchor is not None and guid != cursor.anchor


def _from_date(database: ChatDatabase, last: int, *, since: int, told_at: int) -> Cursor:
    # A replaced database holds its messages in any order: the first that is recent enough, and all after it.
    start = max(0, database.first_rowid_since(since) - 1)
    return Cursor(
        rowid=last,
        anchor=database.guid_at(last),
        since=since,
        told_at=told_at,
        gap=(start, last) if start < last else None,
    )
