"""Let the folder of routes stand as it is written, once, from a command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.app.console import Console
from hub.app.offline import offline_actions
from hub.app.route_folder import RouteFolder
from hub.flow.routing.installing import Installed, Installing
from hub.model.actions import ActionSpec


@dataclass(frozen=True, slots=True)
class _Known:
    """Actions as files are checked against them."""

    _specs: Mapping[str, ActionSpec]
    _connections: Mapping[str, str]

    def specs(self) -> Mapping[str, ActionSpec]:
        return self._specs

    def connections(self) -> Mapping[str, str]:
        return self._connections


async def apply_folder(console: Console) -> tuple[Installed | None, tuple[str, ...]]:
    """Read the folder.

    Returns:
        What that changed, or all that is wrong: then nothing was changed.
    """
    offline = offline_actions(console.settings)
    if offline.problems:
        return None, tuple(str(each) for each in offline.problems)
    folder = RouteFolder(
        console.settings.routes.folder.expanduser(),
        blueprints=console.settings.routes.blueprints.expanduser(),
        actions=_Known(offline.specs, offline.connections),
        installing=Installing(routes=console.store.routes, clock=console.clock, new_id=console.new_id),
        clock=console.clock,
        on_installed=console.wake_ups.routes_changed,
    )
    installed = await folder.look()
    return installed, folder.status.problems
