"""The hot statements of SQLite.

A batch is one statement with many rows, in a few fixed sizes so that each stays prepared. One statement per row
would give up and regain the interpreter lock for each row, and wait milliseconds for it whenever the event loop is
busy (measured: 8 ms against 0.14 ms an event).
"""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from hub.flow.rows import (
    AttemptRow,
    ChatRow,
    DeliveryRow,
    DueOutbox,
    EventRow,
    FinishRow,
    IdempotencyRow,
    MessageRow,
    OperationRow,
    OutboxRow,
    OutboxUpdate,
    RawRow,
    ReactionRow,
    SnapshotRow,
)
from hub.store import merging

LARGEST_CHUNK = 128


class Multi(NamedTuple):
    """A statement with as many value rows as its batch has."""

    head: str
    #: One row of values, for example `(?,?,0)`.
    row: str
    tail: str


@lru_cache(maxsize=1024)
def rendered(statement: Multi, count: int) -> str:
    """Spell the statement for `count` rows."""
    return f"{statement.head} {','.join([statement.row] * count)} {statement.tail}"


def chunks(total: int) -> Iterator[tuple[int, int]]:
    """Cut a batch into ranges whose sizes are powers of two, largest first."""
    start, size = 0, LARGEST_CHUNK
    while start < total:
        while size > total - start:
            size >>= 1
        yield start, start + size
        start += size


def _insert(
    table: str, columns: Sequence[str], tail: str, *, constants: Sequence[tuple[str, int]] = ()
) -> Multi:
    names = ", ".join([*columns, *(name for name, _ in constants)])
    values = ",".join(["?"] * len(columns) + [str(value) for _, value in constants])
    return Multi(f"INSERT INTO {table} ({names}) VALUES", f"({values})", tail)


def _values(update: str, width: int, tail: str) -> Multi:
    return Multi(f"{update} FROM (VALUES", f"({','.join('?' * width)})", f") AS new WHERE {tail}")


_NOTHING = "ON CONFLICT DO NOTHING"

