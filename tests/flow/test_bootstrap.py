"""The first start makes a sandbox line; every later one finds it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.flow.bootstrap import SANDBOX_KIND, SandboxPlan, ensure_sandbox
from hub.model.line import Line
from hub.rules.signing import Secret
from tests.support.hub_world import SANDBOX_LINE, HubWorld, open_world
from tests.support.push_bridge import add_push_bridge


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


async def ensure(world: HubWorld, handle: str = SANDBOX_LINE) -> Line:
    return await ensure_sandbox(
        world.store,
        SandboxPlan(handle=handle, pace_ms=0),
        new_id=world.new_id,
        random_bytes=random.Random(1).randbytes,
        clock=world.clock,
    )


async def test_a_second_start_finds_what_the_first_made(world: HubWorld) -> None:
    before = (await world.store.bridges.all(), await world.store.lines.all())

    assert await ensure(world) == world.sandbox_line
    assert (await world.store.bridges.all(), await world.store.lines.all()) == before


async def test_another_number_in_the_settings_is_another_line_of_the_same_bridge(world: HubWorld) -> None:
    line = await ensure(world, "+15550100777")

    assert line.bridge_id == world.sandbox_line.bridge_id
    assert {SANDBOX_LINE, "+15550100777"} <= {each.handle for each in await world.store.lines.all()}
    kinds = [bridge.kind for bridge in await world.store.bridges.all()]
    assert kinds.count(SANDBOX_KIND) == 1


async def test_a_push_bridge_has_a_secret_that_signs_and_its_lines(world: HubWorld) -> None:
    bridge = await add_push_bridge(
        world.store,
        name="phone",
        handles=["+15550100801", "+15550100802"],
        new_id=world.new_id,
        random_bytes=random.Random(1).randbytes,
        clock=world.clock,
    )
    lines = [line for line in await world.store.lines.all() if line.bridge_id == bridge.id]

    assert Secret(bridge.secrets[0].text)
    assert [line.handle for line in lines] == ["+15550100801", "+15550100802"]
    assert all(line.is_contact_first for line in lines)
