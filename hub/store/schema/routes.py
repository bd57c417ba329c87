"""Routes with their revisions, what was decided for events, and runs with the results of their steps (decision 20)."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)

from hub.store.schema.columns import Key, instant, key, metadata

routes = Table(
    "routes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    Column("revision_id", Key, nullable=False),
    Column("file", Text),
    Column("line", Integer),
    #: Events at or below this position are not for it.
    Column("since_position", BigInteger, nullable=False),
    instant("changed_at", nullable=False),
    instant("retired_at"),
)

#: Never changed; one goes when its route does not stand at it and no run has it.
route_revisions = Table(
    "route_revisions",
    metadata,
    key(),
    Column("route_id", Text, nullable=False),
    #: JSON: a document of this one route with its defaults.
    Column("source", Text, nullable=False),
    instant("created_at", nullable=False),
    Index(None, "route_id", "id"),
)

#: One row: up to where events were looked at, and the version of the routes.
route_state = Table(
    "route_state",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
)

triages = Table(
    "triages",
    metadata,
    Column("event_id", Key, primary_key=True, autoincrement=False),
    instant("decided_at", nullable=False),
    Column("context", Text, nullable=False),
    #: JSON list of hub.model.run.Decided.
    Column("decided", Text, nullable=False),
)

#: state: hub.model.run.RunState.
runs = Table(
    "runs",
    metadata,
    key(),
    Column("route_id", Text, nullable=False),
    Column("revision_id", Key, nullable=False),
    Column("event_id", Key),
    Column("state", SmallInteger, nullable=False),
    Column("shard", SmallInteger, nullable=False),
    Column("lane", BigInteger),
    Column("lane_limit", SmallInteger, nullable=False),
    instant("next_at", nullable=False),
    Column("version", Integer, nullable=False),
    instant("created_at", nullable=False),
    instant("finished_at"),
    Column("facts", Text, nullable=False),
    Column("is_shadow", SmallInteger, nullable=False),
    Column("hops", SmallInteger, nullable=False),
    Column("reason", Text),
    Column("error_class", Text),
    Column("failed_path", Text),
    Column("warnings", Integer, nullable=False),
    Column("origin_run_id", Key),
    #: The run under whose keys its steps ask; null: its own.
    Column("key_run_id", Key),
    Index(
        "ix_runs_due",
        "shard",
        "next_at",
        "id",
        sqlite_where=text("state = 0"),
        postgresql_where=text("state = 0"),
    ),
    Index(
        "ix_runs_lane",
        "lane",
        "state",
        "id",
        sqlite_where=text("state < 2 AND lane IS NOT NULL"),
        postgresql_where=text("state < 2 AND lane IS NOT NULL"),
    ),
    Index(None, "route_id", "id"),
    Index(None, "route_id", "state", "id"),
    Index(None, "event_id", "route_id"),
    Index(None, "state", "id"),
    Index(
        "ix_runs_origin",
        "origin_run_id",
        "id",
        sqlite_where=text("origin_run_id IS NOT NULL"),
        postgresql_where=text("origin_run_id IS NOT NULL"),
    ),
    Index(
        "ix_runs_keys",
        "key_run_id",
        sqlite_where=text("key_run_id IS NOT NULL"),
        postgresql_where=text("key_run_id IS NOT NULL"),
    ),
    #: Those of which what they knew is still kept.
    Index(
        "ix_runs_payload",
        "route_id",
        "id",
        sqlite_where=text("facts <> ''"),
        postgresql_where=text("facts <> ''"),
    ),
)

run_steps = Table(
    "run_steps",
    metadata,
    Column("run_id", Key, nullable=False),
    Column("path", Text, nullable=False),
    Column("status", Text, nullable=False),
    #: JSON: hub.rules.runs.results.StepResult.
    Column("result", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "path"),
    sqlite_with_rowid=False,
)

#: Which runs listen, and for what: found again by the type of an event.
run_waits = Table(
    "run_waits",
    metadata,
    Column("run_id", Key, nullable=False),
    Column("path", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    #: Only events of this chat, or below 0 of this person (hub.rules.runs.listening); 0 for all.
    Column("chat_id", Key, nullable=False),
    PrimaryKeyConstraint("event_type", "chat_id", "run_id", "path"),
    Index(None, "run_id"),
    sqlite_with_rowid=False,
)

#: What routes remember of keys. kind: `dedupe`, `throttle`, `debounce`.
route_marks = Table(
    "route_marks",
    metadata,
    Column("kind", Text, nullable=False),
    Column("key", LargeBinary, nullable=False),
    #: From when on it means nothing any more.
    instant("until", nullable=False),
    #: Of a throttle: runs in this window; the window begins `until` minus its length.
    Column("count", Integer, nullable=False),
    #: Of a debounce and a throttle with `last`: the run that events join.
    Column("run_id", Key),
    PrimaryKeyConstraint("kind", "key"),
    Index(None, "until"),
    sqlite_with_rowid=False,
)
