"""A hub as a client of Coop meets it: one line that sends, the sandbox's, with contacts who answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.dialects.coop import DIALECT
from hub.flow.keys import KeyWish
from tests.dialects.coop.mail import Mail
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld, line_id, open_world
from tests.support.sandbox_worker import SandboxWorker


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub whose other line is switched off, so that the sandbox line is the one that sends."""
    async with open_world(tmp_path) as opened:
        path = f"/v1/lines/{line_id(opened.other_line)}"
        assert (await opened.api.patch(path, {"is_active": False})).status == 200
        yield opened


@pytest.fixture
async def key(world: HubWorld) -> str:
    """A key of the dialect, as a migrating customer would make it."""
    wish = KeyWish(name="coop", scopes=DIALECT.scopes, dialect=DIALECT.name)
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
def mail(world: HubWorld) -> Mail:
    """Delivers to webhooks when a test says so."""
    return Mail(world)
