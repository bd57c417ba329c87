"""Do a request once, however often it comes: what it made is remembered under the client's idempotency key.

Not here: how a key is spelled and what counts as the same request (hub.rules.idempotency).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from hub.flow.ports import HotTransaction
from hub.flow.rows import IdempotencyRow
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeatable:
    """A client's wish that its request be done once, however often it comes."""

    #: Whose key it is, and for what.
    scope: str
    key: str
    request_hash: bytes
    #: The run that the key belongs to: it is remembered as long as that may go on, however long it takes.
    run_id: int | None = None


class AcceptedItem(NamedTuple):
    """One outbox item, and the message that it sends or acts on, if there is one."""

    outbox_id: int
    message_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """What a request made, durable."""

    #: In the order asked for; never empty.
    items: tuple[AcceptedItem, ...]
    #: Whether an earlier request with the same idempotency key made it.
    is_replayed: bool = False

    @property
    def outbox_id(self) -> int:
        """The first item."""
        return self.items[0].outbox_id

    @property
    def message_id(self) -> int | None:
        """The first message."""
        return self.items[0].message_id


#: What a request is told.
Answer = Accepted | InvalidRequest


class _Answered(msgspec.Struct):
    """What an idempotency key remembers."""

    items: tuple[AcceptedItem, ...]


def key_row(repeatable: Repeatable, accepted: Accepted, now: int) -> IdempotencyRow:
    """Give the row that remembers an answer under its key."""
    answer = {"id": id_text(Prefix.OUTBOX, accepted.outbox_id), "items": accepted.items}
    response = msgspec.json.encode(answer).decode()
    return IdempotencyRow(
        repeatable.scope, repeatable.key, repeatable.request_hash, 201, response, now, repeatable.run_id
    )


async def remember(
    tx: HotTransaction, asked: Accepted, repeatable: Repeatable | None, *, now_ms: int
) -> Accepted:
    """Remember an answer under its idempotency key; give it, or the one that was given before.

    Raises:
        InvalidRequest: idempotency_key_conflict.
    """
    if repeatable is None:
        return asked
    row = key_row(repeatable, asked, now_ms)
    [known] = await tx.insert_idempotency([row])
    answer = answer_of(known or row, repeatable, own_id=asked.outbox_id)
    if isinstance(answer, InvalidRequest):
        raise answer
    return answer


def answer_of(row: IdempotencyRow, repeatable: Repeatable, *, own_id: int) -> Answer:
    """Read what a key remembers.

    Args:
        row: What stands under the key.
        repeatable: The request that came now.
        own_id: The first item that this request would make: if the row names it, it is no repeat.
    """
    if row.request_hash != repeatable.request_hash:
        return conflict()
    items = msgspec.json.decode(row.response, type=_Answered).items
    return Accepted(items=items, is_replayed=items[0].outbox_id != own_id)


def conflict() -> InvalidRequest:
    """Refuse a key that stands for another request."""
    return InvalidRequest(
        "idempotency_key_conflict",
        "This idempotency key was used with another request; take a fresh key for a new request.",
        param="Idempotency-Key",
    )
