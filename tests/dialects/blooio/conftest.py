"""A hub as a client of Blooio meets it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.dialects.blooio import DIALECT
from hub.flow.keys import KeyWish
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub with a sandbox line and a line on a push bridge that may only answer."""
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def key(world: HubWorld) -> str:
    """A key of the dialect, as a migrating customer would make it."""
    wish = KeyWish(name="blooio", scopes=DIALECT.scopes, dialect=DIALECT.name)
    return (await world.keys.create(wish)).text


@pytest.fixture
async def api(world: HubWorld, key: str) -> Caller:
    """A client with that key."""
    return world.api.with_token(key)


@pytest.fixture
async def worker(world: HubWorld) -> SandboxWorker:
    """Serves the sandbox line when a test says so; its bridge has said what it can do."""
    made = SandboxWorker(world)
    await made.tell_capabilities()
    return made


@pytest.fixture
async def both(world: HubWorld, key: str) -> Caller:
    """A client with both numbers."""
    return world.api.with_token(key)


@pytest.fixture
async def one(world: HubWorld) -> Caller:
    """A client with the sandbox's number alone: the other one, which may only answer, would be chosen before it."""
    wish = KeyWish(
        name="blooio",
        scopes=DIALECT.scopes,
        dialect=DIALECT.name,
        line_ids=frozenset({world.sandbox_line.id}),
    )
    return world.api.with_token((await world.keys.create(wish)).text)
