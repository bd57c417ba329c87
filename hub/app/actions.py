"""Built-in actions, wired: for the worker that runs routes, and for commands that try them."""

from __future__ import annotations

from functools import partial

from hub.actions.built_in import BuiltInActions
from hub.actions.desk import ActionParts
from hub.actions.registry import built_in_actions
from hub.app.adapters import has_adapter
from hub.app.ai import ai_connection
from hub.app.core import Core
from hub.outbound.client import OutboundClient
from hub.outbound.downloads import GuardedDownloads


def open_actions(core: Core, client: OutboundClient) -> BuiltInActions:
    """Make the actions of a process; attachments and drafts are asked for with its client."""
    return built_in_actions(
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
