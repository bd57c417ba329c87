"""The hot statements of PostgreSQL: a batch is one statement over arrays, so it stays prepared at any size."""

# ruff: noqa: S608 - the statements are put together from constants of ours; values are always bound.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import Table, make_url

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
from hub.store import merging, schema

_DIALECT = make_url("postgresql+asyncpg://").get_dialect()()
_NOTHING = "ON CONFLICT DO NOTHING"


def _arrays(table: Table, columns: Sequence[str], *, first: int = 1) -> str:
    types = [table.c[name].type.compile(dialect=_DIALECT) for name in columns]
    return ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=first))


def _insert(
    table: Table,
    columns: Sequence[str],
    tail: str,
    *,
    constants: Sequence[tuple[str, int]] = (),
    first: int = 1,
) -> str:
    names = ", ".join([*columns, *(name for name, _ in constants)])
    values = ", ".join(["new.*", *(str(value) for _, value in constants)])
    new = f"unnest({_arrays(table, columns, first=first)}) AS new ({', '.join(columns)})"
    return f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {new} {tail}"


def _update(
    table: Table,
    columns: Sequence[str],
    where: str,
    *,
    more: str = "",
    more_name: str = "",
    merged: Mapping[str, str] = MappingProxyType({}),
    first: int = 1,
) -> str:
    values = {name: f"new.{name}" for name in columns if name != "id"} | {**merged}
    sets = ", ".join(f"{name} = {value}" for name, value in values.items())
    names = ", ".join([*columns, *([more_name] if more_name else [])])
    arrays = _arrays(table, columns, first=first)
    arrays += f", ${first + len(columns)}::{more}[]" if more else ""
    new = f"unnest({arrays}) AS new ({names})"
    return f"UPDATE {table.name} AS old SET {sets} FROM {new} WHERE old.id = new.id AND {where}"


def _returning(fields: Sequence[str]) -> str:
    return f"RETURNING {', '.join(fields)}"


