"""Let messages that we were asked to send take the name that their network gave them (decision 9).

A placeholder is put under the network's guid by the same merge that takes in evidence: if the network has shown that
guid already, the placeholder becomes a part of that row, and what was done for it is about that row from then on.
Not here: who finds out about the name, evidence (hub.flow.ingest) or a bridge's answer (hub.flow.outcomes).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from hub.flow.file_ports import USED_BY_MESSAGE
from hub.flow.ports import HotTransaction
from hub.flow.rows import Known, MessageRow, SnapshotRow
from hub.model.outbox import attempt_id

#: What we say when nobody knows whether a send went out; the network's word overrules it.
DELIVERY_UNKNOWN: Final = "delivery_unknown"


class Adoption(NamedTuple):
    """A message, and how its network calls it."""

    message_id: int
    guid: str
    #: When the network had it, Unix ms; None where only the name is known.
    at_ms: int | None


class _Error(msgspec.Struct):
    code: str = ""


_decode_error: Final = msgspec.json.Decoder(_Error).decode


def is_placeholder(message: MessageRow) -> bool:
    """Tell whether no network has named the message yet."""
    return message.outbox_id is not None and message.guid == attempt_id(message.outbox_id)


async def adopt(tx: HotTransaction, adoptions: Sequence[Adoption]) -> list[MessageRow]:
    """Put placeholders under their network's guids; give the rows as they now are.

    A message that has a name already, or is gone, is left alone and left out.
    """
    wanted = {adoption.message_id: adoption for adoption in adoptions}
    found = await tx.messages_by_id(sorted(wanted))
    nameless = [message for message in found if is_placeholder(message)]
    if not nameless:
        return []
    await tx.delete_messages([message.id for message in nameless])
    named = [_named(message, wanted[message.id]) for message in nameless]
    pairs = list(zip(named, await tx.merge_own_messages(named), strict=True))
    moved = [(old.id, new.id) for old, new in pairs if old.id != new.id]
    await tx.move_operations(moved)
    await tx.files.move(USED_BY_MESSAGE, moved)
    await tx.pieces.move(moved)
    rows = [_revived(old, new) if new.is_known == Known.SUPERSEDED else new for old, new in pairs]
    await tx.save_messages([row for row, (_, new) in zip(rows, pairs, strict=True) if row is not new])
    await settle_doubts(tx, list(zip(nameless, named, strict=True)))
    return rows


def name_given_back(message: MessageRow, outbox_id: int) -> MessageRow:
    """Give a message as it is once more to be sent: under the name of its attempt, without what became of the last."""
    return message._replace(
        guid=attempt_id(outbox_id),
        is_known=Known.ASKED,
        outbox_id=outbox_id,
        accepted_at=None,
        failed_at=None,
        error=None,
        was_downgraded=0,
        service=None,
    )


def tombstone(failed: MessageRow, row_id: int) -> SnapshotRow:
    """Give the row that takes in what is still told of a failed attempt, out of sight."""
    width = len(SnapshotRow._fields)
    return SnapshotRow._make(failed[:width])._replace(id=row_id, is_known=Known.SUPERSEDED)


def _named(message: MessageRow, adoption: Adoption) -> MessageRow:
    if (at_ms := adoption.at_ms) is None:
        return message._replace(guid=adoption.guid)
    # Until it was accepted, it was dated by the request.
    sent_at = at_ms if message.accepted_at is None else min(message.sent_at or at_ms, at_ms)
    accepted_at = at_ms if message.accepted_at is None else min(message.accepted_at, at_ms)
    return without_doubt(message)._replace(guid=adoption.guid, sent_at=sent_at, accepted_at=accepted_at)


def _revived(asked: MessageRow, superseded: MessageRow) -> MessageRow:
    """Show a row again whose attempt was given up: the newer attempt turns out to be that very message."""
    return superseded._replace(
        is_known=Known.SEEN,
        outbox_id=asked.outbox_id,
        accepted_at=asked.accepted_at,
        failed_at=asked.failed_at,
        error=asked.error,
        queued_at=asked.queued_at,
    )


def without_doubt(message: MessageRow) -> MessageRow:
    """Take back that nobody knew what became of it: now somebody does."""
    return message._replace(failed_at=None, error=None) if _is_in_doubt(message) else message


async def settle_doubts(tx: HotTransaction, changes: Sequence[tuple[MessageRow, MessageRow]]) -> None:
    """Let the items of messages that are in doubt no more say that they were sent, too.

    Args:
        tx: Where the messages were changed.
        changes: Messages before and after.
    """
    settled = [
        (after.outbox_id, after.guid)
        for before, after in changes
        if after.outbox_id is not None and after.failed_at is None and _is_in_doubt(before)
    ]
    if settled:
        await tx.prove_outbox(settled)


def _is_in_doubt(message: MessageRow) -> bool:
    return message.error is not None and _decode_error(message.error).code == DELIVERY_UNKNOWN
