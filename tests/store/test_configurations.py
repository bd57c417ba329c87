"""What changed since a revision is told whole, in one snapshot, and costs what changed; on both databases."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from hub.flow.directory import Directory, DirectoryHolder, load_directory
from hub.flow.repositories import Store
from hub.model.key import ApiKey
from hub.rules.event_types import EVENT_TYPES
from hub.store.repositories import configurations
from tests.store.specimens import BRIDGE, LINE, WEBHOOK

KEY = ApiKey(
    id=1,
    name="mine",
    hint="hub_abc",
    scopes=frozenset({"admin"}),
    line_ids=None,
    requests_per_hour=None,
    created_at=1,
    expires_at=None,
    revoked_at=None,
)


async def test_only_what_changed_is_read(store: Store) -> None:
    """A change, a deletion and something new; not what stayed."""
    await store.bridges.add(BRIDGE)
    await store.bridges.add(replace(BRIDGE, id=2, name="other"))
    for number in (7, 8, 9):
        await store.webhooks.add(replace(WEBHOOK, id=number))
    before = (await store.configurations.read()).revision
    await store.webhooks.delete(7, at=5)
    await store.webhooks.save(replace(WEBHOOK, id=8, url="https://example.com/new"))
    await store.bridges.delete(2)
    await store.lines.add(LINE)
    found = await store.configurations.read(since=before)

    assert not found.is_whole
    assert found.revision == before + 4
    assert ([*found.webhooks], found.gone_webhooks) == (
        [replace(WEBHOOK, id=8, url="https://example.com/new")],
        frozenset({7}),
    )
    assert (len(found.bridges), found.gone_bridges) == (0, frozenset({2}))
    assert ([*found.lines], found.gone_lines) == ([LINE], frozenset())


async def test_nothing_changed_is_nothing_read(store: Store) -> None:
    """Keys raise the revision, too; they are in no directory."""
    await store.webhooks.add(WEBHOOK)
    before = (await store.configurations.read()).revision
    await store.keys.add(KEY, digest=b"d")
    found = await store.configurations.read(since=before)

    assert (found.revision, found.is_whole, [*found.webhooks]) == (before + 1, False, [])


async def test_a_change_of_a_change_is_told_once(store: Store) -> None:
    """As it is now."""
    await store.webhooks.add(WEBHOOK)
    await store.webhooks.disable(7, reason="410", at=60)
    found = await store.configurations.read(since=1)

    assert [each.is_active for each in found.webhooks] == [False]


async def test_very_many_changes_are_told_as_everything(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One statement names so many ids, and no more."""
    monkeypatch.setattr(configurations, "MOST_CHANGED", 2)
    await store.bridges.add(BRIDGE)
    before = (await store.configurations.read()).revision
    for number in (7, 8, 9):
        await store.webhooks.add(replace(WEBHOOK, id=number))

    assert not (await store.configurations.read(since=before + 1)).is_whole
    found = await store.configurations.read(since=before)
    assert (found.is_whole, len(found.webhooks), len(found.bridges)) == (True, 3, 1)


async def test_webhooks_that_fail_are_told_without_a_revision(store: Store) -> None:
    """Deleted ones fail no more."""
    for number in (7, 8, 9):
        await store.webhooks.add(replace(WEBHOOK, id=number))
    await store.hot.write(lambda tx: tx.mark_webhooks([(7, 42), (8, 43)], []))
    await store.webhooks.delete(8, at=50)

    assert await store.configurations.failing() == {7: 42}


# ---- the directory that is made out of what changed


