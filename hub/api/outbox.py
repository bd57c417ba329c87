"""/v1/outbox: what became of a send (contracts: messages.dev §2, §3)."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply, field_id, not_found
from hub.api.sends import OutboxStatus
from hub.flow.outgoing import MOST_ATTEMPTS, RESOLVED_FIELDS
from hub.model.ids import Prefix, id_text
from hub.model.outbox import WIRE_STATUS


class OutboxQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which send."""

    id: str


class OutboxReply(msgspec.Struct, frozen=True, kw_only=True):
    """A send and its progress."""

    id: str
    line_id: str
    #: `send`, `react`, `typing` or `read`.
    kind: str
    status: OutboxStatus
    #: The request as it was made.
    payload: dict[str, Any]
    #: A code, and what it means, once it failed.
    error: str | None
    attempts: int
    max_attempts: int
    created_at: int
    completed_at: int | None
    request_id: str


async def _get(call: Call[OutboxQuery, NoBody]) -> Reply:
    outbox_id = field_id(call.query.id, Prefix.OUTBOX, "outbox_item", param="id")
    item = await call.uses.store.outbox.get(outbox_id)
    if item is None or not call.uses.lines.may_use(call.key, item.line_id):
        raise not_found("outbox_item", param="id")
    content = OutboxReply(
        id=id_text(Prefix.OUTBOX, item.id),
        line_id=id_text(Prefix.LINE, item.line_id),
        kind=item.kind,
        status=WIRE_STATUS[item.state],  # type: ignore[arg-type] # its values are OutboxStatus; a test says so
        payload={name: value for name, value in item.payload.items() if name not in RESOLVED_FIELDS},
        error=item.error if item.completed_at is not None else None,
        attempts=item.attempt_count,
        max_attempts=MOST_ATTEMPTS,
        created_at=item.created_at,
        completed_at=item.completed_at,
        request_id=call.request_id,
    )
    return Reply(content=content)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/outbox",
        name="get_outbox_item",
        summary="Tell what became of a send.",
        description=(
            "`pending`: waits for its line. `claimed`: handed to the bridge, whose answer is not known yet. `sent`: "
            "the network has it. `failed`: see `error`; `delivery_unknown` means that nothing proves either way."
        ),
        tag="outbox",
        scope="outbox:read",
        query=OutboxQuery,
        body=NoBody,
        reply=OutboxReply,
        errors=("outbox_item_not_found",),
        handle=_get,
    ),
)
