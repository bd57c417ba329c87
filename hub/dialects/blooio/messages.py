"""`/chats/{chatId}/messages`: listed, shown, and cancelled while they wait (contracts: blooio §3).

Not here: sending (hub.dialects.blooio.sends) and reactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.message_changes import CancelReply
from hub.dialects.blooio.chats import contact_of
from hub.dialects.blooio.finding import chat_name, chats_of, message_of, no_chat, public_id
from hub.dialects.blooio.identifiers import ChatName, group_id
from hub.dialects.blooio.message_shapes import (
    Message,
    MessageDetail,
    MessageStatus,
    Status,
    content_fields,
    iso_time,
    state_fields,
    status_of,
)
from hub.dialects.blooio.natives import NativeMessage, NativeReaction, page
from hub.dialects.blooio.paging import Paged, PageQuery, paged, read_sort
from hub.dialects.native import ask

SORTS: Final[Mapping[str, str]] = {
    "desc": "newest",
    "asc": "oldest",
    "created_at:desc": "newest",
    "created_at:asc": "oldest",
    "time_sent:desc": "newest",
    "time_sent:asc": "oldest",
}
_TIME = Annotated[int, Meta(ge=0, le=2**53)]


class MessageQuery(PageQuery, frozen=True, kw_only=True):
    """Which messages of the chat."""

    sort: str = "desc"
    direction: Literal["inbound", "outbound"] | None = None
    #: Unix ms: later than this.
    since: _TIME | None = None
    #: Unix ms: earlier than this.
    until: _TIME | None = None


class MessageList(Paged[Message], frozen=True, kw_only=True):
    """A page of messages."""

    chat_id: str
    messages: Sequence[Message]


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """What will not be sent."""

    message_id: str
    cancelled: bool
    status: Status | None
    message: str
    current_status: Status | None


async def _list(call: Call[MessageQuery, NoBody]) -> Reply:
    query, name = call.query, chat_name(call)
    place = await _place(call, name)
    wanted = {
        "to": place,
        "sort": read_sort(query.sort, SORTS),
        "direction": query.direction,
        "since": None if query.since is None else query.since + 1,
        "until": query.until,
        "include": "reactions",
    }
    found, total = await page(
        call, "list_messages", NativeMessage, wanted, limit=query.limit, offset=query.offset
    )
    outside = group_id(place) if name.is_list else name.text
    messages = [Message(external_id=outside, **content_fields(each, each.reactions)) for each in found]
    content = MessageList(chat_id=name.text, messages=messages, **paged(messages, query, total))
    return Reply(content=content)


async def _place(call: Call[Any, Any], name: ChatName) -> str:
    """Give `to` of the native list: a person is listed over all numbers of the key, a group is one chat."""
    if name.chat_id is None and not name.is_list:
        return name.handles[0]
    found = await chats_of(call, name)
    if not found:
        raise no_chat()
    return found[0].id


async def _reactions(call: Call[Any, Any], message: NativeMessage) -> list[NativeReaction]:
    listed = (await ask(call, "list_reactions", Listed, query={"message_id": message.id})).content
    return [msgspec.json.decode(each, type=NativeReaction) for each in listed.data]


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    message, chat = await message_of(call, chat_name(call), call.path["message_id"])
    content = MessageDetail(
        chat_id=public_id(chat),
        contact=contact_of(chat),
        id=message.id,
        created_at=iso_time(message.at),
        **content_fields(message, await _reactions(call, message)),
    )
    return Reply(content=content)


async def _status(call: Call[NoQuery, NoBody]) -> Reply:
    message, chat = await message_of(call, chat_name(call), call.path["message_id"])
    return Reply(content=MessageStatus(chat_id=public_id(chat), **state_fields(message)))


async def _cancel(call: Call[NoQuery, NoBody]) -> Reply:
    message, _ = await message_of(call, chat_name(call), call.path["message_id"])
    await ask(call, "cancel_message", CancelReply, path={"id": message.id})
    after = (await ask(call, "get_message", NativeMessage, path={"id": message.id})).content
    content = Cancelled(
        message_id=message.id,
        cancelled=True,
        status=status_of(after),
        message="The message was cancelled; it is not sent.",
        current_status=status_of(after),
    )
    return Reply(content=content)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}/messages",
        name="blooio_list_messages",
        summary="List the messages of a chat.",
        tag="messages",
        scope="messages:read",
        query=MessageQuery,
        body=NoBody,
        reply=MessageList,
        errors=("chat_not_found",),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}/messages/{message_id}",
        name="blooio_get_message",
        summary="Show a message.",
        tag="messages",
        scope="messages:read",
        query=NoQuery,
        body=NoBody,
        reply=MessageDetail,
        errors=("chat_not_found", "message_not_found"),
        handle=_get,
    ),
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}/messages/{message_id}/status",
        name="blooio_get_message_status",
        summary="Tell where a message stands.",
        tag="messages",
        scope="messages:read",
        query=NoQuery,
        body=NoBody,
        reply=MessageStatus,
        errors=("chat_not_found", "message_not_found"),
        handle=_status,
    ),
    Endpoint(
        method="DELETE",
        path="/v2/api/chats/{chat_id}/messages/{message_id}",
        name="blooio_cancel_message",
        summary="Cancel a message that waits.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NoBody,
        reply=Cancelled,
        errors=("chat_not_found", "message_not_found", "message_state_conflict"),
        handle=_cancel,
    ),
)
