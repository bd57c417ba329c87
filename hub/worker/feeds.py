"""Listens to the bridges whose adapters run inside the hub, ingests what they see, and keeps what they can do.

The owner of a bridge's shard listens; bridges that push (POST /v1/bridge/events) need no feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import msgspec
import structlog

from hub.flow.bridge_store import Bridges
from hub.flow.capabilities import CapabilityBook
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest
from hub.flow.ports import BridgeAdapter
from hub.flow.sandbox import Ingesting
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.rules.lanes import shard_of

log = structlog.get_logger("worker")

RESTART_SECONDS = 1.0
#: How long a bridge may take to say what it can do.
ASK_SECONDS = 10.0


class Feeds:
    """One listening task a bridge."""

    def __init__(
        self,
        *,
        adapters: Mapping[int, BridgeAdapter],
        bridges: Bridges,
        ingest: Ingesting,
        new_id: IdFactory,
        capabilities: CapabilityBook,
        heartbeats: Heartbeats,
    ) -> None:
        self._heartbeats = heartbeats
        self._capabilities = capabilities
        self._adapters = adapters
        self._bridges = bridges
        self._ingest = ingest
        self._new_id = new_id
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def own(self, shards: Iterable[int]) -> None:
        """Listen to the bridges of these shards only."""
        owned = frozenset(shards)
        wanted = {bridge_id for bridge_id in self._adapters if shard_of(bridge_id) in owned}
        for bridge_id in set(self._tasks) - wanted:
            self._tasks.pop(bridge_id).cancel()
        for bridge_id in wanted - set(self._tasks):
            self._tasks[bridge_id] = asyncio.get_running_loop().create_task(self._listen(bridge_id))

    async def stop(self) -> None:
        """Stop listening; what was seen is ingested or will be seen again."""
        tasks = list(self._tasks.values())
        self.own(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask_capabilities(self) -> None:
        """Ask each bridge that we listen to what it can do now, for what changed while it was connected."""
        for bridge_id in list(self._tasks):
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ask(bridge_id)
            except Exception as error:
                log.warning("bridge.silent", bridge_id=bridge_id, error=str(error) or type(error).__name__)

    async def _ask(self, bridge_id: int) -> None:
        await self._capabilities.told(bridge_id, await self._adapters[bridge_id].capabilities())
        await self._heartbeats.heard(bridge_id)

    async def _listen(self, bridge_id: int) -> None:
        while True:
            try:
                await self._ask(bridge_id)
                async for observation in self._adapters[bridge_id].events(await self._cursor(bridge_id)):
                    await self._take(bridge_id, observation)
            except Exception:
                log.warning("bridge.feed_failed", bridge_id=bridge_id, exc_info=True)
            await asyncio.sleep(RESTART_SECONDS)

    async def _cursor(self, bridge_id: int) -> str | None:
        """How far the bridge was heard, by whichever process: no revision tells of it."""
        return next((each.cursor for each in await self._bridges.all() if each.id == bridge_id), None)

    async def _take(self, bridge_id: int, observation: Observation) -> None:
        """Ingest first, then move the cursor: a crash between the two repeats, and repeats are harmless."""
        body = msgspec.json.encode({"events": [observation]})
        request_id = f"feed.{self._new_id():x}"
        await self._ingest(BridgeRequest(bridge_id, request_id, body, (observation,)))
        if observation.cursor is not None:
            await self._bridges.save_cursor(bridge_id, observation.cursor)
