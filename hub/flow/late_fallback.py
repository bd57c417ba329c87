"""A first network that says, only after it took a message, that it cannot reach the contact: the second one sends it.

    accepted ─▶ "not reachable", never delivered ─▶ its name is given back, a new item goes over the second bridge

Exactly once: the new item says that it goes as SMS, and such an item is never the reason for another one. The row of
the failed attempt stays, out of sight, and takes in whatever its network still tells of it, however often and late.
Not here: refusals that come as an answer (hub.worker.fallback), whose bridge has the second try at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from hub.flow.adoption import is_placeholder, name_given_back, tombstone
from hub.flow.file_links import FileLinks
from hub.flow.ports import HotTransaction
from hub.flow.record import TakeIds
from hub.flow.rows import EventRow, MessageRow, OutboxClaim, OutboxRow
from hub.flow.sent_parts import sent_parts
from hub.flow.sighting import Sighting
from hub.flow.wishes import Wish, outbox_row, own_event
from hub.model.line import Line
from hub.model.outbox import AS_SMS, UNREACHABLE_CODES, OperationKind, OutboxState, attempt_id

_FAILED: Final = "message.failed"
#: The first network's word may still send the message over the second one.
_UNDECIDED: Final = frozenset({OutboxState.DISPATCHED, OutboxState.UNKNOWN, OutboxState.SENT})
#: The second one may have been asked, and nobody knows what it did.
_IN_DOUBT: Final = frozenset({OutboxState.DISPATCHED, OutboxState.UNKNOWN, OutboxState.FAILED})


class _Error(msgspec.Struct):
    code: str = ""


_decode_error: Final = msgspec.json.Decoder(_Error).decode
_decode_payload: Final = msgspec.json.Decoder(dict[str, object]).decode


class Unreached(NamedTuple):
    """A message that its first network cannot deliver, and may go over the second."""

    line: Line
    claim: OutboxClaim
    message: MessageRow


async def fall_back(
    tx: HotTransaction,
    unreached: Sequence[Unreached],
    *,
    take_ids: TakeIds,
    links: FileLinks | None,
    now_ms: int,
) -> list[EventRow]:
    """Owe each message to its line's second bridge; give the events to tell."""
    items = [
        _again(each, outbox_id=outbox_id, now_ms=now_ms)
        for outbox_id, each in zip(take_ids(len(unreached)), unreached, strict=True)
    ]
    queued = [
        name_given_back(each.message, item.id)._replace(queued_at=now_ms, sent_at=now_ms)
        for each, item in zip(unreached, items, strict=True)
    ]
    await _give_back(tx, unreached, queued, take_ids)
    await tx.insert_outbox(items)
    keys = await tx.chats.keys([message.chat_id for message in queued])
    return [
        own_event(
            "message.queued",
            message,
            outbox_id=item.id,
            line_handle=each.line.handle,
            chat_key=keys.get(message.chat_id),
            at_ms=now_ms,
            links=links,
        )
        for each, message, item in zip(unreached, queued, items, strict=True)
    ]


async def notice(tx: HotTransaction, sightings: Sequence[Sighting], *, take_ids: TakeIds) -> list[Unreached]:
    """Find the messages that evidence calls unreachable and that may fall back; nobody is told that they failed.

    One whose bridge is just being asked, or could not say what became of it, gets its name back: what the bridge
    answers, or a look-up finds, decides, and the second one's evidence must find the message.
    """
    suspects = {
        message.id: each
        for each in sightings
        if each.known_line.fallback_bridge_id is not None
        and isinstance(message := each.message, MessageRow)
        and each.bridge_id != each.known_line.fallback_bridge_id
        and any(fact.type == _FAILED for fact in each.facts)
        and is_unreached(message)
    }
    if not suspects:
        return []
    claims = await _claims(tx, list(suspects.values()))
    found = [
        Unreached(each.known_line, claim, message)
        for each in suspects.values()
        if isinstance(message := each.message, MessageRow)
        and (claim := claims.get(message.outbox_id or 0)) is not None
        and claim.message_id == message.id
        and may_fall_back(claim)
    ]
    under_way = [each for each in found if each.claim.state != OutboxState.SENT]
    held = [name_given_back(each.message, each.claim.id) for each in under_way]
    await _give_back(tx, under_way, held, take_ids)
    _hush(sightings, {each.message.id for each in found})
    return [each for each in found if each.claim.state == OutboxState.SENT]


