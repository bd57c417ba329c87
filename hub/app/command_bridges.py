"""Bridges as a command has them, whether the hub runs or not: their networks can be asked, and nothing is sent."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from hub.app.bridges import BridgeHost, bridge_world
from hub.app.console import Console
from hub.app.core import encryption_key
from hub.app.files import file_links
from hub.app.outgoing import outbound_client
from hub.flow.bridge_kinds import BridgeWorld
from hub.flow.ports import OutgoingFile
from hub.flow.refused_desk import RefusedDesk
from hub.model.errors import AttachmentGone


class _NoFiles:
    """Nothing is sent from a command (hub.flow.ports.OutgoingFiles)."""

    async def open_file(self, file_id: str) -> OutgoingFile:
        raise AttachmentGone(f"{file_id} is not opened to look at a bridge")


@contextlib.asynccontextmanager
async def open_bridges(console: Console) -> AsyncIterator[BridgeWorld]:
    """Give the kinds of bridges and their surroundings for the length of a block."""
    settings = console.settings
    host = BridgeHost(
        settings=settings,
        directory=console.directory,
        clock=console.clock,
        files=_NoFiles(),
        links=file_links(settings, clock=console.clock, secret=encryption_key(settings)),
    )
    client = outbound_client(settings)
    try:
        yield bridge_world(host, client)
    finally:
        await client.aclose()


@contextlib.asynccontextmanager
async def open_refused(console: Console) -> AsyncIterator[RefusedDesk]:
    """Give what takes payloads in again, for the length of a block."""
    async with open_bridges(console) as world:
        yield RefusedDesk(
            store=console.store.refused,
            world=world,
            ingest=console.ingest,
            clock=console.clock,
            new_id=console.new_id,
        )
