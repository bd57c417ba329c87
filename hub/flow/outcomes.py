"""What a bridge's answer makes of the message that an item sends, edits or takes back, and the event that follows.

Only an answer that ends the item counts. Evidence may have shown the same before: then nothing is told twice
(hub.flow.echoes). Not here: what state the item is in after the answer (hub.rules.sending).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from hub.flow.adoption import DELIVERY_UNKNOWN, Adoption, adopt, is_placeholder
from hub.flow.file_links import FileLinks
from hub.flow.late_fallback import is_unreached
from hub.flow.ports import HotTransaction
from hub.flow.rows import EventRow, Known, MessageRow, OutboxClaim
from hub.flow.sent_parts import sent_parts
from hub.flow.snapshots import is_plain, parts_json
from hub.flow.wishes import own_event
from hub.model.line import Line
from hub.model.observation import KeptPart, Part
from hub.model.outbox import Disposition, OperationKind, OperationOutcome, OutboxState
from hub.rules.facts import text_of
from hub.rules.pieces import Standing, standing_of
from hub.rules.sending import NextStep

_decode_parts = msgspec.json.Decoder(tuple[KeptPart, ...]).decode


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How an item ended."""

    line: Line
    step: NextStep
    #: The network's id, where the bridge told one.
    provider_id: str | None
    #: It went as SMS because the first network could not reach the handle.
    was_downgraded: bool
    #: When the bridge was called: what the network showed since then is newer.
    dispatched_at: int | None
    #: Unix ms.
    at_ms: int
    #: Makes the addresses of attachments in events.
    links: FileLinks | None


class _Changed(NamedTuple):
    """A message after an outcome."""

    message: MessageRow
    #: The type of the event that tells it; None if it was told.
    tells: str | None


async def claim_of(tx: HotTransaction, outbox_id: int) -> tuple[OutboxClaim, MessageRow] | None:
    """Give an item with its message, as they now are; None if there is no such message.

    The message may be folded into another row between two looks, once.
    """
    for _ in range(2):
        claims = await tx.outbox_claims([outbox_id])
        if not claims or claims[0].message_id is None:
            return None
        messages = await tx.messages_by_id([claims[0].message_id])
        if messages:
            return claims[0], messages[0]
    return None


async def proof_of(tx: HotTransaction, outbox_id: int) -> OperationOutcome | None:
    """Give what evidence has proved of an item whose outcome is unknown; None while it proves nothing.

    One of several parts proves nothing of the others: the answer names the first that nobody knows of.
    """
    found = await claim_of(tx, outbox_id)
    if found is None:
        return None
    claim, message = found
    if claim.kind != OperationKind.SEND:
        is_shown = claim.evidence_key is not None
        return OperationOutcome(disposition=Disposition.ACCEPTED) if is_shown else None
    if message.outbox_id != claim.id or is_placeholder(message):
        return None
    part_count = len(sent_parts(claim.payload))
    if part_count > 1:
        return _proof_of_parts(message, standing_of(await tx.pieces.of([message.id]), part_count))
    if message.failed_at is None:
        return OperationOutcome(disposition=Disposition.ACCEPTED, provider_id=message.guid)
    return _refused(message, message.error)


def _proof_of_parts(message: MessageRow, standing: Standing) -> OperationOutcome | None:
    if not standing.present and standing.failure is None:
        return None
    if standing.failure is not None:
        part, piece = standing.failure
        return replace(_refused(message, piece.error), parts_done=standing.parts_done, part=part)
    if standing.is_whole:
        return OperationOutcome(
            disposition=Disposition.ACCEPTED, provider_id=message.guid, parts_done=standing.part_count
        )
    return OperationOutcome(
        disposition=Disposition.MAY_HAVE_COMPLETED,
        code="partly_shown",
        parts_done=standing.parts_done,
        part=standing.parts_done,
    )


def _refused(message: MessageRow, told: str | None) -> OperationOutcome:
    error = msgspec.json.decode(told or "{}")
    return OperationOutcome(
        disposition=Disposition.REJECTED,
        provider_id=message.guid,
        code=error.get("code"),
        detail=error.get("raw"),
    )


