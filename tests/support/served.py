"""A hub's surface on a port, by the real server, in the test's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import uvicorn

from hub.api.agent_sockets import MOST_HEAD_BYTES
from hub.api.surface import build
from hub.app.connections import Connection
from hub.dialects.registry import DIALECTS
from hub.flow.bells import LocalBell
from tests.support.hub_world import HubWorld
from tests.worker.time_by_hand import eventually


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    url: str
    server: uvicorn.Server
    world: HubWorld

    def stop(self) -> None:
        """Stop as a web process does at SIGTERM."""
        self.server.should_exit = True
        self.world.parts.live.feed.close()
        bell = self.world.parts.bell
        assert isinstance(bell, LocalBell), "the world's own"
        bell.close()


@contextlib.asynccontextmanager
async def served(world: HubWorld) -> AsyncIterator[Served]:
    """Serve on a free port for the length of a block."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            build(world.parts, DIALECTS),
            http=Connection,
            ws="none",
            ws_max_size=world.parts.bridge_limits.max_body_bytes + MOST_HEAD_BYTES,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
        )
        server = uvicorn.Server(config)
        serving = Served(f"http://127.0.0.1:{listener.getsockname()[1]}", server, world)
        task = asyncio.create_task(server.serve([listener]))
        try:
            await eventually(lambda: server.started)
            yield serving
        finally:
            serving.stop()
            await asyncio.wait_for(task, 20)
