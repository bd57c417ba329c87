"""Paths of routes' own (`trigger: {webhook: path}`), and how a source's event looks to a route."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

#: The source of what is sent to the path of a route.
HOOK_SOURCE: Final = "webhook"
#: What every event of a source has, whatever its payload calls so.
STANDARD: Final = (
    "id",
    "type",
    "source",
    "event",
    "source_event_id",
    "occurred_at",
    "received_at",
    "payload",
    "hook",
)


def hook_key(path: str) -> str:
    """Give the digest by which events name the path of a route: the path itself is a secret."""
    return blake2b(path.encode("utf-8", "replace"), digest_size=16, person=b"hub.hook").hexdigest()


def route_view(event_id: str, event_type: str, occurred_at: int, data: Mapping[str, Any]) -> dict[str, Any]:
    """Give the event as routes see it: the payload's fields at the top, then the names that all events have.

    A payload's field under one of STANDARD's names is at `payload.<name>` alone.

    Args:
        event_id: `evt_…`.
        event_type: `source.received`.
        occurred_at: Unix ms.
        data: The event's data (hub.flow.event_shapes.SourceData).
    """
    payload = data.get("payload")
    top = payload if isinstance(payload, Mapping) else {}
    return {**top, **data, "id": event_id, "type": event_type, "occurred_at": occurred_at}
