"""How many messages there are, and between when and when: of a chat, or of a line."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class MessageCounts:
    """Of all messages that a list shows, also of those that wait or have failed; instants by `sent_at`, Unix ms."""

    inbound: int = 0
    outbound: int = 0
    first_at: int | None = None
    last_at: int | None = None
    last_inbound_at: int | None = None
    last_outbound_at: int | None = None
