"""A webhook: a registered receiver of events."""

from __future__ import annotations

from dataclasses import dataclass, field

from hub.model.dialect import NATIVE


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredSecret:
    """A signing secret and how long it still signs."""

    text: str = field(repr=False)
    #: Unix ms; None while it is the current one.
    expires_at: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """A registered receiver: URL, secrets, event types and how to deliver."""

    id: int
    #: None for every line.
    line_id: int | None
    url: str
    #: Event types or wildcards such as `message.*`.
    patterns: tuple[str, ...]
    #: The condition document as JSON (hub.rules.conditions), or None.
    condition: str | None
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    #: Newest first.
    secrets: tuple[StoredSecret, ...] = field(repr=False)
    description: str | None
    is_active: bool
    disabled_reason: str | None
    disabled_at: int | None
    failing_since: int | None
    #: Seconds to wait after each failed attempt; None for the hub's default schedule.
    retry_schedule: tuple[float, ...] | None
    timeout_ms: int | None
    concurrency: int | None
    rate_per_second: int | None
    #: One at a time, in the order of the events; a failing event holds up the next.
    is_ordered: bool
    created_at: int
    updated_at: int
    #: In which form it gets events: the name of a dialect that has webhooks (hub.flow.webhook_forms).
    form: str = NATIVE
    #: A JSON object of its owner's, given back in reads.
    metadata: str | None = None
    #: Unix ms from which on it gets nothing; None for never.
    expires_at: int | None = None
