"""/v1/reactions, /v1/typing and /v1/receipts: the small signs of life (contracts: messages.dev §2)."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, not_found
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, MessageReference, SendReply, To, accept
from hub.flow.event_shapes import ReactionData
from hub.flow.payloads import reaction_data
from hub.flow.recipients import find_chat, find_message, find_recipient
from hub.flow.rows import MessageRow
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of

ReactionType = Literal["love", "like", "dislike", "laugh", "emphasize", "question"]


class NewReaction(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction to send."""

    from_: From = msgspec.field(name="from")
    to: To
    message_id: MessageReference
    type: ReactionType


class NewTyping(msgspec.Struct, frozen=True, kw_only=True):
    """Begin to type, or stop."""

    from_: From = msgspec.field(name="from")
    to: To
    state: Literal["on", "off"] = "on"


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """Mark the whole chat as read."""

    from_: From = msgspec.field(name="from")
    to: To


class ReactionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which message's reactions."""

    message_id: MessageReference


class ChatSignQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chat."""

    from_: str = msgspec.field(name="from")
    to: str


class TypingReply(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who types."""

    id: str
    chat_id: str
    handle: str
    is_typing: bool
    updated_at: int


class ReceiptReply(msgspec.Struct, frozen=True, kw_only=True):
    """How far somebody has read."""

    id: str
    chat_id: str
    handle: str
    last_read_at: int
    synced_at: int


async def _react(call: Call[NoQuery, NewReaction]) -> Reply:
    body, store = call.body, call.uses.store
    line = await call.line(body.from_)
    recipient = await find_recipient(store, line, body.to)
    message = await find_message(store, line, body.message_id, param="message_id")
    chat_id = recipient.chat.id if recipient.chat is not None else None
    if message.chat_id and message.chat_id != chat_id:
        raise InvalidRequest("message_not_found", "The chat has no such message.", param="message_id")
    resolved = {"chat_key": recipient.chat_key, "message_guid": message.guid}
    return await accept(call, line, OperationKind.REACT, resolved=resolved)


async def _type(call: Call[NoQuery, NewTyping]) -> Reply:
    line = await call.line(call.body.from_)
    recipient = await find_recipient(call.uses.store, line, call.body.to)
    return await accept(call, line, OperationKind.TYPING, resolved={"chat_key": recipient.chat_key})


async def _mark_read(call: Call[NoQuery, NewReceipt]) -> Reply:
    line = await call.line(call.body.from_)
    recipient = await find_recipient(call.uses.store, line, call.body.to)
    return await accept(call, line, OperationKind.READ, resolved={"chat_key": recipient.chat_key})


async def _list_reactions(call: Call[ReactionQuery, NoBody]) -> Reply:
    line, message = await _message(call)
    reactions = await call.uses.store.messages.reactions(line.id, message.guid)
    data = [
        msgspec.Raw(
            reaction_data(
                reaction, message_id=message.id, chat_id=message.chat_id, line_handle=line.handle
            ).encode()
        )
        for reaction in reactions
    ]
    return Reply(content=Listed(data=data, request_id=call.request_id))


async def _message(call: Call[ReactionQuery, NoBody]) -> tuple[Line, MessageRow]:
    """Find the message on any line that the key may use: the query names no line."""
    text, store = call.query.message_id, call.uses.store
    for line in await call.uses.lines.visible(call.key):
        if text.startswith("msg_"):
            try:
                message = await store.messages.get(parse_id(Prefix.MESSAGE, text))
            except InvalidId:
                break
            if message is None:
                break
        else:
            message = await store.messages.by_guid(line.id, text)
        if message is not None and message.line_id == line.id:
            return line, message
    raise not_found("message", param="message_id")


async def _list_typing(call: Call[ChatSignQuery, NoBody]) -> Reply:
    line = await call.line(call.query.from_)
    await find_chat(call.uses.store, line, call.query.to)
    return Reply(content=Listed[TypingReply](data=[], request_id=call.request_id))


async def _list_receipts(call: Call[ChatSignQuery, NoBody]) -> Reply:
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


_CHAT_ERRORS = ("line_not_found", "line_not_accessible", "chat_not_found")
_EXAMPLE = {"from": "+15550100000", "to": "+15550100001"}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/reactions",
        name="list_reactions",
        summary="List a message's reactions, oldest first; one that was taken back has `added: false`.",
        tag="reactions",
        scope="reactions:read",
        query=ReactionQuery,
        body=NoBody,
        reply=Listed[ReactionData],
        errors=("message_not_found",),
        handle=_list_reactions,
    ),
    Endpoint(
        method="POST",
        path="/v1/reactions",
        name="send_reaction",
        summary="React to a message.",
        tag="reactions",
        scope="reactions:write",
        query=NoQuery,
        body=NewReaction,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, "message_not_found"),
        headers=SEND_HEADERS,
        example={**_EXAMPLE, "message_id": "msg_0f2m4h8x0g001", "type": "love"},
        handle=_react,
    ),
    Endpoint(
        method="GET",
        path="/v1/receipts",
        name="list_receipts",
        summary="Tell how far the other side of a direct chat has read.",
        description="Empty for a group: how far each member has read is not kept.",
        tag="receipts",
        scope="receipts:read",
        query=ChatSignQuery,
        body=NoBody,
        reply=Listed[ReceiptReply],
        errors=_CHAT_ERRORS,
        handle=_list_receipts,
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
        example=_EXAMPLE,
        handle=_mark_read,
    ),
    Endpoint(
        method="GET",
        path="/v1/typing",
        name="list_typing",
        summary="List who types in a chat.",
        description="Always empty: typing is over within a minute and is never stored.",
        tag="typing",
        scope="typing:read",
        query=ChatSignQuery,
        body=NoBody,
        reply=Listed[TypingReply],
        errors=_CHAT_ERRORS,
        handle=_list_typing,
    ),
    Endpoint(
        method="POST",
        path="/v1/typing",
        name="send_typing",
        summary="Show that the line types, or has stopped.",
        tag="typing",
        scope="typing:write",
        query=NoQuery,
        body=NewTyping,
        reply=SendReply,
        status=201,
        errors=SEND_ERRORS,
        headers=SEND_HEADERS,
        example={**_EXAMPLE, "state": "on"},
        handle=_type,
    ),
)
