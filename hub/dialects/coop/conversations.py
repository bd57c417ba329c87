"""/api/v1/conversations: list, look up, and one with its messages (contracts: coop §4)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply, not_found
from hub.api.chat_shapes import ChatReply, OneChat
from hub.dialects.coop.errors import hidden, invalid
from hub.dialects.coop.names import CONVERSATION, handle_in_query, native_id
from hub.dialects.coop.paging import Paged, PageQuery, Pagination, ask_page, read
from hub.dialects.coop.rendering import (
    Conversation,
    MessageItem,
    NativeMessage,
    conversation,
    message_item,
)
from hub.dialects.native import ask


class ConversationsQuery(PageQuery, frozen=True, kw_only=True):
    """Which conversations."""

    search: Annotated[str, Meta(max_length=200)] | None = None


class LookupQuery(msgspec.Struct, frozen=True, kw_only=True):
    """With whom."""

    participant: Annotated[str, Meta(min_length=1, max_length=320)]


class ConversationWithMessages(Conversation, frozen=True, kw_only=True, rename="camel"):
    """A conversation with a page of its messages, newest first."""

    messages: list[MessageItem]
    pagination: Pagination


async def _list(call: Call[ConversationsQuery, NoBody]) -> Reply:
    wanted = {"q": handle_in_query(call.query.search) if call.query.search else None}
    chats, pagination = await ask_page(call, "list_chats", ChatReply, query=wanted, names={"q": "search"})
    return Reply(content=Paged(data=[conversation(each) for each in chats], pagination=pagination))


async def _look_up(call: Call[LookupQuery, NoBody]) -> Reply:
    participant = handle_in_query(call.query.participant)
    if "," in participant:
        raise invalid("participant", "'participant' must be one phone number or one mail address.")
    wanted = {"participant": participant, "is_group": False, "limit": 1}
    found = (await ask(call, "list_chats", Listed, query=wanted)).content.data
    if not found:
        raise not_found("chat")
    return Reply(content=conversation(read(found[0], ChatReply)))


async def _get(call: Call[PageQuery, NoBody]) -> Reply:
    chat_id = native_id(CONVERSATION, call.path["id"], "chat")
    with hidden("chat"):
        chat = (await ask(call, "get_chat", OneChat, path={"id": chat_id})).content
    messages, pagination = await ask_page(
        call, "list_messages", NativeMessage, query={"to": chat_id}, names={}
    )
    shown = msgspec.structs.asdict(conversation(chat))
    content = ConversationWithMessages(
        **shown, messages=[message_item(each) for each in messages], pagination=pagination
    )
    return Reply(content=content)


def _read(path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method="GET",
        path=f"/api/v1/conversations{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="chats",
        scope="chats:read",
        body=NoBody,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _read(
        "",
        "list_conversations",
        "List conversations, latest activity first.",
        query=ConversationsQuery,
        reply=Paged[Conversation],
        handle=_list,
    ),
    _read(
        "/lookup",
        "look_up_conversation",
        "Find the conversation with somebody.",
        query=LookupQuery,
        reply=Conversation,
        handle=_look_up,
    ),
    _read(
        "/{id}",
        "get_conversation",
        "Show a conversation with its messages.",
        query=PageQuery,
        reply=ConversationWithMessages,
        handle=_get,
    ),
)
