"""Actions, wired, built-in ones and those of connectors: for who runs routes, checks them or tries them."""

from __future__ import annotations

from functools import partial

from hub.actions.combined import CombinedActions
from hub.actions.desk import ActionParts
from hub.actions.registry import built_in_actions
from hub.app.ai import ai_connection
from hub.app.bridges import has_adapter
from hub.app.connectors import open_connectors
from hub.app.core import Core, event_recorder
from hub.connectors.actions import ConnectorActions
from hub.flow.connection_events import telling
from hub.outbound.client import OutboundClient
from hub.outbound.downloads import GuardedDownloads


def core_connectors(core: Core, client: OutboundClient) -> ConnectorActions:
    """Make the actions of connectors of a process."""
    return open_connectors(
        core.settings,
        store=core.store,
        clock=core.clock,
        client=client,
        redis=core.redis,
        metrics=core.metrics,
        tell=telling(event_recorder(core)),
    )


def open_actions(
    core: Core, client: OutboundClient, connectors: ConnectorActions | None = None
) -> CombinedActions:
    """Make the actions of a process; attachments, drafts and connectors are asked for with its client."""
    built_in = built_in_actions(
        ActionParts(
            store=core.store,
            directory=core.directory,
            policies=core.policies,
            clock=core.clock,
            new_id=core.new_id,
            wake_ups=core.wake_ups,
            files=core.files,
            downloads=GuardedDownloads(client),
            fetch_seconds=core.settings.files.fetch_seconds,
            can_send=partial(has_adapter, core),
            ai=ai_connection(core.settings.ai, outbound=client, clock=core.clock, metrics=core.metrics),
        )
    )
    return CombinedActions(built_in, connectors or core_connectors(core, client))
