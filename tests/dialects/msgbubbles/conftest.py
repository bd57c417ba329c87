"""A hub, a worker for its sandbox line, and a client with a MsgBubbles key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.dialects.msgbubbles.bubbles import a_client
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub with a sandbox line, a line on a push bridge, and an admin key of the native dialect."""
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
async def worker(world: HubWorld) -> SandboxWorker:
    """Performs what is owed whenever somebody waits for it; nothing else happens by itself."""
    worker = SandboxWorker(world)
    await worker.tell_capabilities()
    worker.attend()
    return worker


@pytest.fixture
async def client(world: HubWorld) -> Caller:
    """A client whose key may do all that the vendor's can, on every line."""
    return await a_client(world)
