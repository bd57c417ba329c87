"""What is told while it lasts and never kept: who types, how far somebody has read. No id, no delivery, no page."""

from __future__ import annotations

from typing import NamedTuple


class Typist(NamedTuple):
    """Somebody who types in a chat now."""

    chat_id: int
    handle: str
    #: When that was last seen, Unix ms.
    updated_at: int


class LiveEvent(NamedTuple):
    """A sign of life on its way to whoever follows the stream at this moment."""

    type: str
    line_id: int
    chat_id: int
    #: Unix ms, by the network's clock.
    occurred_at: int
    #: JSON, as hub.flow.event_shapes tells it.
    data: str
