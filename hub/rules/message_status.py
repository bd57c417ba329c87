"""What a message is now, from what happened to it: one rule for events, reads and conflicts.

unsent > read > delivered > cancelled > failed > sent > queued: what nobody can take back beats what was only said
of it, so a failure counts only while nobody has the message. A message that came in is `received`.
"""

from __future__ import annotations

from enum import StrEnum


class MessageStatus(StrEnum):
    """The statuses of the wire."""

    CANCELLED = "cancelled"
    DELIVERED = "delivered"
    FAILED = "failed"
    QUEUED = "queued"
    READ = "read"
    RECEIVED = "received"
    SENT = "sent"
    UNSENT = "unsent"


def message_status(
    *,
    is_from_me: bool,
    queued_at: int | None = None,
    accepted_at: int | None = None,
    cancelled_at: int | None = None,
    failed_at: int | None = None,
    delivered_at: int | None = None,
    read_at: int | None = None,
    unsent_at: int | None = None,
) -> MessageStatus:
    """Give the status. All times are Unix ms; None: it did not happen, as far as we know.

    Args:
        is_from_me: Our line wrote it.
        queued_at: When we were asked to send it; None for one that the line sent from another device.
        accepted_at: When a bridge took it, or its network showed it.
    """
    if not is_from_me:
        return MessageStatus.RECEIVED
    is_sent = accepted_at is not None or queued_at is None
    ranks = (
        (MessageStatus.UNSENT, unsent_at is not None),
        (MessageStatus.READ, read_at is not None),
        (MessageStatus.DELIVERED, delivered_at is not None),
        (MessageStatus.CANCELLED, cancelled_at is not None),
        (MessageStatus.FAILED, failed_at is not None),
        (MessageStatus.SENT, is_sent),
    )
    return next((status for status, holds in ranks if holds), MessageStatus.QUEUED)
