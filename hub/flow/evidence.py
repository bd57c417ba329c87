"""What evidence may claim about our own sends, and what we know of them that it does not say.

Whoever can push for one line could quote the attempt id of another line's item: an attempt id is believed only if
its item is one of that very line. Evidence often comes without words; the item has them.
Not here: which facts follow (hub.rules.facts).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from hub.flow.rows import OutboxClaim
from hub.flow.sent_parts import sent_parts, with_our_files
from hub.model.observation import ATTACHED, Observation, ObservedMessage, Part
from hub.model.outbox import outbox_id_of

#: Kinds that create a message, and whose event should show what was sent.
_SHOWS_WHAT_WAS_SENT: Final = frozenset({"message.received", "message.sent", "status.sent"})


def quoted_outbox_id(observation: Observation) -> int | None:
    """Give the outbox item that an observation quotes, if it quotes one of ours."""
    message = observation.message
    if message is None or message.attempt_id is None:
        return None
    return outbox_id_of(message.attempt_id)


def believed(observation: Observation, *, line_id: int, claims: Mapping[int, OutboxClaim]) -> Observation:
    """Drop a quote that is not the line's own, and fill in the words of one that is.

    Args:
        observation: As the bridge told it.
        line_id: The line that it is about; the bridge carries it.
        claims: The items quoted by the batch, as far as they exist.
    """
    outbox_id, message = quoted_outbox_id(observation), observation.message
    if outbox_id is None or message is None:
        return observation
    claim = claims.get(outbox_id)
    if claim is None or claim.line_id != line_id:
        return msgspec.structs.replace(observation, message=msgspec.structs.replace(message, attempt_id=None))
    parts = _shown_parts(observation.kind, message, claim)
    if parts == message.parts:
        return observation
    return msgspec.structs.replace(observation, message=msgspec.structs.replace(message, parts=parts))


def _shown_parts(kind: str, message: ObservedMessage, claim: OutboxClaim) -> tuple[Part, ...]:
    """Give what the message says, as far as the evidence or we know."""
    if any(part.type in ATTACHED for part in message.parts):
        return with_our_files(message.parts, sent_parts(claim.payload))
    if kind in _SHOWS_WHAT_WAS_SENT and _is_bare(message):
        return sent_parts(claim.payload)
    return message.parts


def _is_bare(message: ObservedMessage) -> bool:
    """Whether it says nothing of the content, nor that the content is no longer what was sent."""
    has_changed = message.edited_at is not None or message.unsent_at is not None or message.unsent_parts
    return not message.parts and not has_changed
