"""Accept sends: check them, then owe them to the line's bridge. Accepted is not delivered.

Sends that come at the same time share one durable transaction. An idempotency key is inserted in the same
transaction as the outbox item it names, so of concurrent duplicates one is sent and the others get its answer.
Not here: performing the send (hub.flow.send) and who the recipient is (hub.flow.recipients).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import msgspec

from hub.flow.batching import Batcher
from hub.flow.capabilities import require_able
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.repositories import Store
from hub.flow.rows import IdempotencyRow, OutboxRow
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory, Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.lanes import shard_of

#: Tries of a send that certainly did not start; what the wire shows as `max_attempts`.
MOST_ATTEMPTS = 8
#: Sends in one transaction at the most.
MOST_SENDS = 256
#: Fields that we add to the client's request for the bridge; they are not shown again.
RESOLVED_FIELDS = frozenset({"chat_key", "message_guid", "reply_to_guid"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeatable:
    """A client's wish that its request be done once, however often it comes."""

    #: Whose key it is, and for what.
    scope: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Accepted:
    """An outbox item that is durable."""

    outbox_id: int
    #: Whether an earlier request with the same idempotency key made it.
    is_replayed: bool = False


class _Send(NamedTuple):
    row: OutboxRow
    repeatable: Repeatable | None


class Outgoing:
    """Takes what lines are to do."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        new_id: IdFactory,
        wake_ups: WakeUps,
        can_send: Callable[[Line], bool] = lambda line: True,
    ) -> None:
        self._store = store
        self._can_send = can_send
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups
        self._batches: Batcher[_Send, Accepted | None] = Batcher(self._record, most_items=MOST_SENDS)

    async def accept(
        self,
        line: Line,
        kind: OperationKind,
        payload: Mapping[str, object],
        *,
        api_key_id: int | None,
        repeatable: Repeatable | None = None,
    ) -> Accepted:
        """Owe one operation to a line's bridge; durable when this returns.

        Args:
            line: Whose lane it joins.
            kind: What to do.
            payload: The client's request, checked, with what it names resolved (`RESOLVED_FIELDS`).
            api_key_id: Who asked.
            repeatable: None when the client gave no idempotency key.

        Raises:
            InvalidRequest: advanced_features_required, line_inactive or idempotency_key_conflict.
        """
        if not self._can_send(line):
            raise InvalidRequest(
                "advanced_features_required",
                "The bridge of this line only brings events in; it cannot send. Use another line.",
                param="from",
            )
        require_able(line, kind, payload)
        if not line.is_active:
            raise InvalidRequest("line_inactive", "The line is switched off; nothing is sent.", param="from")
        now = self._clock.now_ms()
        row = OutboxRow(
            self._new_id(),
            line.id,
            shard_of(line.id),
            api_key_id,
            kind,
            msgspec.json.encode(payload).decode(),
            now,
            now,
        )
        accepted = await self._batches.submit(_Send(row, repeatable))
        if accepted is None:
            raise InvalidRequest(
                "idempotency_key_conflict",
                "This idempotency key was used with another request; take a fresh key for a new request.",
                param="Idempotency-Key",
            )
        return accepted

    async def _record(self, sends: Sequence[_Send]) -> list[Accepted | None]:
        """Insert a batch; None where a key was used with another request."""
        answers = await self._store.hot.write(lambda tx: _record_in(tx, sends, self._clock.now_ms()))
        now = self._clock.now_ms()
        for line_id in {send.row.line_id for send in sends}:
            self._wake_ups.line_due(line_id, now)
        return answers


async def _record_in(tx: HotTransaction, sends: Sequence[_Send], now: int) -> list[Accepted | None]:
    firsts = _firsts(sends, now)
    known = await tx.insert_idempotency(list(firsts.values()))
    held = {place: existing or own for (place, own), existing in zip(firsts.items(), known, strict=True)}
    answers = [_answer(send, held) for send in sends]
    fresh = [
        send.row
        for send, answer in zip(sends, answers, strict=True)
        if answer is not None and answer.outbox_id == send.row.id
    ]
    await tx.insert_outbox(fresh)
    return answers


def _firsts(sends: Sequence[_Send], now: int) -> dict[tuple[str, str], IdempotencyRow]:
    """For each idempotency key of the batch, the row of the first send that carries it."""
    rows: dict[tuple[str, str], IdempotencyRow] = {}
    for row, repeatable in sends:
        if repeatable is not None:
            response = msgspec.json.encode({"id": id_text(Prefix.OUTBOX, row.id), "item": row.id}).decode()
            new = IdempotencyRow(
                repeatable.scope, repeatable.key, repeatable.request_hash, 201, response, now
            )
            rows.setdefault((repeatable.scope, repeatable.key), new)
    return rows


def _answer(send: _Send, held: Mapping[tuple[str, str], IdempotencyRow]) -> Accepted | None:
    repeatable = send.repeatable
    if repeatable is None:
        return Accepted(outbox_id=send.row.id)
    row = held[repeatable.scope, repeatable.key]
    if row.request_hash != repeatable.request_hash:
        return None
    outbox_id: int = msgspec.json.decode(row.response)["item"]
    return Accepted(outbox_id=outbox_id, is_replayed=outbox_id != send.row.id)