#: None of these has RETURNING: with it SQLite copies the whole batch into a temporary table first, which doubles
#: the cost of a row. The count of changes tells the usual case, a look-up by key the others.
INSERT_RAW = _insert("raw_payloads", RawRow._fields, _NOTHING)
MERGE_CHATS = _insert("chats", ChatRow._fields, merging.merge_chats(merging.SQLITE))
MERGE_MESSAGES = _insert("messages", SnapshotRow._fields, merging.merge_messages(merging.SQLITE))
MERGE_OWN_MESSAGES = _insert("messages", MessageRow._fields, merging.merge_own_messages(merging.SQLITE))
MESSAGES_BY_ID = Multi(
    f"SELECT {', '.join(MessageRow._fields)} FROM messages WHERE id IN (VALUES", "(?)", ")"
)
SAVE_MESSAGES = _values(
    "UPDATE messages SET "
    + ", ".join(
        f"{name} = new.column{place}" for place, name in enumerate(MessageRow._fields, 1) if place > 1
    ),
    len(MessageRow._fields),
    "messages.id = new.column1",
)
DELETE_MESSAGES = Multi("DELETE FROM messages WHERE id IN (VALUES", "(?)", ")")
MERGE_REACTIONS = _insert("reactions", ReactionRow._fields, merging.merge_reactions(merging.SQLITE))
INSERT_EVENTS = _insert("events", (*EventRow._fields, "position"), _NOTHING)
NEWEST_POSITION = "SELECT max(position) FROM events"
INSERT_DELIVERIES = _insert("deliveries", DeliveryRow._fields, _NOTHING, constants=(("attempt_count", 0),))
INSERT_ATTEMPTS = _insert("attempts", AttemptRow._fields, _NOTHING)
FINISH_DELIVERIES = _values(
    "UPDATE deliveries SET state = new.column2, attempt_count = new.column3, next_attempt_at = new.column4, "
    "finished_at = new.column5, last_status = new.column6, reason = new.column7",
    len(FinishRow._fields),
    "deliveries.id = new.column1 AND deliveries.state = 0",
)
MARK_FAILING = _values(
    "UPDATE webhooks SET failing_since = new.column2",
    2,
    "webhooks.id = new.column1 AND webhooks.failing_since IS NULL",
)
MARK_RECOVERED = Multi(
    "UPDATE webhooks SET failing_since = NULL WHERE failing_since IS NOT NULL AND id IN (VALUES", "(?)", ")"
)
INSERT_IDEMPOTENCY = _insert("idempotency_keys", IdempotencyRow._fields, f"{_NOTHING} RETURNING scope, key")
FORGET_IDEMPOTENCY = "DELETE FROM idempotency_keys WHERE scope = ? AND key = ?"
INSERT_OUTBOX = _insert("outbox", OutboxRow._fields, _NOTHING, constants=(("state", 0), ("attempt_count", 0)))
#: The eleventh value is a mask of the states that the item may leave for the new one. What an earlier attempt has to
#: say does not count any more, and an item that was read before another attempt is not handed over.
UPDATE_OUTBOX = _values(
    "UPDATE outbox SET state = new.column2, attempt_count = new.column3, next_attempt_at = new.column4, "
    "dispatched_at = new.column5, provider_id = new.column6, error = new.column7, completed_at = new.column8, "
    "parts_done = max(outbox.parts_done, new.column9), result = coalesce(new.column10, outbox.result)",
    len(OutboxUpdate._fields) + 1,
    "outbox.id = new.column1 AND (new.column11 >> outbox.state) & 1 "
    "AND outbox.attempt_count <= new.column3 - (new.column2 = 1) RETURNING outbox.id",
)
OUTBOX_CLAIMS = Multi(
    f"SELECT {merging.CLAIM_COLUMNS} FROM (VALUES",
    "(?)",
    ") AS wanted CROSS JOIN outbox AS o ON o.id = wanted.column1 LEFT JOIN messages AS m ON m.id = o.message_id",
)
GUIDS_OF_OTHERS = (
    "SELECT guid FROM messages WHERE line_id = ? AND sent_at >= ? AND is_from_me = 1 AND outbox_id <> ? "
    "ORDER BY sent_at DESC, id DESC LIMIT ?"
)
OUTBOX_SET = "SELECT id FROM outbox WHERE set_id = ? AND state = 0 ORDER BY id"
#: The instant comes with each row: a statement of many rows has no other values.
CANCEL_OUTBOX = _values(
    "UPDATE outbox SET state = 5, completed_at = new.column2",
    2,
    "outbox.id = new.column1 AND outbox.state = 0 RETURNING outbox.id",
)
MOVE_OPERATIONS = _values(
    "UPDATE outbox SET placeholder_id = new.column1, message_id = new.column2",
    2,
    "outbox.message_id = new.column1",
)
MESSAGE_OPERATIONS = Multi(
    f"SELECT {', '.join(f'outbox.{name}' for name in OperationRow._fields)} FROM (VALUES",
    "(?)",
    ") AS wanted CROSS JOIN outbox ON outbox.message_id = wanted.column1 ORDER BY outbox.id",
)
#: 4 is FAILED, 3 SENT (hub.model.outbox).
PROVE_OUTBOX = _values(
    "UPDATE outbox SET state = 3, error = NULL, provider_id = new.column2",
    2,
    "outbox.id = new.column1 AND outbox.state = 4 AND outbox.error LIKE 'delivery_unknown:%'",
)
MARK_EVIDENCE = _values("UPDATE outbox SET evidence_key = new.column2", 2, "outbox.id = new.column1")
REVISION = "SELECT version FROM revisions WHERE name = 'configuration'"


def present(table: str) -> Multi:
    """Which of these ids the table has."""
    return Multi(f"SELECT id FROM {table} WHERE id IN (VALUES", "(?)", ")")


def by_key(table: str, columns: Sequence[str], key: tuple[str, str]) -> Multi:
    """The rows under these keys; joined, because SQLite walks the whole table for `(a, b) IN (VALUES …)`."""
    names = ", ".join(f"{table}.{name}" for name in columns)
    on = f"{table}.{key[0]} = wanted.column1 AND {table}.{key[1]} = wanted.column2"
    return Multi(f"SELECT {names} FROM (VALUES", "(?,?)", f") AS wanted CROSS JOIN {table} ON {on}")


CHATS_BY_KEY = by_key("chats", ChatRow._fields, ("line_id", "chat_key"))
KNOWN_GUIDS = by_key("messages", ("line_id", "guid"), ("line_id", "guid"))
MESSAGES_BY_GUID = by_key("messages", SnapshotRow._fields, ("line_id", "guid"))
OWN_BY_GUID = by_key("messages", MessageRow._fields, ("line_id", "guid"))
PRESENT_EVENTS = present("events")
PRESENT_RAW = present("raw_payloads")
SELECT_IDEMPOTENCY = by_key("idempotency_keys", IdempotencyRow._fields, ("scope", "key"))

