"""Wire the folder of routes, followed in a process that serves the REST surface."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hub.app.core import Core
from hub.app.route_folder import RouteFolder
from hub.flow.actions import KnownActions
from hub.flow.routing.installing import Installing
from hub.model.actions import ActionSpec
from hub.outbound.client import OutboundClient

if TYPE_CHECKING:
    from hub.actions.combined import CombinedActions


class LateActions:
    """What steps may use, opened when a route is checked (decision 28). hub.flow.actions.KnownActions."""

    def __init__(self, core: Core, client: OutboundClient) -> None:
        self._core = core
        self._client = client
        self._opened: CombinedActions | None = None

    def specs(self) -> Mapping[str, ActionSpec]:
        """Give all actions by name."""
        return self._actions().specs()

    def connections(self) -> Mapping[str, str]:
        """Give the connector of each connection."""
        return self._actions().connections()

    def _actions(self) -> CombinedActions:
        if self._opened is None:
            from hub.app.actions import open_actions  # noqa: PLC0415 - as said

            self._opened = open_actions(self._core, self._client)
        return self._opened


def route_folder(core: Core, actions: KnownActions) -> RouteFolder:
    """Follow the folder, whose routes may use the actions."""
    return RouteFolder(
        core.settings.routes.folder.expanduser(),
        blueprints=core.settings.routes.blueprints.expanduser(),
        actions=actions,
        installing=Installing(routes=core.store.routes, clock=core.clock, new_id=core.new_id),
        clock=core.clock,
        on_installed=core.wake_ups.routes_changed,
        on_read=lambda status: core.metrics.route_problems.set(len(status.problems)),
    )
