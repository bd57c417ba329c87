"""Let what a network tells of one piece of a message be about the whole message (hub.rules.pieces).

    evidence of a piece ─▶ its row ─▶ how all pieces stand ─▶ evidence of the message, as if it were one

Pieces are known by what quotes the attempt and says which part it carries, or by what the bridge's answer named. The
whole follows from all pieces known so far, so the order in which evidence comes changes nothing.
Not here: networks that carry a send as one message, and evidence that says nothing of parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Final

import msgspec

from hub.flow.adoption import Adoption, adopt, is_placeholder, settle_doubts, without_doubt
from hub.flow.piece_ports import PieceRow
from hub.flow.ports import HotTransaction
from hub.flow.rows import MessageRow, OutboxClaim
from hub.flow.sent_parts import sent_parts
from hub.flow.sighting import Sighting
from hub.model.observation import (
    KeptPart,
    Observation,
    ObservationKind,
    ObservedError,
    ObservedMessage,
    Part,
)
from hub.model.outbox import OperationKind, SentPiece
from hub.rules.facts import guid_of, is_own
from hub.rules.pieces import Piece, parts_in, standing_of

_RECEIPTS: Final = frozenset({"status.delivered", "status.read"})


class _Error(msgspec.Struct):
    code: str = "unknown"
    raw: str | None = None


_decode_error: Final = msgspec.json.Decoder(_Error).decode
_decode_parts: Final = msgspec.json.Decoder(tuple[KeptPart, ...]).decode

#: (line id, guid)
Key = tuple[int, str]


def quoted_piece(observation: Observation, claim: OutboxClaim) -> PieceRow | None:
    """Give the piece that evidence quoting an item shows; None for what is all of its message, or does not say.

    Args:
        observation: It quotes the item.
        claim: The item, of the line that the observation is about.
    """
    message = observation.message
    if (
        message is None
        or message.part is None
        or claim.kind != OperationKind.SEND
        or claim.message_id is None
    ):
        return None
    if len(sent_parts(claim.payload)) < 2:
        return None
    return PieceRow(
        line_id=claim.line_id,
        guid=message.provider_id,
        message_id=claim.message_id,
        outbox_id=claim.id,
        first_part=message.part,
        part_count=message.part_count or 0,
    )


def is_kept(piece: PieceRow, claim: OutboxClaim) -> bool:
    """Tell whether a piece is of the newest attempt, or of an earlier one that a retry did not repeat."""
    return claim.current_outbox_id == claim.id or piece.first_part < claim.parts_done


def is_all(piece: PieceRow, claim: OutboxClaim) -> bool:
    """Tell whether a piece carries the whole message."""
    part_count = len(sent_parts(claim.payload))
    return len(parts_in(piece, part_count)) == part_count


async def fold_pieces(tx: HotTransaction, sightings: Sequence[Sighting]) -> None:
    """Turn evidence of pieces into evidence of their messages."""
    await _find(tx, sightings)
    shown = [(each, each.piece) for each in sightings if each.piece is not None]
    if not shown:
        return
    ids = sorted({piece.message_id for _, piece in shown})
    messages = {row.id: row for row in await tx.messages_by_id(ids)}
    shown = [(each, piece) for each, piece in shown if piece.message_id in messages]
    await tx.pieces.merge([_with_evidence(piece, each.observation) for each, piece in shown])
    await _take_over(tx, [piece for _, piece in shown], messages)
    wholes = await _wholes(tx, messages)
    await _accept(tx, wholes.values())
    for each, piece in shown:
        each.observation = wholes[piece.message_id].seen(each.observation, piece)


async def keep_pieces(
    tx: HotTransaction, message: MessageRow, outbox_id: int, pieces: Sequence[SentPiece], now_ms: int
) -> None:
    """Note the pieces that a bridge's answer names. The first of them names the message, if nothing did before."""
    if message.outbox_id != outbox_id:
        return  # it was tried anew since
    if is_placeholder(message):
        named = await adopt(tx, [Adoption(message.id, pieces[0].guid, None)])
        message = named[0] if named else message
    rows = [
        PieceRow(
            line_id=message.line_id,
            guid=piece.guid,
            message_id=message.id,
            outbox_id=outbox_id,
            first_part=piece.part,
            part_count=piece.part_count or 0,
            sent_at=now_ms,
        )
        for piece in {piece.guid: piece for piece in pieces}.values()
    ]
    await tx.pieces.merge(rows)
    await _take_over(tx, rows, {message.id: message})


