"""The merges of members, polls, votes and places as SQL, written once for both databases. All are commutative."""

from __future__ import annotations

from typing import Final

from hub.flow.chat_rows import PlaceRow
from hub.store.merging import Functions

MERGE_MEMBERS: Final = (
    "ON CONFLICT (chat_id, handle) DO UPDATE SET is_member = excluded.is_member, changed_at = excluded.changed_at "
    "WHERE (excluded.changed_at, excluded.is_member) > (chat_members.changed_at, chat_members.is_member)"
)
MERGE_VOTES: Final = (
    "ON CONFLICT (line_id, poll_guid, voter) DO UPDATE SET choices = excluded.choices, "
    "voted_at = excluded.voted_at "
    "WHERE (excluded.voted_at, excluded.choices) > (poll_votes.voted_at, poll_votes.choices)"
)
SAVE_PLACES: Final = "ON CONFLICT (line_id, handle) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in PlaceRow._fields[2:]
)
SAVE_CARD: Final = "ON CONFLICT (line_id) DO UPDATE SET card = excluded.card, synced_at = excluded.synced_at"


def merge_polls(functions: Functions) -> str:
    """Merge by (line_id, guid): whichever observation knows it; a poll does not change once it is made."""
    said = [
        f"{name} = coalesce(nullif(polls.{name}, '{empty}'), excluded.{name})"
        for name, empty in (("title", ""), ("options", "[]"))
    ]
    known = [f"{name} = coalesce(polls.{name}, excluded.{name})" for name in ("creator", "outbox_id")]
    rises = [
        f"{name} = {functions.greatest(f'polls.{name}', f'excluded.{name}')}"
        for name in ("chat_id", "is_from_me")
    ]
    first = f"created_at = {functions.least('polls.created_at', 'excluded.created_at')}"
    return f"ON CONFLICT (line_id, guid) DO UPDATE SET {', '.join([*said, *known, *rises, first])}"
