"""The tables, once, for SQLite and PostgreSQL.

Migrations create them; a test proves that both say the same. Instants are integer Unix milliseconds UTC, ids are
time-ordered 63-bit integers (hub.model.ids), JSON is text because it is written once and read whole.
Deliveries and outbox items hold their own due time: a crash at any point leaves a row that comes due.
"""

from __future__ import annotations

from hub.store.schema.agents import bridge_agents, bridge_call_pieces, bridge_calls
from hub.store.schema.ai import ai_usage
from hub.store.schema.bulk import bulk_jobs, bulk_recipients
from hub.store.schema.chats import chat_members, contact_cards, places, poll_votes, polls
from hub.store.schema.columns import metadata
from hub.store.schema.configuration import (
    api_keys,
    bridges,
    configuration_changes,
    enrolments,
    lines,
    processes,
    revisions,
    shards,
    webhooks,
)
from hub.store.schema.connections import connection_states
from hub.store.schema.contacts import (
    availability,
    contact_group_members,
    contact_groups,
    contact_handles,
    contact_tags,
    contacts,
)
from hub.store.schema.conversations import (
    chats,
    events,
    message_pieces,
    messages,
    raw_payloads,
    reactions,
)
from hub.store.schema.files import blobs, file_uses, files
from hub.store.schema.refused import refused_payloads
from hub.store.schema.routes import (
    route_marks,
    route_revisions,
    route_state,
    routes,
    run_steps,
    run_waits,
    runs,
    triages,
)
from hub.store.schema.safety import consent_log, consents, line_counts, line_days, line_health, openings
from hub.store.schema.sandbox import sandbox_memory, sandbox_sends
from hub.store.schema.sources import source_memory, source_rejections
from hub.store.schema.work import attempts, deliveries, idempotency_keys, jobs, outbox

__all__ = [
    "ai_usage",
    "api_keys",
    "attempts",
    "availability",
    "blobs",
    "bridge_agents",
    "bridge_call_pieces",
    "bridge_calls",
    "bridges",
    "bulk_jobs",
    "bulk_recipients",
    "chat_members",
    "chats",
    "configuration_changes",
    "connection_states",
    "consent_log",
    "consents",
    "contact_cards",
    "contact_group_members",
    "contact_groups",
    "contact_handles",
    "contact_tags",
    "contacts",
    "deliveries",
    "enrolments",
    "events",
    "file_uses",
    "files",
    "idempotency_keys",
    "jobs",
    "line_counts",
    "line_days",
    "line_health",
    "lines",
    "message_pieces",
    "messages",
    "metadata",
    "openings",
    "outbox",
    "places",
    "poll_votes",
    "polls",
    "processes",
    "raw_payloads",
    "reactions",
    "refused_payloads",
    "revisions",
    "route_marks",
    "route_revisions",
    "route_state",
    "routes",
    "run_steps",
    "run_waits",
    "runs",
    "sandbox_memory",
    "sandbox_sends",
    "shards",
    "source_memory",
    "source_rejections",
    "triages",
    "webhooks",
]
