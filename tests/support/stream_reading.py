"""Readers of GET /v1/events/stream over the real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from hub.flow.keys import KeyWish
from tests.support.event_source import EventSource, event_source
from tests.support.hub_world import HubWorld
from tests.support.served import Served


async def key(world: HubWorld, *scopes: str, **more: Any) -> str:
    wish = KeyWish(name="reader", scopes=frozenset(scopes or {"events:read"}), **more)
    return (await world.keys.create(wish)).text


@contextlib.asynccontextmanager
async def stream(hub: Served, query: str = "", **more: Any) -> AsyncIterator[EventSource]:
    """Open a stream with a key that may read events, and be sure that it follows."""
    if "token" not in more:
        more["token"] = await key(hub.world)
    async with event_source(f"{hub.url}/v1/events/stream{query}", **more) as source:
        if source.status == 200:
            first = await source.block()
            assert first is not None
            assert first.retry == "2000"
            while not source.last_id:
                await source.block()
        yield source


async def tell(source: EventSource) -> Any:
    """The next event."""
    block = await asyncio.wait_for(source.told(), 20)
    assert block is not None
    assert block.event == ""
    return block.json


async def refusal(hub: Served, query: str = "", **more: Any) -> tuple[int, str, str | None]:
    async with stream(hub, query, **more) as source:
        body = await source.body()
    return source.status, body["error"]["code"], body["error"].get("param")
