"""The snapshot of lines, bridges and webhooks: loaded once for many, anew when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.flow.directory import DirectoryHolder, compile_directory, load_directory
from hub.model.ids import Prefix, parse_id
from tests.support.hub_world import HubWorld, open_world
from tests.support.webhooks import a_webhook


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def test_lines_and_bridges_are_found_by_name_and_id(world: HubWorld) -> None:
    directory = await load_directory(world.store)
    line = world.sandbox_line

    assert directory.lines_by_handle[line.handle] == directory.lines_by_id[line.id] == line
    assert directory.bridges_by_id[line.bridge_id] == directory.bridges_by_name["sandbox"]


async def test_nothing_new_is_the_same_snapshot(world: HubWorld) -> None:
    before = await world.directory.refresh()

    assert await world.directory.refresh() is before


async def test_a_change_is_seen_by_the_next_refresh(world: HubWorld) -> None:
    holder = DirectoryHolder(world.store, await load_directory(world.store))
    answer = await world.webhook()
    directory = await holder.refresh()

    assert parse_id(Prefix.WEBHOOK, answer["id"]) in directory.webhooks
    assert holder.current is directory


async def test_many_who_refresh_at_once_get_one_snapshot(world: HubWorld) -> None:
    holder = DirectoryHolder(world.store, await load_directory(world.store))
    await world.webhook()
    found = await asyncio.gather(*(holder.refresh() for _ in range(10)))

    assert len({id(directory) for directory in found}) == 1


async def test_reload_sees_what_no_revision_tells(world: HubWorld) -> None:
    answer = await world.webhook()
    webhook_id = parse_id(Prefix.WEBHOOK, answer["id"])
    await world.directory.refresh()
    await world.store.hot.write(lambda tx: tx.mark_webhooks([(webhook_id, 42)], []))
    refreshed = await world.directory.refresh()
    reloaded = await world.directory.reload()

    assert refreshed.webhooks[webhook_id].failing_since is None
    assert reloaded.webhooks[webhook_id].failing_since == 42


def test_a_disabled_webhook_matches_too() -> None:
    webhook = a_webhook(is_active=False)
    directory = compile_directory(1, lines=[], bridges=[], webhooks=[webhook])

    assert list(directory.table.match("message.received", None, dict)) == [webhook.id]


def test_a_condition_that_does_not_compile_matches_nothing_by_failing() -> None:
    broken = replace(a_webhook(), condition="5")
    with pytest.raises(TypeError, match="does not compile"):
        compile_directory(1, lines=[], bridges=[], webhooks=[broken])