class Walk:
    """Random changes of everything that a directory holds."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._chance = random.Random(seed)
        self._number = 0
        self._changes: list[Callable[[], Awaitable[Any]]] = [
            self._add_webhook,
            self._add_webhook,
            self._change_webhook,
            self._delete_webhook,
            self._disable_webhook,
            self._add_line,
            self._change_line,
            self._tell_capabilities,
            self._add_bridge,
            self._change_bridge,
            self._delete_bridge,
            self._add_key,
        ]

    async def step(self) -> None:
        """Change something."""
        self._number += 1
        await self._chance.choice(self._changes)()

    async def _add_webhook(self) -> None:
        await self._store.webhooks.add(self._shaped(replace(WEBHOOK, id=1000 + self._number)))

    async def _change_webhook(self) -> None:
        if found := await self._store.webhooks.all():
            await self._store.webhooks.save(self._shaped(self._chance.choice(found)))

    async def _delete_webhook(self) -> None:
        if found := await self._store.webhooks.all():
            await self._store.webhooks.delete(self._chance.choice(found).id, at=self._number)

    async def _disable_webhook(self) -> None:
        if found := await self._store.webhooks.all():
            await self._store.webhooks.disable(self._chance.choice(found).id, reason="410", at=self._number)

    def _shaped(self, webhook: Any) -> Any:
        return replace(
            webhook,
            line_id=self._chance.choice([None, 1, 2]),
            patterns=self._chance.choice([("*",), ("message.*", "message.sent"), ("reaction.added",)]),
            condition=self._chance.choice([None, '{"data.text":"STOP"}', '{"data.text":"GO"}']),
            is_active=self._chance.random() < 0.8,
        )

    async def _add_line(self) -> None:
        if found := await self._store.bridges.all():
            bridge = self._chance.choice(found)
            line = replace(LINE, id=self._number, bridge_id=bridge.id, handle=f"+1{self._number}")
            await self._store.lines.add(line)

    async def _change_line(self) -> None:
        if found := await self._store.lines.all():
            line = self._chance.choice(found)
            await self._store.lines.change(line.id, lambda line: replace(line, handle=f"+2{self._number}"))

    async def _tell_capabilities(self) -> None:
        if found := await self._store.lines.all():
            names = frozenset(self._chance.sample(["reactions", "edits"], 1))
            await self._store.lines.tell_capabilities(self._chance.choice(found).bridge_id, names)

    async def _add_bridge(self) -> None:
        await self._store.bridges.add(replace(BRIDGE, id=self._number, name=f"b{self._number}"))

    async def _change_bridge(self) -> None:
        if found := await self._store.bridges.all():
            bridge = self._chance.choice(found)
            await self._store.bridges.change(bridge.id, lambda each: replace(each, name=f"c{self._number}"))

    async def _delete_bridge(self) -> None:
        if found := await self._store.bridges.all():
            await self._store.bridges.delete(self._chance.choice(found).id)

    async def _add_key(self) -> None:
        await self._store.keys.add(replace(KEY, id=self._number), digest=b"%d" % self._number)


def described(directory: Directory) -> list[Any]:
    """Everything that a directory says."""
    asked = [(one.name, line_id) for one in EVENT_TYPES for line_id in (None, 1, 2, 3)]
    return [
        directory.revision,
        dict(directory.lines_by_handle),
        dict(directory.lines_by_id),
        dict(directory.bridges_by_name),
        dict(directory.bridges_by_id),
        dict(directory.webhooks),
        [directory.table.match(*what, {"data": {"text": "STOP"}}) for what in asked],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_a_directory_made_of_changes_is_the_one_loaded_anew(store: Store, seed: int) -> None:
    """Whatever changes, whether a process looks after each change or seldom."""
    walk = Walk(store, seed)
    often, seldom = [DirectoryHolder(store, await load_directory(store)) for _ in range(2)]
    watched, was = often.watch_webhooks(), dict(often.current.webhooks)
    for number in range(1, 41):
        await walk.step()
        await often.refresh()
        if number % 7 == 0:
            assert described(await seldom.refresh()) == described(often.current)

    now = often.current.webhooks
    assert described(often.current) == described(await load_directory(store))
    assert watched >= {each for each in was.keys() | now.keys() if was.get(each) != now.get(each)}


async def test_what_was_registered_is_seen_by_the_next_refresh(store: Store) -> None:
    """Many register and refresh at once; nobody who was answered is missed."""
    holder = DirectoryHolder(store, await load_directory(store))

    async def register(number: int) -> bool:
        await store.webhooks.add(replace(WEBHOOK, id=number))
        directory = await holder.refresh()
        return number in directory.table.match("message.received", None, {}) and number in directory.webhooks

    assert all(await asyncio.gather(*(register(number) for number in range(30))))
    assert described(holder.current) == described(await load_directory(store))
