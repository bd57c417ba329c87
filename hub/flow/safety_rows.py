"""The rows that the statements of consent, budgets and health carry; field order is column order (hub.flow.rows)."""

from __future__ import annotations

from typing import NamedTuple


class ConsentLogRow(NamedTuple):
    """consent_log: ignored when the dedupe key is known."""

    id: int
    scope_line_id: int
    line_id: int | None
    handle: str
    action: str
    source: str
    said_at: int
    recorded_at: int
    message_id: int | None
    keyword: str | None
    reason: str | None
    api_key_id: int | None
    is_applied: int
    dedupe_key: bytes
    reply_state: int | None


class ConsentRow(NamedTuple):
    """consents: merged by hub.rules.consent.supersedes into the row of the same (scope_line_id, handle)."""

    scope_line_id: int
    handle: str
    action: str
    source: str
    said_at: int
    recorded_at: int
    line_id: int | None
    entry_id: int


class ConversationRow(NamedTuple):
    """What is known of a chat before something is sent there."""

    line_id: int
    chat_key: str
    #: Whether somebody has written there.
    has_inbound: int
    #: Whether we have counted it, or a message of it was ever seen: then nothing sent there opens it.
    is_begun: int
    #: JSON list of handles.
    participants: str
    #: The outbox item that opened it; 0 if none of ours did.
    opened_by: int = 0


class OpeningRow(NamedTuple):
    """openings: ignored when the chat was opened before."""

    line_id: int
    chat_key: str
    outbox_id: int
    opened_at: int


class CountKey(NamedTuple):
    """Which counter of line_counts."""

    line_id: int
    counter: int
    window_start: int


class BridgeStatusRow(NamedTuple):
    """What a bridge says of a line; an older word changes nothing."""

    line_id: int
    status: str
    reason: str | None
    at: int
