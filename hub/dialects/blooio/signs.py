"""`typing`, `read` and `contact-card` of a chat: signs of life, and the number's name and photo."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.sends import SendReply
from hub.dialects.blooio.finding import chat_name, chat_of, chats_of, no_chat, public_id
from hub.dialects.blooio.natives import verdict
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: What the vendor says of RCS holds for every line that cannot.
_NO_TYPING: Final = "This number's network has no typing indicator; nothing was shown."
_STAGED: Final = "The contact card is shared in this chat."


class TypingStarted(msgspec.Struct, frozen=True, kw_only=True):
    """The other side is shown that we type."""

    chat_id: str
    typing: bool
    started_at: int
    warning: str | UnsetType = UNSET


class TypingStopped(msgspec.Struct, frozen=True, kw_only=True):
    """The other side is shown no more that we type."""

    chat_id: str
    typing: bool
    stopped_at: int
    warning: str | UnsetType = UNSET


class ChatRead(msgspec.Struct, frozen=True, kw_only=True):
    """The chat is read, up to now."""

    chat_id: str
    status: Literal["read"]
    marked_at: int


class CardShared(msgspec.Struct, frozen=True, kw_only=True):
    """The number's name and photo go to the chat."""

    success: bool
    chat_id: str
    message: str


async def _start(call: Call[NoQuery, NoBody]) -> Reply:
    chat_id, warning = await _type(call, "on")
    return Reply(content=TypingStarted(chat_id=chat_id, typing=True, started_at=call.now_ms, warning=warning))


async def _stop(call: Call[NoQuery, NoBody]) -> Reply:
    chat_id, warning = await _type(call, "off")
    return Reply(
        content=TypingStopped(chat_id=chat_id, typing=False, stopped_at=call.now_ms, warning=warning)
    )


async def _type(call: Call[Any, Any], state: str) -> tuple[str, str | UnsetType]:
    """Show that we type, or have stopped; give what the chat is called, and what stands in the way."""
    name = chat_name(call)
    found = await chats_of(call, name)
    try:
        if found:
            await ask(call, "type_in_chat", SendReply, path={"id": found[0].id}, body={"state": state})
        else:
            if name.is_list:
                raise no_chat()
            body = {"from": "auto", "to": name.to, "state": state}
            await ask(call, "send_typing", SendReply, body=body)
    except InvalidRequest as error:
        if error.code != "advanced_features_required":
            raise
        return name.text, _NO_TYPING
    return name.text, UNSET


async def _read(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await chat_of(call, chat_name(call))
    await verdict(call, "read_chat", path={"id": chat.id})
    return Reply(content=ChatRead(chat_id=public_id(chat), status="read", marked_at=call.now_ms))


async def _share(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await chat_of(call, chat_name(call))
    await verdict(call, "share_contact_card", path={"id": chat.id})
    return Reply(content=CardShared(success=True, chat_id=public_id(chat), message=_STAGED))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/typing",
        name="blooio_start_typing",
        summary="Show that we type.",
        tag="chats",
        scope="typing:write",
        query=NoQuery,
        body=NoBody,
        reply=TypingStarted,
        handle=_start,
    ),
    Endpoint(
        method="DELETE",
        path="/v2/api/chats/{chat_id}/typing",
        name="blooio_stop_typing",
        summary="Show that we type no more.",
        tag="chats",
        scope="typing:write",
        query=NoQuery,
        body=NoBody,
        reply=TypingStopped,
        handle=_stop,
    ),
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/read",
        name="blooio_read_chat",
        summary="Mark a chat as read.",
        tag="chats",
        scope="receipts:write",
        query=NoQuery,
        body=NoBody,
        reply=ChatRead,
        handle=_read,
    ),
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/contact-card",
        name="blooio_share_contact_card",
        summary="Share the number's name and photo.",
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=CardShared,
        handle=_share,
    ),
)