_DUE = "d.id, d.event_id, d.webhook_id, d.attempt_count, e.type, e.data, d.replay_count"

#: CROSS JOIN keeps the order of the loops: deliveries by their index, then each event by its key.
DELIVERIES_BETWEEN = (
    f"SELECT {_DUE} FROM deliveries AS d NOT INDEXED CROSS JOIN events AS e ON e.id = d.event_id "
    "WHERE d.id BETWEEN ? AND ? AND d.state = 0 AND d.attempt_count = 0 "
    "AND d.shard IN (SELECT value FROM json_each(?)) ORDER BY d.id LIMIT ?"
)
DUE_DELIVERIES = (
    f"SELECT {_DUE} FROM deliveries AS d INDEXED BY ix_deliveries_pending CROSS JOIN events AS e "
    "ON e.id = d.event_id WHERE d.state = 0 AND d.webhook_id = ? AND d.shard = ? AND d.next_attempt_at <= ? "
    "ORDER BY d.next_attempt_at, d.id LIMIT ?"
)
ORDERED_DELIVERIES = (
    f"SELECT d.next_attempt_at, {_DUE} FROM (SELECT id FROM deliveries INDEXED BY ix_deliveries_pending "
    "WHERE state = 0 AND webhook_id = ? AND shard = ? ORDER BY id LIMIT ?) AS lane "
    "CROSS JOIN deliveries AS d ON d.id = lane.id CROSS JOIN events AS e ON e.id = d.event_id ORDER BY d.id"
)
_DUE_OUTBOX = ", ".join(f"outbox.{name}" for name in DueOutbox._fields)
_STARTED = "outbox INDEXED BY ix_outbox_started WHERE state < 3 AND attempt_count > 0"
_WAITING = "outbox INDEXED BY ix_outbox_waiting WHERE state < 3 AND attempt_count = 0"
_OF_LINE = "AND line_id = ?1 AND shard = ?2"
_TOP = f"SELECT priority FROM {_WAITING} {_OF_LINE}"
#: One seek a priority, whatever waits behind its first one.
DUE_OUTBOX = (
    f"WITH RECURSIVE priorities(value) AS (SELECT ({_TOP} ORDER BY priority DESC LIMIT 1) UNION ALL "
    f"SELECT ({_TOP} AND priority < priorities.value ORDER BY priority DESC LIMIT 1) FROM priorities "
    "WHERE priorities.value IS NOT NULL) "
    f"SELECT * FROM (SELECT {_DUE_OUTBOX} FROM outbox WHERE id IN "
    f"(SELECT id FROM {_STARTED} {_OF_LINE} ORDER BY id LIMIT ?3) ORDER BY id) "
    f"UNION ALL SELECT {_DUE_OUTBOX} FROM priorities CROSS JOIN outbox ON outbox.id = "
    f"(SELECT id FROM {_WAITING} {_OF_LINE} AND priority = priorities.value ORDER BY next_attempt_at, id LIMIT 1)"
)


def loose_scan(*, table: str, lane: str, index: str, pending: str) -> str:
    """Find each lane of a shard by one seek into the index, however long the lane's backlog is."""
    source = f"{table} INDEXED BY {index} WHERE {pending} AND shard = ?1"
    return (
        f"WITH RECURSIVE lanes(lane) AS (SELECT (SELECT {lane} FROM {source} ORDER BY {lane} LIMIT 1) UNION ALL "
        f"SELECT (SELECT {lane} FROM {source} AND {lane} > lanes.lane ORDER BY {lane} LIMIT 1) FROM lanes "
        f"WHERE lanes.lane IS NOT NULL) SELECT lane, (SELECT next_attempt_at FROM {source} AND {lane} = lanes.lane "
        "ORDER BY next_attempt_at LIMIT 1) FROM lanes WHERE lane IS NOT NULL"
    )


PENDING_LANES = loose_scan(
    table="deliveries", lane="webhook_id", index="ix_deliveries_pending", pending="state = 0"
)
PENDING_LINES = loose_scan(table="outbox", lane="line_id", index="ix_outbox_pending", pending="state < 3")
