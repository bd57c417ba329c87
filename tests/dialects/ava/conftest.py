"""A hub as a client of AVA meets it: one line that sends, the sandbox's, and a language model on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.api.surface import build
from hub.app.ai import ai_connection
from hub.config.settings import load_settings
from hub.dialects.ava import DIALECT
from hub.dialects.registry import DIALECTS
from hub.flow.keys import KeyWish
from tests.support.ai_provider import Provider, openai_words, providing
from tests.support.asgi import Caller
from tests.support.calling import local_client
from tests.support.hub_world import HubWorld, line_id, open_world
from tests.support.sandbox_worker import SandboxWorker

WORDS = "We're open Monday through Friday, 9 to 5."


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    """A server that speaks a language model's wire."""
    async with providing(openai_words(WORDS)) as listening:
        yield listening


@pytest.fixture
async def world(tmp_path: Path, provider: Provider) -> AsyncIterator[HubWorld]:
    """A hub with a model, whose other line is switched off, so that the sandbox line is the one that sends."""
    async with open_world(tmp_path) as opened:
        path = f"/v1/lines/{line_id(opened.other_line)}"
        assert (await opened.api.patch(path, {"is_active": False})).status == 200
        outbound = local_client()
        environment = {
            "HUB_AI__PROVIDER": "openai_compatible",
            "HUB_AI__BASE_URL": f"{provider.url}/v1",
            "HUB_AI__MODEL": "gpt",
        }
        ai = ai_connection(load_settings(None, environment).ai, outbound=outbound, clock=opened.clock)
        opened.api = opened.api.of(build(replace(opened.parts, ai=ai), DIALECTS))
        yield opened
        await outbound.aclose()


@pytest.fixture
async def api(world: HubWorld) -> Caller:
    """A client with a key of the dialect, as a migrating customer would make it."""
    wish = KeyWish(name="ava", scopes=DIALECT.scopes, dialect=DIALECT.name)
    return world.api.with_token((await world.keys.create(wish)).text)


@pytest.fixture
async def worker(world: HubWorld) -> SandboxWorker:
    """Serves the sandbox line when a test says so; its bridge has said what it can do."""
    made = SandboxWorker(world)
    await made.tell_capabilities()
    return made
