"""/v1/receipts: mark a chat as read, and see how far its other side has read (contracts: messages.dev §2).

Not here: which message was read by whom, which its timeline tells (hub.api.message_reads).
"""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, SendReply, To, accept
from hub.flow.recipients import find_chat, find_recipient, last_received
from hub.model.ids import Prefix, id_text
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """Mark the whole chat as read."""

    from_: From = msgspec.field(name="from")
    to: To


class ReceiptQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chat."""

    from_: From = msgspec.field(name="from")
    to: To


class ReceiptReply(msgspec.Struct, frozen=True, kw_only=True):
    """How far somebody has read."""

    id: str
    chat_id: str
    handle: str
    last_read_at: int
    synced_at: int


async def _mark_read(call: Call[NoQuery, NewReceipt]) -> Reply:
    line = await call.line(call.body.from_)
    recipient = await find_recipient(call.uses.store, line, call.body.to)
    resolved = {
        "chat_key": recipient.chat_key,
        **await last_received(call.uses.store, line, recipient.chat),
    }
    return await accept(call, line, OperationKind.READ, resolved=resolved)


async def _list(call: Call[ReceiptQuery, NoBody]) -> Reply:
    store = call.uses.store
    line = await call.line(call.query.from_)
    chat = await find_chat(store, line, call.query.to)
    message, handle = await store.messages.last_read(chat.id), handle_of(chat.chat_key)
    data = []
    if message is not None and message.read_at is not None and handle is not None:
        receipt = ReceiptReply(
            id=id_text("rcp", chat.id),
            chat_id=id_text(Prefix.CHAT, chat.id),
            handle=handle,
            last_read_at=message.read_at,
            synced_at=message.synced_at,
        )
        data.append(receipt)
    return Reply(content=Listed(data=data, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/receipts",
        name="list_receipts",
        summary="Tell how far the other side of a direct chat has read.",
        description=(
            "Empty for a group: how far each member has read there is told message by message, by "
            "GET /v1/messages/{id}/timeline."
        ),
        tag="receipts",
        scope="receipts:read",
        query=ReceiptQuery,
        body=NoBody,
        reply=Listed[ReceiptReply],
        errors=("line_not_found", "line_not_accessible", "chat_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/receipts",
        name="send_receipt",
        summary="Mark a chat as read.",
        tag="receipts",
        scope="receipts:write",
        query=NoQuery,
        body=NewReceipt,
        reply=SendReply,
        status=201,
        errors=SEND_ERRORS,
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001"},
        handle=_mark_read,
    ),
)