async def conclude(
    tx: HotTransaction, claim: OutboxClaim, message: MessageRow, outcome: Outcome
) -> list[EventRow]:
    """Apply the end of an item to its message; give the event to be told."""
    change = _CHANGES.get((OperationKind(claim.kind), OutboxState(outcome.step.state)))
    if change is None or (claim.kind == OperationKind.SEND and message.outbox_id != claim.id):
        return []  # a sign of life, or a send that was tried anew since
    if claim.kind == OperationKind.SEND and outcome.provider_id is not None:
        at_ms = outcome.at_ms if outcome.step.state is OutboxState.SENT else None
        named = await adopt(tx, [Adoption(message.id, outcome.provider_id, at_ms)])
        message = named[0] if named else message
    changed = change(claim, message, outcome)
    await tx.save_messages([changed.message])
    if changed.tells is None or claim.evidence_key is not None:
        return []
    keys = await tx.chats.keys([message.chat_id])
    event = own_event(
        changed.tells,
        changed.message,
        outbox_id=claim.id,
        line_handle=outcome.line.handle,
        chat_key=keys.get(message.chat_id),
        at_ms=outcome.at_ms,
        links=outcome.links,
    )
    return [event]


def _accepted(claim: OutboxClaim, message: MessageRow, outcome: Outcome) -> _Changed:
    if message.accepted_at is None:
        message = message._replace(accepted_at=outcome.at_ms, sent_at=outcome.at_ms)
    if outcome.was_downgraded and not message.was_downgraded:
        if is_unreached(message):  # what the first network said of it is over
            message = message._replace(failed_at=None, error=None)
        return _Changed(message._replace(was_downgraded=1, service="sms"), "message.downgraded")
    return _Changed(message, None)


def _failed(claim: OutboxClaim, message: MessageRow, outcome: Outcome) -> _Changed:
    code, _, raw = (outcome.step.error or "unknown").partition(": ")
    is_contradicted = code == DELIVERY_UNKNOWN and message.accepted_at is not None
    if message.failed_at is not None or is_contradicted:
        return _Changed(message, None)
    error = msgspec.json.encode({"code": code, "raw": raw or None}).decode()
    return _Changed(message._replace(failed_at=outcome.at_ms, error=error), "message.failed")


def _edited(claim: OutboxClaim, message: MessageRow, outcome: Outcome) -> _Changed:
    if message.edited_at is not None and message.edited_at >= (outcome.dispatched_at or 0):
        return _Changed(message, "message.edited")  # the network has shown what it is now
    parts = _with_words(message, str(msgspec.json.decode(claim.payload).get("text", "")))
    return _Changed(
        message._replace(
            text=text_of(parts),
            parts=None if is_plain(parts) else parts_json(parts),
            edited_at=outcome.at_ms,
            is_known=Known.SEEN,
        ),
        "message.edited",
    )


def _unsent(claim: OutboxClaim, message: MessageRow, outcome: Outcome) -> _Changed:
    if message.unsent_at is not None:
        return _Changed(message, None)
    return _Changed(message._replace(unsent_at=outcome.at_ms), "message.unsent")


_CHANGES = {
    (OperationKind.EDIT, OutboxState.SENT): _edited,
    (OperationKind.SEND, OutboxState.FAILED): _failed,
    (OperationKind.SEND, OutboxState.SENT): _accepted,
    (OperationKind.UNSEND, OutboxState.SENT): _unsent,
}


def _with_words(message: MessageRow, words: str) -> tuple[Part, ...]:
    """Put new words in the place of the first ones."""
    new = Part(type="text", text=words)
    parts: Sequence[Part] = () if message.parts is None else _decode_parts(message.parts)
    first = next((index for index, part in enumerate(parts) if part.type == "text"), None)
    if first is None:
        return (new, *parts)
    return (*parts[:first], new, *parts[first + 1 :])