INSERT_RAW = _insert(schema.raw_payloads, RawRow._fields, f"{_NOTHING} RETURNING id")
MERGE_CHATS = _insert(
    schema.chats, ChatRow._fields, f"{merging.merge_chats(merging.POSTGRES)} {_returning(ChatRow._fields)}"
)
MERGE_MESSAGES = _insert(
    schema.messages,
    SnapshotRow._fields,
    f"{merging.merge_messages(merging.POSTGRES)} {_returning(SnapshotRow._fields)}",
)
MERGE_OWN_MESSAGES = _insert(
    schema.messages,
    MessageRow._fields,
    f"{merging.merge_own_messages(merging.POSTGRES)} {_returning(MessageRow._fields)}",
)
READ_MESSAGES_BY_ID = (
    f"SELECT {', '.join(MessageRow._fields)} FROM messages WHERE id = ANY($1::bigint[]) ORDER BY id"
)
MESSAGES_BY_ID = f"{READ_MESSAGES_BY_ID} FOR UPDATE"
SAVE_MESSAGES = _update(schema.messages, MessageRow._fields, "true")
DELETE_MESSAGES = "DELETE FROM messages WHERE id = ANY($1::bigint[])"
MERGE_REACTIONS = _insert(schema.reactions, ReactionRow._fields, merging.merge_reactions(merging.POSTGRES))
_EVENT_COUNT = len(EventRow._fields)
_OWED = _insert(
    schema.deliveries,
    DeliveryRow._fields,
    f"WHERE new.event_id IN (SELECT id FROM inserted) {_NOTHING}",
    constants=(("attempt_count", 0),),
    first=_EVENT_COUNT + 3,
)
#: Events, and deliveries of those that are new, with the revision they were recorded at.
#: The lock (its key is any number) is held until others see the commit, so that positions rise in the order of the
#: commits. The sequence tells the newest position whatever this statement's snapshot can see of the events.
#: After the events come the lowest and the highest id of the batch, then the deliveries.
RECORD = (
    f"WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock({0x48_75_62_00_03})), "
    "taken AS MATERIALIZED (SELECT greatest(0, nextval('event_positions') - "
    f"${_EVENT_COUNT + 1}::bigint) AS shift FROM held), "
    "placed AS MATERIALIZED (SELECT shift, setval('event_positions', "
    f"${_EVENT_COUNT + 2}::bigint + shift) FROM taken), "
    f"inserted AS (INSERT INTO events ({', '.join(EventRow._fields)}, position) SELECT new.*, new.id + placed.shift "
    f"FROM placed CROSS JOIN unnest({_arrays(schema.events, EventRow._fields)}) "
    f"AS new ({', '.join(EventRow._fields)}) {_NOTHING} RETURNING id), owed AS ({_OWED}) "
    "SELECT (SELECT version FROM revisions WHERE name = 'configuration'), ARRAY(SELECT id FROM inserted)"
)
INSERT_DELIVERIES = _insert(
    schema.deliveries, DeliveryRow._fields, _NOTHING, constants=(("attempt_count", 0),)
)
#: Attempts and the moves that follow from them, in one statement: it is all that most transactions of workers do.
FINISH_DELIVERIES = f"WITH recorded AS ({_insert(schema.attempts, AttemptRow._fields, _NOTHING)}) " + _update(
    schema.deliveries, FinishRow._fields, "old.state = 0", first=len(AttemptRow._fields) + 1
)
MARK_FAILING = _update(schema.webhooks, ("id", "failing_since"), "old.failing_since IS NULL")
MARK_RECOVERED = (
    "UPDATE webhooks SET failing_since = NULL WHERE failing_since IS NOT NULL AND id = ANY($1::bigint[])"
)
INSERT_IDEMPOTENCY = _insert(
    schema.idempotency_keys, IdempotencyRow._fields, f"{_NOTHING} RETURNING scope, key"
)
SELECT_IDEMPOTENCY = (
    f"SELECT {', '.join(IdempotencyRow._fields)} FROM idempotency_keys "
    "WHERE (scope, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
)
FORGET_IDEMPOTENCY = (
    "DELETE FROM idempotency_keys WHERE (scope, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))"
)
INSERT_OUTBOX = _insert(
    schema.outbox, OutboxRow._fields, _NOTHING, constants=(("state", 0), ("attempt_count", 0))
)
#: `sources` is a mask of the states that the item may leave for the new one. What an earlier attempt has to say does
#: not count any more, and an item that was read before another attempt is not handed over.
UPDATE_OUTBOX = (
    _update(
        schema.outbox,
        OutboxUpdate._fields,
        "(new.sources >> old.state) & 1 = 1 AND old.attempt_count <= new.attempt_count - (new.state = 1)::integer",
        more="integer",
        more_name="sources",
        merged={
            "parts_done": "greatest(old.parts_done, new.parts_done)",
            "result": "coalesce(new.result, old.result)",
        },
    )
    + " RETURNING old.id"
)
#: The items that already stand exactly so: moved by an earlier run of the same work.
ALREADY_MOVED = (
    f"SELECT old.id FROM outbox AS old JOIN unnest({_arrays(schema.outbox, OutboxUpdate._fields)}) "
    f"AS new ({', '.join(OutboxUpdate._fields)}) ON old.id = new.id WHERE "
    + " AND ".join(
        f"old.{name} IS NOT DISTINCT FROM new.{name}"
        for name in OutboxUpdate._fields
        if name not in {"id", "parts_done", "result"}
    )
)
REVISION = "SELECT version FROM revisions WHERE name = 'configuration'"
PRESENT_EVENTS = "SELECT id FROM events WHERE id = ANY($1::bigint[])"
PRESENT_RAW = "SELECT id FROM raw_payloads WHERE id = ANY($1::bigint[])"

_DUE = "lane.id, lane.event_id, lane.webhook_id, lane.attempt_count, e.type, e.data, lane.replay_count"
_LANE = "SELECT id, event_id, webhook_id, attempt_count, next_attempt_at, replay_count FROM deliveries WHERE state = 0"
_EVENTS = "JOIN events AS e ON e.id = lane.event_id"

