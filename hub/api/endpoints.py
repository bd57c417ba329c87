"""The tables of all nouns, one after the other: adding a noun is adding its file and one line here."""

from __future__ import annotations

from typing import Final

from hub.api import (
    audio_messages,
    availability,
    bridges,
    chats,
    contact_files,
    contact_groups,
    contacts,
    deliveries,
    file_contents,
    files,
    generate,
    jobs,
    events,
    events_stream,
    keys,
    lines,
    message_reads,
    message_sends,
    message_timeline,
    operations,
    outbox,
    phone_numbers,
    reactions,
    receipts,
    sandbox,
    typing_signs,
    webhooks,
)
from hub.api.calls import AnyEndpoint

#: Alphabetical by file.
NOUNS: Final[tuple[AnyEndpoint, ...]] = (
    *audio_messages.ENDPOINTS,
    *availability.ENDPOINTS,
    *bridges.ENDPOINTS,
    *chats.ENDPOINTS,
    # Before the contacts, whose ids would match their paths.
    *contact_files.ENDPOINTS,
    *contact_groups.ENDPOINTS,
    *contacts.ENDPOINTS,
    *deliveries.ENDPOINTS,
    *file_contents.ENDPOINTS,
    *files.ENDPOINTS,
    *generate.ENDPOINTS,
    *jobs.ENDPOINTS,
    *keys.ENDPOINTS,
    *lines.ENDPOINTS,
    *message_reads.ENDPOINTS,
    *message_sends.ENDPOINTS,
    *message_timeline.ENDPOINTS,
    *operations.ENDPOINTS,
    *events_stream.ENDPOINTS,  # before the paths that end in an id
    *events.ENDPOINTS,
    *outbox.ENDPOINTS,
    *phone_numbers.ENDPOINTS,
    *reactions.ENDPOINTS,
    *receipts.ENDPOINTS,
    *sandbox.ENDPOINTS,
    *typing_signs.ENDPOINTS,
    *webhooks.ENDPOINTS,
)
