"""The tables of all nouns, one after the other: adding a noun is adding its file and one line here."""

from __future__ import annotations

from typing import Final

from hub.api import (
    bridges,
    chats,
    deliveries,
    jobs,
    keys,
    lines,
    message_reads,
    message_sends,
    message_timeline,
    operations,
    outbox,
    reactions,
    receipts,
    sandbox,
    typing_signs,
    webhooks,
)
from hub.api.calls import AnyEndpoint

#: Alphabetical by file.
NOUNS: Final[tuple[AnyEndpoint, ...]] = (
    *bridges.ENDPOINTS,
    *chats.ENDPOINTS,
    *deliveries.ENDPOINTS,
    *jobs.ENDPOINTS,
    *keys.ENDPOINTS,
    *lines.ENDPOINTS,
    *message_reads.ENDPOINTS,
    *message_sends.ENDPOINTS,
    *message_timeline.ENDPOINTS,
    *operations.ENDPOINTS,
    *outbox.ENDPOINTS,
    *reactions.ENDPOINTS,
    *receipts.ENDPOINTS,
    *sandbox.ENDPOINTS,
    *typing_signs.ENDPOINTS,
    *webhooks.ENDPOINTS,
)
