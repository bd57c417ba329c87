"""/v1/outbox: what became of a send (contracts: messages.dev §2, §3)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply, field_id, not_found
from hub.api.waiting import PREFER, wait_for, wanted_wait
from hub.flow.outgoing import MOST_ATTEMPTS, RESOLVED_FIELDS
from hub.flow.safety import HELD_REASONS
from hub.model.ids import Prefix, id_text
from hub.model.outbox import STATE_NAME, WIRE_STATUS, OutboxItem, OutboxState, OutboxStateName, OutboxStatus


class OutboxQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which send."""

    id: str


class OutboxReply(msgspec.Struct, frozen=True, kw_only=True):
    """A send and its progress."""

    id: str
    line_id: str
    #: What was asked: `send`, `react`, `edit`, …
    kind: str
    status: OutboxStatus
    #: Our finer word for `status`: a claimed one is `dispatched` or `unknown`, a failed one may be `cancelled`.
    state: OutboxStateName
    #: The request as it was made.
    payload: dict[str, Any]
    #: What the bridge found out or made, where there is more to tell than that it was done.
    result: dict[str, Any] | None
    #: The message that it sends, or acts on.
    message_id: str | None
    #: 0 to 100: higher first.
    priority: int
    #: A code, and what it means, once it failed.
    error: str | None
    #: While it is put off: until when (Unix ms), and by what: `quiet_hours`, `message_limit_reached` or
    #: `new_conversation_limit_reached`.
    held_until: int | None
    held_reason: str | None
    attempts: int
    max_attempts: int
    created_at: int
    completed_at: int | None
    request_id: str


async def _get(call: Call[OutboxQuery, NoBody]) -> Reply:
    outbox_id = field_id(call.query.id, Prefix.OUTBOX, "outbox_item", param="id")
    seconds = wanted_wait(call)
    item = await call.uses.store.outbox.get(outbox_id)
    if item is None or not call.uses.lines.may_use(call.key, item.line_id):
        raise not_found("outbox_item", param="id")
    if seconds is None:
        return Reply(content=_shown(item, call.request_id))
    later, headers = await wait_for(call, outbox_id, seconds)
    return Reply(content=_shown(later or item, call.request_id), headers=headers)


def _shown(item: OutboxItem, request_id: str) -> OutboxReply:
    is_held = item.state is OutboxState.PENDING and item.error in HELD_REASONS
    return OutboxReply(
        id=id_text(Prefix.OUTBOX, item.id),
        line_id=id_text(Prefix.LINE, item.line_id),
        kind=item.kind,
        status=WIRE_STATUS[item.state],
        state=STATE_NAME[item.state],
        payload={name: value for name, value in item.payload.items() if name not in RESOLVED_FIELDS},
        result=item.result,
        message_id=None if item.message_id is None else id_text(Prefix.MESSAGE, item.message_id),
        priority=item.priority,
        error=item.error if item.is_finished else None,
        held_until=item.next_attempt_at if is_held else None,
        held_reason=item.error if is_held else None,
        attempts=item.attempt_count,
        max_attempts=MOST_ATTEMPTS,
        created_at=item.created_at,
        completed_at=item.completed_at,
        request_id=request_id,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/outbox",
        name="get_outbox_item",
        summary="Tell what became of a send.",
        description=(
            "`pending`: waits for its line. `claimed`: handed to the bridge, whose answer is not known yet. `sent`: "
            "the network has it. `failed`: see `error`; `delivery_unknown` means that nothing proves either way. "
            "With `Prefer: wait=N` it answers when the item is finished, or after N seconds."
        ),
        tag="outbox",
        scope="outbox:read",
        query=OutboxQuery,
        body=NoBody,
        reply=OutboxReply,
        errors=("outbox_item_not_found",),
        headers=(PREFER,),
        handle=_get,
    ),
)
