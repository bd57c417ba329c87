"""What ingest does for messages that we were asked to send. Sightings of all others pass through here for nothing.

Before the merge: believe quotes, let messages take their network's name, notice attempts that were replaced.
After it: read the whole row, so that events show it, and keep silent on what our own outcome has told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from hub.flow.adoption import Adoption, adopt
from hub.flow.echoes import Shown, may_be_echo, told_before
from hub.flow.evidence import believed, quoted_outbox_id
from hub.flow.late_fallback import Unreached, is_held, notice
from hub.flow.pieces import fold_pieces, is_all, is_kept, quoted_piece
from hub.flow.ports import HotTransaction
from hub.flow.record import TakeIds
from hub.flow.rows import Known, MessageRow, OutboxClaim
from hub.flow.sighting import Sighting
from hub.model.outbox import OperationKind, attempt_id
from hub.rules.facts import text_of

_SUPERSEDED: Final = Known.SUPERSEDED.value
_DOWNGRADED: Final = "status.downgraded"


async def check_quotes(tx: HotTransaction, sightings: Sequence[Sighting]) -> None:
    """Believe no observation that quotes an item of another line; let quoted messages take their network's name, and
    let what is told of one of a message's pieces be told of the message.
    """
    await _check_quotes(tx, sightings)
    await fold_pieces(tx, sightings)


async def _check_quotes(tx: HotTransaction, sightings: Sequence[Sighting]) -> None:
    quotes = {
        outbox_id for each in sightings if (outbox_id := quoted_outbox_id(each.observation)) is not None
    }
    if not quotes:
        return
    claims = {claim.id: claim for claim in await tx.outbox_claims(sorted(quotes))}
    adoptions: dict[int, Adoption] = {}
    for each in sightings:
        each.observation = believed(each.observation, line_id=each.known_line.id, claims=claims)
        _judge(each, claims, adoptions)
    await adopt(tx, list(adoptions.values()))


def _judge(sighting: Sighting, claims: Mapping[int, OutboxClaim], adoptions: dict[int, Adoption]) -> None:
    """See what a believed quote means for the message that it is about."""
    outbox_id, message = quoted_outbox_id(sighting.observation), sighting.observation.message
    claim = claims.get(outbox_id) if outbox_id is not None else None
    if claim is None or message is None or claim.kind != OperationKind.SEND or claim.message_id is None:
        return
    is_elsewhere = _is_of_first_network(sighting, claim)
    piece = quoted_piece(sighting.observation, claim)
    if piece is not None and not is_elsewhere and is_kept(piece, claim):
        sighting.piece = piece
    if claim.current_outbox_id != claim.id or is_elsewhere or is_held(sighting, claim):
        sighting.is_superseded = sighting.piece is None
    elif claim.guid == attempt_id(claim.id):
        at_ms = sighting.observation.at if message.sent_at is None else message.sent_at
        if piece is not None and not is_all(piece, claim):
            # Only a part of it: the message has its name, and is not there yet.
            adoptions.setdefault(claim.message_id, Adoption(claim.message_id, message.provider_id, None))
            return
        known = adoptions.setdefault(claim.message_id, Adoption(claim.message_id, message.provider_id, at_ms))
        # Of several guids (a message in several parts) the first is the message's; the others are theirs.
        if known.guid == message.provider_id and known.at_ms is not None:
            adoptions[claim.message_id] = known._replace(at_ms=min(known.at_ms, at_ms))


def _is_of_first_network(sighting: Sighting, claim: OutboxClaim) -> bool:
    """Whether it is what the line's first network tells of a message that went over the second one."""
    line, message = sighting.known_line, sighting.observation.message
    return (
        bool(claim.was_downgraded)
        and line.fallback_bridge_id not in {None, sighting.bridge_id}
        and message is not None
        and message.provider_id != claim.guid
    )


async def see_own_messages(
    tx: HotTransaction, sightings: Sequence[Sighting], *, take_ids: TakeIds
) -> list[Unreached]:
    """Put whole rows in the place of the snapshots of our own messages, and drop facts that were told.

    Returns:
        Those that are to go over their line's second bridge (hub.flow.late_fallback).
    """
    own = [
        each
        for each in sightings
        if (message := each.message) is not None
        and (message.outbox_id is not None or each.observation.kind == _DOWNGRADED)
        and message.is_known != _SUPERSEDED
    ]
    if not own:
        return []
    ids = sorted({each.message.id for each in own if each.message is not None})
    rows = {row.id: row for row in await tx.messages_by_id(ids)}
    await _note_downgrades(tx, own, rows)
    for each in own:
        if each.message is not None:
            each.message = rows[each.message.id]
    unreached = await notice(tx, own, take_ids=take_ids)
    shown = [echo for each in own for echo in _possible_echoes(each)]
    told = await told_before(tx, shown)
    for each in own if told else ():
        each.facts = tuple(fact for fact in each.facts if fact.dedupe_key not in told)
    return unreached


async def _note_downgrades(
    tx: HotTransaction, sightings: Sequence[Sighting], rows: dict[int, MessageRow]
) -> None:
    downgraded = {
        each.message.id: rows[each.message.id]._replace(was_downgraded=1)
        for each in sightings
        if each.observation.kind == _DOWNGRADED and each.message is not None and each.message.is_from_me
    }
    rows.update(downgraded)
    await tx.save_messages(list(downgraded.values()))


def _possible_echoes(sighting: Sighting) -> list[Shown]:
    message = sighting.message
    if message is None or message.outbox_id is None or not message.is_from_me:
        return []
    observed = sighting.observation.message
    text = text_of(observed.parts) if observed is not None else None
    return [Shown(message.id, fact, text) for fact in sighting.facts if may_be_echo(fact)]
