"""Tell that a connection was paused or goes on, as an event that webhooks and routes can take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec

from hub.flow.event_shapes import ConnectionData
from hub.flow.ports import HotTransaction
from hub.flow.record import Recorder
from hub.flow.rows import EventRow

#: Given by the store when it is recorded.
_NO_ID: Final = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionChange:
    """A connection that is of no use from now on, or is again."""

    name: str
    #: The id of its connector.
    connector: str
    is_paused: bool
    #: Why it was paused, masked.
    reason: str
    #: Unix ms.
    paused_at: int
    occurred_at: int
    #: What is kept of the connection rises by it: of two who notice the same, both name the same.
    version: int


TellConnection = Callable[[ConnectionChange], Awaitable[None]]


def telling(recorder: Recorder) -> TellConnection:
    """Give what records `connection.paused` and `connection.resumed`, each change once, whoever notices it."""

    async def tell(change: ConnectionChange) -> None:
        async def work(_: HotTransaction) -> tuple[None, list[EventRow]]:
            return None, [_event(change)]

        await recorder.write(work)

    return tell


async def tell_nobody(_: ConnectionChange) -> None:
    """For who has no events."""


def connection_data(change: ConnectionChange) -> str:
    """Render a change."""
    data = ConnectionData(
        connection=change.name,
        connector=change.connector,
        reason=change.reason,
        paused_at=change.paused_at,
        resumed_at=None if change.is_paused else change.occurred_at,
        occurred_at=change.occurred_at,
    )
    return msgspec.json.encode(data).decode()


def _event(change: ConnectionChange) -> EventRow:
    kind = "connection.paused" if change.is_paused else "connection.resumed"
    mark = f"{kind}:{change.name}:{change.version}".encode()
    key = blake2b(mark, digest_size=16).digest()
    return EventRow(_NO_ID, kind, None, None, key, change.occurred_at, None, connection_data(change))
