"""What an agent says of a send that nobody waits for any more: it is told as evidence, which any bridge may bring late.

    answer ─▶ its item is in doubt, or ended as `delivery_unknown` ─▶ evidence that quotes the attempt (hub.flow.ingest)

Not here: answers that somebody waits for (hub.worker.remote), and refusals: they leave a message failed, as it is.
"""

from __future__ import annotations

import structlog

from hub.flow.adoption import DELIVERY_UNKNOWN
from hub.flow.agent_calls import read_operation
from hub.flow.ingest import BridgeRequest
from hub.flow.repositories import Outbox
from hub.flow.sandbox import Ingesting
from hub.flow.wishes import Wish
from hub.model.bridge_call import BridgeCall, CallVerb
from hub.model.observation import Observation, ObservedChat, ObservedMessage
from hub.model.outbox import (
    Disposition,
    Operation,
    OperationKind,
    OperationOutcome,
    OutboxItem,
    OutboxState,
    SentPiece,
)
from hub.rules.chatkeys import handle_of

log = structlog.get_logger("agents")


class LateAnswers:
    """Takes in what was answered too late to be waited for."""

    def __init__(self, outbox: Outbox, ingest: Ingesting) -> None:
        self._outbox = outbox
        self._ingest = ingest

    async def take_in(self, call: BridgeCall, outcome: OperationOutcome) -> None:
        """Tell of a send that turns out to have been made; any other answer is no news."""
        if call.verb is not CallVerb.PERFORM or outcome.disposition is not Disposition.ACCEPTED:
            return
        operation = read_operation(call.asked).operation()
        item = await self._outbox.get(operation.outbox_id)
        shown = evidence_of(operation, outcome)
        if not shown or item is None or not _is_in_doubt(item):
            return
        log.info("call.late", bridge_id=call.bridge_id, call=call.id, outbox_id=item.id)
        body = (call.outcome or "{}").encode()
        await self._ingest(BridgeRequest(call.bridge_id, f"late.{call.id:x}", body, shown))


def evidence_of(operation: Operation, outcome: OperationOutcome) -> tuple[Observation, ...]:
    """Give what an accepted send shows: its messages, as far as the network named them."""
    key = Wish(kind=operation.kind, payload=operation.payload).chat_key
    if operation.kind is not OperationKind.SEND or key is None:
        return ()
    named = () if outcome.provider_id is None else (SentPiece(guid=outcome.provider_id),)
    return tuple(
        Observation(
            v=1,
            line=operation.line_handle,
            kind="status.sent",
            at=operation.dispatched_at,
            chat=ObservedChat(key=key, is_group=handle_of(key) is None),
            message=ObservedMessage(
                provider_id=piece.guid,
                is_from_me=True,
                attempt_id=operation.attempt_id,
                part=piece.part,
                part_count=piece.part_count,
                sent_at=operation.dispatched_at,
            ),
        )
        for piece in outcome.pieces or named
    )


def _is_in_doubt(item: OutboxItem) -> bool:
    is_given_up = item.state is OutboxState.FAILED and (item.error or "").startswith(DELIVERY_UNKNOWN)
    return is_given_up or item.state is OutboxState.UNKNOWN
