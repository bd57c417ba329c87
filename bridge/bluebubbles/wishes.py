"""What an operation asks of the server: pieces to send and requests to make. Pure.

Not here: files (they are read by whoever sends) and which chat guid is the right one (bridge.bluebubbles.sending).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.bluebubbles.content import EFFECTS
from bridge.bluebubbles.shapes import JSON, number, text
from bridge.quotes import Quote, kept_parts
from hub.model.outbox import Operation

_NAMESPACE: Final = uuid.UUID("7f7a31a5-64c4-4bb2-9f53-0a2a9a6d8f5e")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """What becomes one message, or one part of one."""

    text: str | None = None
    #: The `file_` id of an attachment.
    file_id: str | None = None
    is_voice: bool = False
    mention: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A send: pieces, and what goes with the first of them."""

    pieces: tuple[Piece, ...]
    #: Whether all pieces are one message (`/message/multipart`).
    is_one_message: bool
    #: Fields that `text`, `attachment` and `multipart` take alike.
    extras: tuple[tuple[str, Any], ...]


def wish_of(operation: Operation, *, is_private: bool) -> Wish:
    """Read a send."""
    payload = operation.payload
    pieces = _listed_parts(payload) or _plain_parts(payload)
    has_mention = any(piece.mention for piece in pieces)
    has_voice = any(piece.is_voice for piece in pieces)
    is_one = is_private and not has_voice and (len(pieces) > 1 or has_mention)
    return Wish(pieces=pieces, is_one_message=is_one, extras=tuple(_extras(payload)))


def places_left(operation: Operation, wish: Wish) -> tuple[int, ...]:
    """Give the pieces that the network does not have from an earlier attempt, from 0."""
    done = min(max(number(operation.payload, "parts_done") or 0, 0), len(wish.pieces))
    kept = kept_parts(operation.payload)
    return tuple(place for place in range(done, len(wish.pieces)) if place not in kept)


def temp_guid(operation: Operation, index: int) -> str:
    """Name one of the messages of a send; the first is named as the attempt, so that evidence leads back."""
    attempt_id = operation.attempt_id
    return attempt_id if index == 0 else str(uuid.uuid5(_NAMESPACE, f"{attempt_id}:{index}"))


def quote_named(temp_guid: str | None, given: Mapping[str, Quote]) -> Quote | None:
    """Give what a message with this tempGuid is of our sends; the first one of a send is named as its attempt.

    Args:
        temp_guid: As the server shows it.
        given: Those that were given of late.
    """
    if temp_guid is None:
        return None
    return given.get(temp_guid) or Quote(temp_guid)


def _extras(payload: JSON) -> list[tuple[str, Any]]:
    extras: list[tuple[str, Any]] = []
    if effect := text(payload, "effect"):
        name = effect.strip().lower().replace(" ", "-").replace("_", "-")
        extras += [("effectId", EFFECTS.get(name, effect))] if name != "none" else []
    if subject := text(payload, "subject"):
        extras.append(("subject", subject))
    if reply_to := text(payload, "reply_to_guid") or text(payload, "reply_to"):
        extras += [("selectedMessageGuid", reply_to), ("partIndex", 0)]
    return extras


def _listed_parts(payload: JSON) -> tuple[Piece, ...]:
    listed = payload.get("parts")
    found: list[Piece] = []
    for each in listed if isinstance(listed, list | tuple) else ():
        if not isinstance(each, Mapping):
            continue
        if each.get("type") == "attachment":
            found.append(Piece(file_id=text(each, "file_id") or text(each, "id")))
        elif words := text(each, "text") or text(each, "url"):
            found.append(Piece(text=words, mention=text(each, "mention")))
    return tuple(found)


def _plain_parts(payload: JSON) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    if words := text(payload, "text"):
        pieces.append(Piece(text=words))
    if voice := text(payload, "audio_message"):
        pieces.append(Piece(file_id=voice, is_voice=True))
    attached = payload.get("attachments")
    is_voice = payload.get("voice_memo") is True
    for each in attached if isinstance(attached, list | tuple) else ():
        named = (
            each if isinstance(each, str) else text(each, "file_id") if isinstance(each, Mapping) else None
        )
        if named:
            pieces.append(Piece(file_id=named, is_voice=is_voice))
    return tuple(pieces)
