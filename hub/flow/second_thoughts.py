"""What may be done with a message that was asked for: cancel it while it waits, retry it when it failed.

Each is one transaction that looks at the message as it stands and says no if another was faster.
Not here: what changes a sent message on its network (edit, unsend), which is an operation like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from hub.flow.adoption import is_placeholder, name_given_back, tombstone
from hub.flow.outgoing import Outgoing
from hub.flow.payloads import status_of
from hub.flow.piece_ports import PieceRow
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.record import Recorder
from hub.flow.remaining import PARTS_KEPT, remaining_of
from hub.flow.repeating import Accepted, AcceptedItem, Repeatable, remember
from hub.flow.rows import EventRow, MessageRow, OutboxRow
from hub.flow.wishes import Wish, outbox_row, own_event
from hub.model.errors import InvalidRequest
from hub.model.ids import IdFactory
from hub.model.line import Line
from hub.model.outbox import AS_SMS, OperationKind
from hub.rules.message_status import MessageStatus

#: What a retry does not take over from the attempt before.
_OF_ONE_ATTEMPT: Final = frozenset({"send_at", AS_SMS, PARTS_KEPT})


class _Retry(NamedTuple):
    """A wish to try a failed message again."""

    line: Line
    message_id: int
    outbox_id: int
    #: Of the row that keeps the failed attempt out of sight.
    tombstone_id: int
    api_key_id: int | None
    repeatable: Repeatable | None


class SecondThoughts:
    """Cancels and retries."""

    def __init__(
        self, *, outgoing: Outgoing, recorder: Recorder, clock: Clock, new_id: IdFactory, wake_ups: WakeUps
    ) -> None:
        self._outgoing = outgoing
        self._recorder = recorder
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups

    async def cancel(self, line: Line, message_id: int, *, with_its_set: bool = False) -> list[MessageRow]:
        """Cancel a message that waits, and if wanted all others of its request that wait; give what was cancelled.

        Raises:
            InvalidRequest: message_not_found, or message_state_conflict when there is nothing to cancel.
        """
        return await self._recorder.write(lambda tx: self._cancel_in(tx, line, message_id, with_its_set))

    async def _cancel_in(
        self, tx: HotTransaction, line: Line, message_id: int, with_its_set: bool
    ) -> tuple[list[MessageRow], list[EventRow]]:
        message = await _message(tx, message_id)
        claims = await tx.outbox_claims([message.outbox_id or 0])
        ids = [claim.id for claim in claims]
        if with_its_set and claims and claims[0].set_id is not None:
            ids = await tx.outbox_set(claims[0].set_id)
        cancelled, events = await self.cancel_in(tx, line, ids)
        if not cancelled:
            raise _not_cancellable(message)
        return cancelled, events

    async def cancel_in(
        self, tx: HotTransaction, line: Line, outbox_ids: Sequence[int]
    ) -> tuple[list[MessageRow], list[EventRow]]:
        """Cancel the sends of a line that were not handed over yet; give their messages, and the events to tell."""
        now_ms = self._clock.now_ms()
        cancelled = await tx.cancel_outbox(outbox_ids, now_ms)
        claims = await tx.outbox_claims(sorted(cancelled))
        ids = [claim.message_id for claim in claims if claim.message_id is not None]
        messages = [row._replace(cancelled_at=now_ms) for row in await tx.messages_by_id(ids)]
        await tx.save_messages(messages)
        keys = await tx.chats.keys([message.chat_id for message in messages])
        events = [
            own_event(
                "message.cancelled",
                message,
                outbox_id=message.outbox_id or 0,
                line_handle=line.handle,
                chat_key=keys.get(message.chat_id),
                at_ms=now_ms,
                links=self._outgoing.links,
            )
            for message in messages
        ]
        return messages, events

    async def retry(
        self, line: Line, message_id: int, *, api_key_id: int | None, repeatable: Repeatable | None
    ) -> Accepted:
        """Try a failed message again, beginning after the parts that its network has.

        Raises:
            InvalidRequest: message_not_found, message_state_conflict, idempotency_key_conflict, or as
                `Outgoing.accept`.
        """
        outbox_id, tombstone_id = self._new_id.take(2)
        retry = _Retry(line, message_id, outbox_id, tombstone_id, api_key_id, repeatable)
        accepted = await self._recorder.write(lambda tx: self._retry_in(tx, retry))
        self._wake_ups.line_due(line.id, self._clock.now_ms())
        return accepted

    async def _retry_in(self, tx: HotTransaction, retry: _Retry) -> tuple[Accepted, list[EventRow]]:
        asked = Accepted(items=(AcceptedItem(retry.outbox_id, retry.message_id),))
        answer = await remember(tx, asked, retry.repeatable, now_ms=self._clock.now_ms())
        if answer.is_replayed:
            return answer, []
        failed = await _message(tx, retry.message_id)
        row, wish, gone = await self._again(tx, retry, failed)
        await self._outgoing.admit(tx, retry.line, wish, row)
        queued = _queued(failed, row)
        await tx.save_messages([queued])
        if not is_placeholder(failed):
            await tx.merge_messages([tombstone(failed, retry.tombstone_id)])
        await self._let_go(tx, failed, gone)
        await tx.insert_outbox([row])
        keys = await tx.chats.keys([queued.chat_id])
        event = own_event(
            "message.queued",
            queued,
            outbox_id=row.id,
            line_handle=retry.line.handle,
            chat_key=keys.get(queued.chat_id),
            at_ms=row.created_at,
            links=self._outgoing.links,
        )
        return answer, [event]

    async def _again(
        self, tx: HotTransaction, retry: _Retry, failed: MessageRow
    ) -> tuple[OutboxRow, Wish, tuple[PieceRow, ...]]:
        """Give the item that does once more what the failed one was to do, and the pieces that it does anew."""
        if (status := status_of(failed)) is not MessageStatus.FAILED:
            raise state_conflict(status, "only one that failed can be sent again")
        claims = await tx.outbox_claims([failed.outbox_id or 0])
        if not claims:
            raise state_conflict(status, "but what was to be sent is not kept any more; send it as a new one")
        claim = claims[0]
        rest = remaining_of(claim, await tx.pieces.of([failed.id]))
        payload = msgspec.json.decode(claim.payload, type=dict[str, object])
        kept = {PARTS_KEPT: rest.kept} if rest.kept else {}
        wish = Wish(
            kind=OperationKind.SEND,
            payload={name: payload[name] for name in payload if name not in _OF_ONE_ATTEMPT} | kept,
            message_id=failed.id,
            priority=claim.priority,
        )
        row = outbox_row(
            wish,
            outbox_id=retry.outbox_id,
            line=retry.line,
            api_key_id=retry.api_key_id,
            now_ms=self._clock.now_ms(),
        )
        return row._replace(parts_done=rest.parts_done, job_id=failed.job_id), wish, rest.gone

    async def _let_go(self, tx: HotTransaction, failed: MessageRow, gone: Sequence[PieceRow]) -> None:
        """Forget the pieces that are sent anew, and be deaf to what is still told of them."""
        others = [piece.guid for piece in gone if piece.guid != failed.guid]
        await tx.pieces.forget([(piece.line_id, piece.guid) for piece in gone])
        ids = self._new_id.take(len(others))
        await tx.merge_messages(
            [tombstone(failed, row_id)._replace(guid=guid) for row_id, guid in zip(ids, others, strict=True)]
        )


async def _message(tx: HotTransaction, message_id: int) -> MessageRow:
    messages = await tx.messages_by_id([message_id])
    if not messages:
        raise InvalidRequest("message_not_found", "Message not found.")
    return messages[0]


def _queued(failed: MessageRow, item: OutboxRow) -> MessageRow:
    """Give the message as it waits again, under the name of its new attempt."""
    return name_given_back(failed, item.id)._replace(
        sent_at=item.created_at, queued_at=item.created_at, send_at=None
    )


def state_conflict(status: MessageStatus, what: str) -> InvalidRequest:
    """Refuse something because of how the message stands."""
    return InvalidRequest("message_state_conflict", f"The message is {status}; {what}.")


def _not_cancellable(message: MessageRow) -> InvalidRequest:
    status = status_of(message)
    if status is MessageStatus.QUEUED:
        return state_conflict(
            status, "but it is being handed to its bridge, and cannot be cancelled any more"
        )
    return state_conflict(status, "only one that waits (queued or planned) can be cancelled")
