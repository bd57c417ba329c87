"""What the hot path must know of lines, bridges and webhooks, compiled once a revision.

A snapshot is immutable. The transaction that records events compares revisions, so a webhook that was
registered before an event is accepted always gets it, whichever process took the registration.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from hub.flow.repositories import Store
from hub.model.line import Bridge, Line
from hub.model.webhook import Webhook
from hub.rules.conditions import Condition, compile_condition
from hub.rules.matching import MatchTable, Subscription


class StaleDirectory(Exception):
    """The snapshot at hand is older than the database; load again and repeat the transaction."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """One revision of lines, bridges and webhooks, ready to be looked up."""

    revision: int
    lines_by_handle: Mapping[str, Line]
    lines_by_id: Mapping[int, Line]
    bridges_by_name: Mapping[str, Bridge]
    bridges_by_id: Mapping[int, Bridge]
    webhooks: Mapping[int, Webhook]
    table: MatchTable


def _condition(webhook: Webhook) -> Condition | None:
    if webhook.condition is None:
        return None
    compiled = compile_condition(msgspec.json.decode(webhook.condition))
    if isinstance(compiled, list):  # checked at registration; a row edited by hand must not match everything
        raise TypeError(f"webhook {webhook.id} has a condition that does not compile: {compiled[0]}")
    return compiled


def _subscription(webhook: Webhook) -> Subscription:
    return Subscription(
        webhook_id=webhook.id,
        line_id=webhook.line_id,
        patterns=webhook.patterns,
        condition=_condition(webhook),
        is_active=True,  # a disabled one matches too: what it misses is held for a replay
    )


def compile_directory(
    revision: int, *, lines: Sequence[Line], bridges: Sequence[Bridge], webhooks: Sequence[Webhook]
) -> Directory:
    """Build the look-up tables of one revision. Disabled webhooks match too: their deliveries are held."""
    return Directory(
        revision=revision,
        lines_by_handle=MappingProxyType({line.handle: line for line in lines}),
        lines_by_id=MappingProxyType({line.id: line for line in lines}),
        bridges_by_name=MappingProxyType({bridge.name: bridge for bridge in bridges}),
        bridges_by_id=MappingProxyType({bridge.id: bridge for bridge in bridges}),
        webhooks=MappingProxyType({webhook.id: webhook for webhook in webhooks}),
        table=MatchTable([_subscription(webhook) for webhook in webhooks]),
    )


async def load_directory(store: Store) -> Directory:
    """Read everything anew.

    The revision is read first: what changes during the reading makes the snapshot stale, never silently old.
    """
    revision = await store.hot.read(lambda tx: tx.revision())
    # In a thread: with 10,000 webhooks it takes some 0.3 s, and requests must go on meanwhile.
    return await asyncio.to_thread(
        compile_directory,
        revision,
        lines=await store.lines.all(),
        bridges=await store.bridges.all(),
        webhooks=await store.webhooks.all(),
    )


class DirectoryHolder:
    """The process's current snapshot."""

    def __init__(self, store: Store, first: Directory) -> None:
        self._store = store
        self.current = first
        self._loading = asyncio.Lock()

    async def refresh(self) -> Directory:
        """Load anew if the revision rose; callers at the same time share one load."""
        revision = await self._store.hot.read(lambda tx: tx.revision())
        if revision > self.current.revision:
            async with self._loading:
                if revision > self.current.revision:
                    self.current = await load_directory(self._store)
        return self.current

    async def reload(self) -> Directory:
        """Load anew whatever the revision: since when webhooks fail changes without one."""
        async with self._loading:
            self.current = await load_directory(self._store)
        return self.current
