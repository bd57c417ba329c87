"""What both databases say alike about consent and health. Column names are those of the tables."""

# ruff: noqa: S608 - the statements are put together from constants of ours.

from __future__ import annotations

from typing import Any, Final

from hub.flow.safety_rows import BridgeStatusRow

_CONSENT: Final = ("action", "source", "said_at", "recorded_at", "line_id", "entry_id")

#: hub.rules.consent.supersedes.
MERGE_CONSENT: Final = (
    "ON CONFLICT (scope_line_id, handle) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _CONSENT)
    + " WHERE excluded.said_at > consents.said_at OR (excluded.action = 'opted_out' "
    "AND consents.action = 'opted_in' "
    "AND (excluded.said_at = consents.said_at OR consents.source <> 'keyword'))"
)

#: messages.is_known of a message that its network has shown.
SEEN: Final = 2
#: Whether a message of the chat was ever seen on its network, not only asked for.
WAS_SEEN: Final = (
    f"EXISTS (SELECT 1 FROM messages WHERE messages.chat_id = chats.id AND messages.is_known = {SEEN})"
)

HEALTH_COLUMNS: Final = (
    "line_id",
    "state",
    "since",
    "warnings",
    "unanswered",
    "bridge_status",
    "bridge_reason",
    "bridge_at",
)
MERGE_BRIDGE: Final = (
    "ON CONFLICT (line_id) DO UPDATE SET bridge_status = excluded.bridge_status, "
    "bridge_reason = excluded.bridge_reason, bridge_at = excluded.bridge_at "
    "WHERE line_health.bridge_at IS NULL OR excluded.bridge_at >= line_health.bridge_at"
)


def health_row(row: BridgeStatusRow) -> tuple[Any, ...]:
    """The row of a line that was never looked at: well until then."""
    return (row.line_id, "active", row.at, "[]", 0, row.status, row.reason, row.at)
