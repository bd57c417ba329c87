"""Signs of life in a chat that is named by its id: mark it as read or unread, and type.

The same for a chat that is named by line and handle: hub.api.receipts and hub.api.typing_signs.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.chat_operations import CHAT_ERRORS, VERDICT, chat_of, owe
from hub.api.sends import SEND_HEADERS, SendReply
from hub.flow.recipients import last_received
from hub.model.outbox import OperationKind


class TypingState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin to type, or stop."""

    state: Literal["on", "off"] = "on"


async def _read(call: Call[NoQuery, NoBody]) -> Reply:
    line, chat = await chat_of(call)
    more = await last_received(call.uses.store, line, chat)
    return await owe(call, line, chat, OperationKind.READ, **more)


async def _unread(call: Call[NoQuery, NoBody]) -> Reply:
    return await owe(call, *await chat_of(call), OperationKind.UNREAD)


async def _type(call: Call[NoQuery, TypingState]) -> Reply:
    line, chat = await chat_of(call)
    more = await last_received(call.uses.store, line, chat)
    return await owe(call, line, chat, OperationKind.TYPING, **more)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/read",
        name="read_chat",
        summary="Mark a chat as read, up to now.",
        description=f"Sends a read receipt where the network has them. {VERDICT}",
        tag="chats",
        scope="receipts:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=CHAT_ERRORS,
        headers=SEND_HEADERS,
        handle=_read,
    ),
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/unread",
        name="unread_chat",
        summary="Mark a chat as unread.",
        description=VERDICT,
        tag="chats",
        scope="receipts:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=CHAT_ERRORS,
        headers=SEND_HEADERS,
        handle=_unread,
    ),
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/typing",
        name="type_in_chat",
        summary="Show in a chat that the line types, or has stopped.",
        tag="chats",
        scope="typing:write",
        query=NoQuery,
        body=TypingState,
        is_body_optional=True,
        reply=SendReply,
        status=201,
        errors=CHAT_ERRORS,
        headers=SEND_HEADERS,
        example={"state": "on"},
        handle=_type,
    ),
)