async def _take_over(
    tx: HotTransaction, pieces: Sequence[PieceRow], messages: Mapping[int, MessageRow]
) -> None:
    """Put what was shown as messages of their own, before anybody said what they are, out of sight."""
    strays = [piece for piece in pieces if piece.guid != messages[piece.message_id].guid]
    await tx.pieces.merge(await tx.pieces.hide(strays))


class _Whole:
    """A message with all its pieces."""

    def __init__(self, message: MessageRow, pieces: Sequence[PieceRow], parts: Sequence[Part]) -> None:
        self.message = message
        self._standing = standing_of(pieces, len(parts))
        #: Pieces that were said to have failed. Where the standing knows of no failure, they are there all the same.
        self._doubted = [piece for piece in pieces if piece.failed_at is not None]
        #: What it says.
        self._parts = parts
        #: No network has named the newest attempt: nothing can be told of the message yet.
        self._is_waiting = is_placeholder(message)

    def accepted(self) -> MessageRow:
        """Give the message as it is once its network has what was said to have failed, or all of it."""
        message, at = self.message, self._standing.sent_at
        if self._is_waiting:
            return message
        is_whole = at is not None and self._standing.is_whole
        if self._doubted and self._standing.failure is None and (is_whole or self._is_failed_by_piece()):
            message = message._replace(failed_at=None, error=None)
        if is_whole and message.accepted_at is None:
            message = without_doubt(message)._replace(accepted_at=at, sent_at=at)
        return message

    def _is_failed_by_piece(self) -> bool:
        """Tell whether the failure of a piece, and nothing else, is what the message has failed by."""
        said = _decode_error(self.message.error or "{}")
        told = (
            _error_of(part, piece, self._standing.part_count)
            for piece in self._doubted
            for part in parts_in(piece, self._standing.part_count)
        )
        return any((said.code, said.raw) == (error.code, error.raw) for error in told)

    def seen(self, observation: Observation, piece: PieceRow) -> Observation:
        """Give what an observation of a piece says of the message."""
        if piece.guid == self.message.guid and self._is_all(piece):
            return observation
        if observation.reaction is not None:
            reaction = msgspec.structs.replace(
                observation.reaction, part=observation.reaction.part + piece.first_part
            )
            return msgspec.structs.replace(observation, target=self.message.guid, reaction=reaction)
        if observation.kind == "status.downgraded":
            return msgspec.structs.replace(observation, target=self.message.guid, message=None)
        message = observation.message or ObservedMessage(provider_id=piece.guid)
        bare = ObservedMessage(
            provider_id=self.message.guid,
            is_from_me=True,
            service=message.service,
            effect=message.effect,
            subject=message.subject,
            reply_to=message.reply_to,
        )
        if self._is_waiting:
            return _about(observation, "message.observed", bare)
        if _is_of_member(observation):
            is_last = self._standing.part_count - 1 in parts_in(piece, self._standing.part_count)
            kind = observation.kind if is_last else "message.observed"
            return msgspec.structs.replace(observation, kind=kind, message=bare, target=None)
        return self._of_whole(observation, piece, self._edited(observation, message, bare, piece))

    def _is_all(self, piece: PieceRow) -> bool:
        part_count = self._standing.part_count
        return len(parts_in(piece, part_count)) == part_count

    def _of_whole(self, observation: Observation, piece: PieceRow, bare: ObservedMessage) -> Observation:
        standing = self._standing
        if standing.failure is not None:
            error = _error_of(*standing.failure, standing.part_count)
            failed = msgspec.structs.replace(bare, error=error)
            at = standing.failure[1].failed_at or observation.at
            return msgspec.structs.replace(_about(observation, "status.failed", failed), error=error, at=at)
        if not standing.is_whole:
            return _about(observation, "message.observed", bare)
        whole = msgspec.structs.replace(
            bare,
            parts=bare.parts or tuple(self._parts),
            sent_at=standing.sent_at,
            delivered_at=standing.delivered_at,
            read_at=standing.read_at,
            unsent_at=standing.unsent_at,
        )
        return _about(observation, "message.sent", whole)

    def _edited(
        self, observation: Observation, message: ObservedMessage, bare: ObservedMessage, piece: PieceRow
    ) -> ObservedMessage:
        """Put the new words of a piece that was edited in their place."""
        edited_at = message.edited_at
        if edited_at is None and observation.kind == "message.edited":
            edited_at = observation.at
        if edited_at is None or not message.parts:
            return bare
        changed = parts_in(piece, len(self._parts))
        known = _decode_parts(self.message.parts) if self.message.parts else self._parts
        parts = (*known[: changed.start], *message.parts, *known[changed.stop :])
        return msgspec.structs.replace(bare, parts=parts, edited_at=edited_at)


