"""The merges of snapshots as SQL, written once for both databases.

Bridges repeat, reorder and re-fire. Each merge is a join of a semilattice, computed inside the database: any order
of the same snapshots, any number of times, from any number of processes, gives the same row (except its id,
and when we first saw it). Not here: what follows from a change of state (hub.rules).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Two = Callable[[str, str], str]

#: The columns of an OutboxClaim: of an item `o`, and of its message `m`.
CLAIM_COLUMNS = (
    "o.id, o.line_id, o.payload, o.kind, o.state, o.priority, o.parts_done, o.set_id, o.evidence_key, "
    "o.message_id, m.outbox_id, m.guid, m.was_downgraded"
)

#: Messages of other sends that one look-up is told of; a line sends fewer in the time that counts.
MOST_OTHERS = 200

#: Orders snapshots by one number: the better known first, then by edit, then those with parts.
_KNOWN_WEIGHT = 1 << 60
_EDIT_WEIGHT = 2

#: What a message says: taken from the snapshot that ranks highest.
_TEXTS = ("sender", "text", "parts", "service")
_FLAGS = ("is_from_me", "is_audio_message")
#: Facts that never change; whichever snapshot knows them.
_ONCE_TEXTS = ("reply_to_guid", "effect", "subject", "error")
#: Evidence: the first time counts.
_EARLIEST = ("outbox_id", "sent_at", "delivered_at", "read_at", "failed_at", "unsent_at")
#: What bridges say nothing about.
_SAID_BY_US = ("send_at", "metadata", "job_id")
_OUR_TIMES = ("queued_at", "accepted_at", "cancelled_at")


@dataclass(frozen=True, kw_only=True)
class Functions:
    """How a database spells the greater and the lesser of two values, where null never wins."""

    greatest: Two
    least: Two
    #: By code point, whatever the database's collation.
    greatest_text: Two
    least_text: Two
    #: A text that is compared so.
    by_code_point: Callable[[str], str]


SQLITE = Functions(
    # SQLite's scalar max() and min() are null as soon as one argument is.
    greatest=lambda a, b: f"coalesce(max({a}, {b}), {a}, {b})",
    least=lambda a, b: f"coalesce(min({a}, {b}), {a}, {b})",
    greatest_text=lambda a, b: f"coalesce(max({a}, {b}), {a}, {b})",
    least_text=lambda a, b: f"coalesce(min({a}, {b}), {a}, {b})",
    by_code_point=lambda a: a,
)
POSTGRES = Functions(
    greatest=lambda a, b: f"greatest({a}, {b})",
    least=lambda a, b: f"least({a}, {b})",
    greatest_text=lambda a, b: f'greatest({a} COLLATE "C", {b} COLLATE "C")',
    least_text=lambda a, b: f'least({a} COLLATE "C", {b} COLLATE "C")',
    by_code_point=lambda a: f'{a} COLLATE "C"',
)


def _by_rank(column: str, *, old: str, new: str, tie: str, table: str) -> str:
    return (
        f"{column} = CASE WHEN {new} > {old} THEN excluded.{column} "
        f"WHEN {new} < {old} THEN {table}.{column} ELSE {tie} END"
    )


def _both(function: Two, table: str, column: str) -> str:
    return function(f"{table}.{column}", f"excluded.{column}")


def _rank(row: str) -> str:
    return (
        f"({row}.is_known * {_KNOWN_WEIGHT} + coalesce({row}.edited_at, 0) * {_EDIT_WEIGHT} "
        f"+ CASE WHEN {row}.parts IS NULL THEN 0 ELSE 1 END)"
    )


def merge_messages(functions: Functions) -> str:
    """Merge by (line_id, guid). An edit time counts only together with content: a placeholder's is dropped."""
    table, old, new = "messages", _rank("messages"), _rank("excluded")
    ties = dict.fromkeys(_TEXTS, functions.greatest_text) | dict.fromkeys(_FLAGS, functions.greatest)
    assignments = [
        _by_rank(name, old=old, new=new, tie=_both(tie, table, name), table=table)
        for name, tie in ties.items()
    ]
    edited = _both(functions.greatest, table, "edited_at")
    known_old, known_new = "messages.is_known", "excluded.is_known"
    assignments.append(_by_rank("edited_at", old=known_old, new=known_new, tie=edited, table=table))
    # A chat id of 0 says that the snapshot did not show the chat.
    rises = [(name, functions.greatest) for name in ("is_known", "chat_id")]
    rises += [(name, functions.least_text) for name in _ONCE_TEXTS]
    rises += [(name, functions.least) for name in _EARLIEST]
    assignments += [f"{name} = {_both(function, table, name)}" for name, function in rises]
    return f"ON CONFLICT (line_id, guid) DO UPDATE SET {', '.join(assignments)}"


def merge_own_messages(functions: Functions) -> str:
    """Merge by (line_id, guid) as merge_messages, and what only we know of our sends: the first word stays."""
    said = [f"{name} = coalesce(messages.{name}, excluded.{name})" for name in _SAID_BY_US]
    said += [f"{name} = {_both(functions.least, 'messages', name)}" for name in _OUR_TIMES]
    said.append(f"was_downgraded = {_both(functions.greatest, 'messages', 'was_downgraded')}")
    return f"{merge_messages(functions)}, {', '.join(said)}"


def merge_chats(functions: Functions) -> str:
    """Merge by (line_id, chat_key): what is said replaces, what is unsaid stays, evidence only rises."""
    rises = [
        f"{name} = {_both(functions.greatest, 'chats', name)}" for name in ("has_inbound", "last_message_at")
    ]
    said = [
        f"{name} = coalesce(nullif(excluded.{name}, '{empty}'), chats.{name})"
        for name, empty in (("service", ""), ("name", ""), ("participants", "[]"))
    ]
    return f"ON CONFLICT (line_id, chat_key) DO UPDATE SET {', '.join(rises + said)}"


def merge_reactions(functions: Functions) -> str:
    """Merge by (line_id, message_guid, sender, slot): the word that ranks higher (ReactionRow.rank) replaces the row.

    With its id, too: the event that told it names the reaction by it.
    """
    words = ("id", "type", "is_from_me", "is_added", "sent_at", "synced_at")
    said = ", ".join(f"{name} = excluded.{name}" for name in words)
    newer, older = (
        f"({row}.sent_at, {row}.is_added, {row}.is_from_me, {functions.by_code_point(f'{row}.type')})"
        for row in ("excluded", "reactions")
    )
    return f"ON CONFLICT (line_id, message_guid, sender, slot) DO UPDATE SET {said} WHERE {newer} > {older}"


def merge_pieces(functions: Functions) -> str:
    """Merge by (line_id, guid): whose piece it is was said the first time; of each time the first counts."""
    times = ("sent_at", "delivered_at", "read_at", "failed_at", "unsent_at")
    rises = [f"{name} = {_both(functions.least, 'message_pieces', name)}" for name in times]
    rises.append(f"error = {_both(functions.least_text, 'message_pieces', 'error')}")
    return f"ON CONFLICT (line_id, guid) DO UPDATE SET {', '.join(rises)}"
