"""What a worker does for its lines beside their sends: look after them, and answer HELP."""

from __future__ import annotations

from collections.abc import Callable

from hub.app.core import Core
from hub.flow.consent_replies import ConsentReplies
from hub.flow.line_health import LineHealth
from hub.flow.outgoing import Outgoing
from hub.flow.safety import LineGuard
from hub.worker.line_watch import LineWatch


def line_watch(core: Core, shards: Callable[[], frozenset[int]]) -> LineWatch:
    """Wire what looks after the lines in these shards."""
    health = LineHealth(
        store=core.store,
        directory=core.directory,
        policies=core.policies,
        take_ids=core.new_id.take,
        wake_ups=core.wake_ups,
        clock=core.clock,
    )
    replies = ConsentReplies(
        store=core.store,
        directory=core.directory,
        policies=core.policies,
        outgoing=Outgoing(
            store=core.store,
            directory=core.directory,
            clock=core.clock,
            new_id=core.new_id,
            wake_ups=core.wake_ups,
            guard=LineGuard(core.policies),
        ),
        clock=core.clock,
    )
    return LineWatch(health, replies, directory=core.directory, shards=shards, metrics=core.metrics)