async def _find(tx: HotTransaction, sightings: Sequence[Sighting]) -> None:
    """Look up what is told without a quote: pieces, and what replies to them. What came in is no piece."""
    wanted: dict[Key, None] = {}
    for each in sightings:
        wanted.update(dict.fromkeys(_keys(each)))
    found = {(row.line_id, row.guid): row for row in await tx.pieces.by_guid(sorted(wanted))}
    if not found:
        return
    ids = sorted({row.message_id for row in found.values()})
    messages = {row.id: row for row in await tx.messages_by_id(ids)}
    for each in sightings:
        line_id, message = each.known_line.id, each.observation.message
        if each.piece is None and not each.is_superseded:
            each.piece = found.get((line_id, guid_of(each.observation) or ""))
        answered = found.get((line_id, message.reply_to)) if message and message.reply_to else None
        if message is not None and answered is not None and answered.message_id in messages:
            named = msgspec.structs.replace(message, reply_to=messages[answered.message_id].guid)
            each.observation = msgspec.structs.replace(each.observation, message=named)


def _keys(sighting: Sighting) -> list[Key]:
    observation, line_id = sighting.observation, sighting.known_line.id
    message, guid = observation.message, guid_of(observation)
    keys = [(line_id, message.reply_to)] if message is not None and message.reply_to is not None else []
    if guid is not None and sighting.piece is None and is_own(observation) is not False:
        keys.append((line_id, guid))
    return keys


async def _wholes(tx: HotTransaction, messages: Mapping[int, MessageRow]) -> dict[int, _Whole]:
    """Put messages together from their pieces. What was asked for is not kept for ever; the message says it, too."""
    items = sorted({row.outbox_id for row in messages.values() if row.outbox_id is not None})
    claims = {claim.id: claim for claim in await tx.outbox_claims(items)}
    rows = sorted(await tx.pieces.of(sorted(messages)), key=attrgetter("message_id"))
    pieces = {message_id: tuple(found) for message_id, found in groupby(rows, key=attrgetter("message_id"))}
    wholes = {}
    for message in messages.values():
        claim = claims.get(message.outbox_id or 0)
        known: tuple[Part, ...] = _decode_parts(message.parts) if message.parts else (Part(type="text"),)
        parts = known if claim is None else sent_parts(claim.payload)
        wholes[message.id] = _Whole(message, pieces.get(message.id, ()), parts)
    return wholes


async def _accept(tx: HotTransaction, wholes: Iterable[_Whole]) -> None:
    """Note for messages that their network now has all of them."""
    found = [(each.message, each.accepted()) for each in wholes]
    changed = [(before, after) for before, after in found if after != before]
    await tx.save_messages([after for _, after in changed])
    await settle_doubts(tx, changed)


def _with_evidence(piece: PieceRow, observation: Observation) -> PieceRow:
    """Add to a piece what an observation shows of it."""
    message, kind, at = observation.message, observation.kind, observation.at
    if observation.reaction is not None or _is_of_member(observation):
        return piece
    error = (message.error if message is not None else None) or observation.error
    if error is not None or kind == "status.failed":
        text = msgspec.json.encode(error or ObservedError(code="unknown")).decode()
        return piece._replace(failed_at=at, error=text)
    told = message or ObservedMessage(provider_id=piece.guid)
    is_unsent = (told.unsent_at is not None or kind == "message.unsent") and not told.unsent_parts
    return piece._replace(
        sent_at=_first(told.sent_at, at),
        delivered_at=_first(told.delivered_at, at if kind == "status.delivered" else None),
        read_at=_first(told.read_at, at if kind == "status.read" else None),
        unsent_at=_first(told.unsent_at, at) if is_unsent else None,
    )


def _error_of(part: int, piece: Piece, part_count: int) -> ObservedError:
    """Say which part failed, and why."""
    error = _decode_error(piece.error or "{}")
    said = f"part {part + 1} of {part_count}: {error.raw or error.code}"
    return ObservedError(code=error.code, raw=said[:4096])


def _is_of_member(observation: Observation) -> bool:
    """Tell whether it is what one member of a group did with the message."""
    in_group = observation.chat is not None and observation.chat.is_group
    return in_group and observation.actor is not None and observation.kind in _RECEIPTS


def _about(observation: Observation, kind: ObservationKind, message: ObservedMessage) -> Observation:
    return msgspec.structs.replace(
        observation, kind=kind, message=message, target=None, actor=None, error=None
    )


def _first(preferred: int | None, otherwise: int | None) -> int | None:
    return otherwise if preferred is None else preferred
