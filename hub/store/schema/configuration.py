"""What the hub is made of: processes and their shards, bridges, lines, webhooks and API keys."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, Table, Text

from hub.store.schema.columns import Key, instant, key, metadata

#: One row; its version rises with every change of lines, bridges, webhooks or keys, so that each process
#: knows within the transaction at hand that its compiled tables are stale.
revisions = Table(
    "revisions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

#: For each thing that was ever added, changed or deleted, the revision that its last change raised: a process whose
#: tables are stale reads again what changed, not everything.
configuration_changes = Table(
    "configuration_changes",
    metadata,
    #: Its table; `*` when everything may have changed.
    Column("noun", Text, primary_key=True),
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("revision", BigInteger, nullable=False),
    Index(None, "revision"),
)

#: Running processes. A node number makes ids unique across processes.
processes = Table(
    "processes",
    metadata,
    Column("node", SmallInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    instant("started_at", nullable=False),
    instant("seen_at", nullable=False),
)

#: Which worker drains which share of the lanes. The lease is renewed by heartbeat; epoch fences a stalled owner.
shards = Table(
    "shards",
    metadata,
    Column("shard", SmallInteger, primary_key=True, autoincrement=False),
    Column("owner", Text, nullable=False),
    instant("lease_until", nullable=False),
    Column("epoch", BigInteger, nullable=False),
)

bridges = Table(
    "bridges",
    metadata,
    key(),
    Column("name", Text, nullable=False, unique=True),
    Column("kind", Text, nullable=False),
    #: Sealed JSON: [{"secret": "whsec_…", "expires_at": ms | null}, …], newest first.
    Column("secrets", LargeBinary, nullable=False),
    Column("cursor", Text),
    Column("is_enabled", SmallInteger, nullable=False),
    instant("created_at", nullable=False),
    #: JSON of hub.model.enrolment.BridgeSystem.
    Column("system", Text),
    #: When it last spoke, to the minute; raises no revision.
    instant("heard_at"),
    #: Sealed JSON: the settings of its adapter, secrets among them.
    Column("settings", LargeBinary),
    #: The kind of its agent, if one ever asked for work (hub.store.schema.agents).
    Column("agent", Text),
)

#: Permissions for machines to become bridges, each once.
enrolments = Table(
    "enrolments",
    metadata,
    key(),
    #: SHA-256 of the letters of its token.
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("name", Text),
    Column("bridge_id", Key),
    instant("created_at", nullable=False),
    instant("expires_at", nullable=False),
    instant("redeemed_at"),
)

lines = Table(
    "lines",
    metadata,
    key(),
    Column("bridge_id", Key, ForeignKey("bridges.id"), nullable=False),
    Column("handle", Text, nullable=False, unique=True),
    Column("label", Text),
    Column("service", Text, nullable=False),
    Column("is_active", SmallInteger, nullable=False),
    #: Whether a contact must have written first (contracts: messages.dev §4).
    Column("is_contact_first", SmallInteger, nullable=False),
    Column("pace_ms", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_reason", Text),
    instant("created_at", nullable=False),
    #: JSON list of what the line's bridge can do (hub.model.capability), as it last told; null before it did.
    Column("capabilities", Text),
    #: JSON list of what the operator switched off.
    Column("capabilities_off", Text, nullable=False, server_default="[]"),
    #: JSON of the line's own settings of safety (hub.model.line_safety).
    Column("safety", Text, nullable=False, server_default="{}"),
    #: The bridge that sends as SMS what the first one's network cannot reach.
    Column("fallback_bridge_id", Key),
)

webhooks = Table(
    "webhooks",
    metadata,
    key(),
    Column("line_id", Key),
    Column("url", Text, nullable=False),
    Column("patterns", Text, nullable=False),
    Column("condition", Text),
    #: Sealed JSON: [[name, value], …].
    Column("headers", LargeBinary),
    #: Sealed JSON as in bridges.secrets.
    Column("secrets", LargeBinary, nullable=False),
    Column("description", Text),
    Column("is_active", SmallInteger, nullable=False),
    Column("disabled_reason", Text),
    instant("disabled_at"),
    #: When the present run of failures began; null after a success.
    instant("failing_since"),
    #: JSON list of seconds, or null for the default schedule.
    Column("retry_schedule", Text),
    Column("timeout_ms", Integer),
    Column("concurrency", Integer),
    Column("rate_per_second", Integer),
    Column("is_ordered", SmallInteger, nullable=False),
    instant("created_at", nullable=False),
    instant("updated_at", nullable=False),
    instant("deleted_at"),
    #: In which form it gets events (hub.flow.webhook_forms).
    Column("form", Text, nullable=False, server_default="native"),
    #: JSON object of its owner's.
    Column("metadata", Text),
    instant("expires_at"),
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    Column("name", Text, nullable=False),
    #: SHA-256 of the whole key; a key has 160 random bits, so a slow hash adds nothing.
    Column("hash", LargeBinary, nullable=False, unique=True),
    Column("hint", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    #: JSON list of line ids; null for every line.
    Column("line_ids", Text),
    Column("requests_per_hour", Integer),
    instant("created_at", nullable=False),
    instant("expires_at"),
    instant("revoked_at"),
    #: Which wire its owner's client speaks (hub.model.dialect).
    Column("dialect", Text, nullable=False, server_default="native"),
)
