"""What is left of a send in several pieces: to send, where it is tried again, and to look for, where nobody can say.

Parts that the network has are neither sent nor looked for again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.flow.piece_ports import PieceRow
from hub.flow.ports import HotTransaction
from hub.flow.rows import OutboxClaim
from hub.flow.sent_parts import sent_parts
from hub.model.outbox import Operation, OperationKind, OutboxState
from hub.rules.pieces import parts_in, standing_of

#: Member of a send: the parts beyond `parts_done` that the network has, too, from 0.
PARTS_KEPT: Final = "parts_kept"
#: What a line sent so long before can still be taken for another send: networks date by clocks of their own.
_OTHERS_MS: Final = 120_000
_MOST_NAMES: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Remaining:
    """A message between two attempts."""

    #: How many parts the network has from the first one on.
    parts_done: int
    #: The parts beyond those that it has, too.
    kept: tuple[int, ...]
    #: The pieces that the next attempt makes anew.
    gone: tuple[PieceRow, ...]


def remaining_of(claim: OutboxClaim, pieces: Sequence[PieceRow]) -> Remaining:
    """Say what is left to send.

    A send that was accepted as a whole and failed later, without a word of which part, begins anew.
    """
    part_count = len(sent_parts(claim.payload))
    standing = standing_of(pieces, part_count)
    present = frozenset[int]() if standing.is_whole else standing.present
    is_partly_done = claim.state == OutboxState.FAILED and claim.parts_done < part_count
    done = max(claim.parts_done if is_partly_done else 0, 0 if standing.is_whole else standing.parts_done)
    kept = present | frozenset(range(done))
    gone = [piece for piece in pieces if kept.isdisjoint(parts_in(piece, part_count))]
    return Remaining(
        parts_done=done,
        kept=tuple(sorted(part for part in present if part > done)),
        gone=tuple(gone),
    )


async def what_to_look_for(
    operation: Operation, line_id: int, message_id: int | None, tx: HotTransaction
) -> tuple[Operation, bool]:
    """Name the other sends of the line, and leave out the parts that are known to be there.

    One that says the same is no proof of this one, nor is one part of it proof of another.

    Returns:
        What a bridge is asked, and whether there is nothing left to ask.
    """
    if operation.kind is not OperationKind.SEND:
        return operation, False
    since_ms = operation.dispatched_at - _OTHERS_MS
    others = await tx.guids_of_others(line_id, operation.outbox_id, since_ms)
    pieces = await tx.pieces.of([message_id]) if message_id is not None else []
    if message_id is not None:
        others += await tx.pieces.of_others(message_id, operation.outbox_id, since_ms, _MOST_NAMES)
    taken = frozenset(others) | {piece.guid for piece in pieces}
    standing = standing_of(pieces, len(sent_parts(operation.payload)))
    done = max(_number(operation.payload.get("parts_done")), standing.parts_done)
    kept = sorted(part for part in standing.present if part > done)
    known = {name: value for name, value in (("parts_done", done), (PARTS_KEPT, kept)) if pieces and value}
    asked = replace(operation, payload={**operation.payload, **known}, taken=taken)
    return asked, bool(pieces) and standing.is_whole


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
