"""`hub bridges doctor`: look at a bridge from a command, whether the hub runs or not."""

from __future__ import annotations

from collections.abc import Sequence

from hub.app.bridges import BridgeHost, bridge_world
from hub.app.console import Console
from hub.app.core import encryption_key
from hub.app.files import file_links
from hub.app.outgoing import outbound_client
from hub.flow.bridge_examining import examine
from hub.flow.bridge_kinds import Finding
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone
from hub.model.line import Bridge


class _NoFiles:
    """Nothing is sent while somebody looks (hub.flow.ports.OutgoingFiles)."""

    async def open_file(self, file_id: str) -> OutgoingFile:
        raise AttachmentGone(f"{file_id} is not opened to look at a bridge")


async def look_at(console: Console, bridge: Bridge) -> Sequence[Finding]:
    """Try everything that can be tried of a bridge from here."""
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
        heard = await console.store.bridges.last_heard()
        lines = (await console.bridges.lines_of()).get(bridge.id, ())
        return await examine(
            bridge_world(host, client),
            bridge,
            lines,
            heard_at=heard.get(bridge.id),
            refused=await console.store.refused.tally(bridge.id),
            now_ms=console.clock.now_ms(),
            agent=await console.store.bridge_calls.agent(bridge.id),
        )
    finally:
        await client.aclose()
