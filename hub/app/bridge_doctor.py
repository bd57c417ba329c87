"""`hub bridges doctor`: look at a bridge from a command, whether the hub runs or not."""

from __future__ import annotations

from collections.abc import Sequence

from hub.app.command_bridges import open_bridges
from hub.app.console import Console
from hub.flow.bridge_examining import examine
from hub.flow.bridge_kinds import Finding
from hub.model.line import Bridge


async def look_at(console: Console, bridge: Bridge) -> Sequence[Finding]:
    """Try everything that can be tried of a bridge from here."""
    async with open_bridges(console) as world:
        heard = await console.store.bridges.last_heard()
        lines = (await console.bridges.lines_of()).get(bridge.id, ())
        return await examine(
            world,
            bridge,
            lines,
            heard_at=heard.get(bridge.id),
            refused=await console.store.refused.tally(bridge.id),
            now_ms=console.clock.now_ms(),
            agent=await console.store.bridge_calls.agent(bridge.id),
        )