def is_unreached(message: MessageRow) -> bool:
    """Tell whether the network calls the contact unreachable, and nothing says that the message arrived or is gone."""
    arrived = (message.delivered_at, message.read_at, message.unsent_at, message.cancelled_at)
    has_failed = message.failed_at is not None and message.error is not None and not message.was_downgraded
    return has_failed and not any(arrived) and _decode_error(message.error or "{}").code in UNREACHABLE_CODES


def may_fall_back(claim: OutboxClaim) -> bool:
    """Tell whether an item's message may go over the line's second bridge, and did not try that yet.

    Of several parts some may have arrived; a group is nobody whom SMS could reach.
    """
    return claim.state in _UNDECIDED and _has_second_way(claim)


def is_held(sighting: Sighting, claim: OutboxClaim) -> bool:
    """Tell whether the first network calls unreachable what the second one has, or may have, or may yet get.

    Then it neither names the message nor shows one of its own: what the bridge answers, a look-up finds or the second
    network tells decides.
    """
    observation, line = sighting.observation, sighting.known_line
    message = observation.message
    error = (message.error if message is not None else None) or observation.error
    if line.fallback_bridge_id in {None, sighting.bridge_id} or message is None or error is None:
        return False
    is_named = claim.guid != attempt_id(claim.id)
    is_open = message.provider_id != claim.guid if is_named else claim.state in _IN_DOUBT
    return is_open and error.code in UNREACHABLE_CODES and _has_second_way(claim)


def _has_second_way(claim: OutboxClaim) -> bool:
    if claim.kind != OperationKind.SEND:
        return False
    payload = _decode_payload(claim.payload)
    return (
        bool(payload.get("allow_sms_fallback"))
        and not payload.get(AS_SMS)
        and len(sent_parts(payload)) == 1
        and (_wish(claim, payload).chat_key or "").startswith("dm:")
    )


async def _claims(tx: HotTransaction, sightings: Sequence[Sighting]) -> Mapping[int, OutboxClaim]:
    ids = {message.outbox_id for each in sightings if isinstance(message := each.message, MessageRow)}
    claims = await tx.outbox_claims(sorted(each for each in ids if each is not None))
    return {claim.id: claim for claim in claims}


async def _give_back(
    tx: HotTransaction, unreached: Sequence[Unreached], messages: Sequence[MessageRow], take_ids: TakeIds
) -> None:
    """Keep messages under the names of their attempts, and what their network calls them out of sight."""
    named = [each.message for each in unreached if not is_placeholder(each.message)]
    await tx.save_messages(list(messages))
    tombstones = [tombstone(each, number) for number, each in zip(take_ids(len(named)), named, strict=True)]
    if tombstones:
        await tx.merge_messages(tombstones)


def _hush(sightings: Sequence[Sighting], message_ids: set[int]) -> None:
    """Tell nobody of a failure that is not the end."""
    for each in sightings:
        if isinstance(message := each.message, MessageRow) and message.id in message_ids:
            each.facts = tuple(fact for fact in each.facts if fact.type != _FAILED)
            each.message = message._replace(failed_at=None, error=None)


def _again(unreached: Unreached, *, outbox_id: int, now_ms: int) -> OutboxRow:
    payload = _decode_payload(unreached.claim.payload)
    payload.pop("send_at", None)
    wish = _wish(unreached.claim, {**payload, AS_SMS: True})
    row = outbox_row(wish, outbox_id=outbox_id, line=unreached.line, api_key_id=None, now_ms=now_ms)
    return row._replace(job_id=unreached.message.job_id)


def _wish(claim: OutboxClaim, payload: Mapping[str, object]) -> Wish:
    return Wish(
        kind=OperationKind.SEND, payload=payload, message_id=claim.message_id, priority=claim.priority
    )
