"""What the hot path must know of lines, bridges and webhooks, compiled.

A snapshot is immutable. The transaction that records events compares revisions, so a webhook that was
registered before an event is accepted always gets it, whichever process took the registration. The next snapshot is
made out of the last one and what changed since: a change costs the same however many webhooks there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter
from types import MappingProxyType
from typing import Protocol, TypeVar

import msgspec

from hub.flow.configuration import Configuration
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
    lines_by_handle: MappingProxyType[str, Line]
    lines_by_id: MappingProxyType[int, Line]
    bridges_by_name: MappingProxyType[str, Bridge]
    bridges_by_id: MappingProxyType[int, Bridge]
    webhooks: MappingProxyType[int, Webhook]
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


def advance(before: Directory, found: Configuration) -> Directory:
    """Give the directory of another revision; at the cost of what changed, unless everything was read."""
    if found.is_whole:
        return compile_directory(
            found.revision, lines=found.lines, bridges=found.bridges, webhooks=found.webhooks
        )
    lines, handles = before.lines_by_id, before.lines_by_handle
    bridges, names = before.bridges_by_id, before.bridges_by_name
    webhooks, table = before.webhooks, before.table
    if found.lines or found.gone_lines:
        handles = _renamed(handles, lines, found.gone_lines, found.lines, name=_handle)
        lines = _updated(lines, found.gone_lines, found.lines)
    if found.bridges or found.gone_bridges:
        names = _renamed(names, bridges, found.gone_bridges, found.bridges, name=_name)
        bridges = _updated(bridges, found.gone_bridges, found.bridges)
    if found.webhooks or found.gone_webhooks:
        webhooks = _updated(webhooks, found.gone_webhooks, found.webhooks)
        table = table.changed(found.gone_webhooks, [_subscription(each) for each in found.webhooks])
    return Directory(
        revision=found.revision,
        lines_by_handle=handles,
        lines_by_id=lines,
        bridges_by_name=names,
        bridges_by_id=bridges,
        webhooks=webhooks,
        table=table,
    )


class _Numbered(Protocol):
    @property
    def id(self) -> int: ...


_Noun = TypeVar("_Noun", bound=_Numbered)


_handle: Callable[[Line], str] = attrgetter("handle")
_name: Callable[[Bridge], str] = attrgetter("name")


def _updated(
    before: MappingProxyType[int, _Noun], gone: Iterable[int], now: Iterable[_Noun]
) -> MappingProxyType[int, _Noun]:
    after = before.copy()
    for number in gone:
        after.pop(number, None)
    after.update((each.id, each) for each in now)
    return MappingProxyType(after)


def _renamed(
    before: MappingProxyType[str, _Noun],
    by_id: Mapping[int, _Noun],
    gone: Iterable[int],
    now: Sequence[_Noun],
    *,
    name: Callable[[_Noun], str],
) -> MappingProxyType[str, _Noun]:
    after = before.copy()
    for number in (*gone, *(each.id for each in now)):
        if number in by_id:
            after.pop(name(by_id[number]), None)  # before any is added: two may have changed names
    after.update((name(each), each) for each in now)
    return MappingProxyType(after)


async def load_directory(store: Store) -> Directory:
    """Read everything."""
    found = await store.configurations.read()
    # In a thread: with 10,000 webhooks it takes a moment, and requests must go on meanwhile.
    return await asyncio.to_thread(
        compile_directory,
        found.revision,
        lines=found.lines,
        bridges=found.bridges,
        webhooks=found.webhooks,
    )


class DirectoryHolder:
    """The process's current snapshot."""

    def __init__(self, store: Store, first: Directory) -> None:
        self._store = store
        self.current = first
        self._loading = asyncio.Lock()
        self._watchers: list[set[int]] = []

    def watch_webhooks(self) -> set[int]:
        """Give a set that from now on gets the id of each webhook that changes; whoever asked for it empties it."""
        changed: set[int] = set()
        self._watchers.append(changed)
        return changed

    async def refresh(self) -> Directory:
        """Take over what changed if the revision rose; callers at the same time share one reading."""
        revision = await self._store.hot.read(lambda tx: tx.revision())
        if revision > self.current.revision:
            async with self._loading:
                if revision > self.current.revision:
                    await self._advance()
        return self.current

    async def reload(self) -> Directory:
        """Take over what changed, and also since when webhooks fail, which changes without a revision."""
        async with self._loading:
            await self._advance()
            failing, webhooks = await self._store.configurations.failing(), self.current.webhooks
            moved = [
                replace(each, failing_since=failing.get(each.id))
                for each in webhooks.values()
                if each.failing_since != failing.get(each.id)
            ]
            if moved:
                self._take(replace(self.current, webhooks=_updated(webhooks, (), moved)), _ids(moved))
        return self.current

    async def _advance(self) -> None:
        before = self.current
        found = await self._store.configurations.read(since=before.revision)
        if found.is_whole:
            after = await asyncio.to_thread(advance, before, found)
            self._take(after, before.webhooks.keys() | after.webhooks.keys())
        else:
            self._take(advance(before, found), found.gone_webhooks | _ids(found.webhooks))

    def _take(self, directory: Directory, changed: Iterable[int]) -> None:
        self.current = directory
        for watcher in self._watchers:
            watcher.update(changed)


def _ids(webhooks: Iterable[Webhook]) -> frozenset[int]:
    return frozenset(each.id for each in webhooks)