#: `+ 0` hides the conditions of the partial index: without statistics (a young table) the planner would rather walk
#: and sort the whole backlog than read the range of keys.
DELIVERIES_BETWEEN = (
    f"SELECT {_DUE} FROM (SELECT * FROM deliveries WHERE id BETWEEN $1 AND $2 AND state + 0 = 0 "
    "AND attempt_count = 0 AND shard + 0 = ANY($3::integer[]) ORDER BY id LIMIT $4) "
    f"AS lane {_EVENTS} ORDER BY lane.id"
)
DUE_DELIVERIES = (
    f"SELECT {_DUE} FROM ({_LANE} AND webhook_id = $1 AND shard = $2 AND next_attempt_at <= $3 "
    f"ORDER BY next_attempt_at, id LIMIT $4) AS lane {_EVENTS} ORDER BY lane.next_attempt_at, lane.id"
)
#: `id + 0`: ordered by the plain id, the planner would walk all of history by the primary key to find a short lane.
ORDERED_DELIVERIES = (
    f"SELECT lane.next_attempt_at, {_DUE} FROM (SELECT * FROM deliveries WHERE id IN (SELECT id FROM deliveries "
    "WHERE state = 0 AND webhook_id = $1 AND shard = $2 ORDER BY id + 0 LIMIT $3)) "
    f"AS lane {_EVENTS} ORDER BY lane.id"
)
OUTBOX_CLAIMS = (
    f"SELECT {merging.CLAIM_COLUMNS} FROM outbox AS o LEFT JOIN messages AS m ON m.id = o.message_id "
    "WHERE o.id = ANY($1::bigint[])"
)
GUIDS_OF_OTHERS = (
    "SELECT guid FROM messages WHERE line_id = $1 AND sent_at >= $2 AND is_from_me = 1 AND outbox_id <> $3 "
    "ORDER BY sent_at DESC, id DESC LIMIT $4"
)
OUTBOX_SET = "SELECT id FROM outbox WHERE set_id = $1 AND state = 0 ORDER BY id"
CANCEL_OUTBOX = (
    "UPDATE outbox SET state = 5, completed_at = $2 WHERE id = ANY($1::bigint[]) AND state = 0 RETURNING id"
)
MOVE_OPERATIONS = (
    "UPDATE outbox AS old SET placeholder_id = new.id, message_id = new.message_id "
    "FROM unnest($1::bigint[], $2::bigint[]) AS new (id, message_id) WHERE old.message_id = new.id"
)
READ_MESSAGE_OPERATIONS = (
    f"SELECT {', '.join(OperationRow._fields)} FROM outbox WHERE message_id = ANY($1::bigint[]) ORDER BY id"
)
MESSAGE_OPERATIONS = f"{READ_MESSAGE_OPERATIONS} FOR UPDATE"
#: 4 is FAILED, 3 SENT (hub.model.outbox).
PROVE_OUTBOX = (
    "UPDATE outbox AS old SET state = 3, error = NULL, provider_id = new.provider_id "
    "FROM unnest($1::bigint[], $2::text[]) AS new (id, provider_id) "
    "WHERE old.id = new.id AND old.state = 4 AND old.error LIKE 'delivery_unknown:%'"
)
MARK_EVIDENCE = _update(schema.outbox, ("id", "evidence_key"), "true")
_DUE_OUTBOX = ", ".join(DueOutbox._fields)
_STARTED = "FROM outbox WHERE state < 3 AND attempt_count > 0 AND line_id = $1 AND shard = $2"
_WAITING = "FROM outbox WHERE state < 3 AND attempt_count = 0 AND line_id = $1 AND shard = $2"
_TOP_FIRST = "ORDER BY shard DESC, line_id DESC, priority DESC LIMIT 1"
#: One seek a priority, whatever waits behind its first one. BETWEEN, because with `=` the planner leaves the priority
#: out of the order and walks all that is due by the other index.
DUE_OUTBOX = (
    f"WITH RECURSIVE priorities(value) AS ((SELECT priority {_WAITING} {_TOP_FIRST}) UNION ALL "
    f"SELECT (SELECT priority {_WAITING} AND priority < priorities.value {_TOP_FIRST}) FROM priorities "
    "WHERE priorities.value IS NOT NULL) "
    f"(SELECT {_DUE_OUTBOX} {_STARTED} ORDER BY shard, line_id, id LIMIT $3) UNION ALL "
    f"SELECT first.* FROM priorities CROSS JOIN LATERAL (SELECT {_DUE_OUTBOX} {_WAITING} "
    "AND priority BETWEEN priorities.value AND priorities.value "
    "ORDER BY shard, line_id, priority, next_attempt_at, id LIMIT 1) AS first"
)


def loose_scan(*, table: str, lane: str, pending: str) -> str:
    """Find each lane of a shard by one seek into the index, however long the lane's backlog is."""
    source = f"{table} WHERE {pending} AND shard = $1"
    return (
        f"WITH RECURSIVE lanes(lane) AS ((SELECT {lane} FROM {source} ORDER BY shard, {lane} LIMIT 1) UNION ALL "
        f"SELECT (SELECT {lane} FROM {source} AND {lane} > lanes.lane ORDER BY shard, {lane} LIMIT 1) FROM lanes "
        f"WHERE lanes.lane IS NOT NULL) SELECT lane, (SELECT next_attempt_at FROM {source} AND {lane} = lanes.lane "
        f"ORDER BY shard, {lane}, next_attempt_at LIMIT 1) FROM lanes WHERE lane IS NOT NULL"
    )


PENDING_LANES = loose_scan(table="deliveries", lane="webhook_id", pending="state = 0")
PENDING_LINES = loose_scan(table="outbox", lane="line_id", pending="state < 3")
