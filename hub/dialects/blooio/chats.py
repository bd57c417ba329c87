"""`/chats`: the conversations of all numbers of the key, listed and shown (contracts: blooio §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.backgrounds import BackgroundReply
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.chat_shapes import ChatReply, LastMessage, OneChat
from hub.dialects.blooio.finding import chat_name, chat_of, file_url, public_id
from hub.dialects.blooio.identifiers import group_id
from hub.dialects.blooio.natives import page
from hub.dialects.blooio.paging import Paged, PageQuery, paged, read_sort
from hub.dialects.native import ask

#: As the reference has them, and as the guide writes them.
SORTS: Final[Mapping[str, str]] = {
    "recent": "activity",
    "oldest": "oldest",
    "created_at:asc": "oldest",
    "created_at:desc": "activity",
    "last_message_time:asc": "oldest",
    "last_message_time:desc": "activity",
}


class ChatQuery(PageQuery, frozen=True, kw_only=True):
    """Which chats."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    sort: str = "recent"


class ChatContact(msgspec.Struct, frozen=True, kw_only=True):
    """The other side of a direct chat."""

    contact_id: str | None
    identifier: str
    name: str | None


class ChatLastMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The latest message."""

    message_id: str
    text: str | None
    direction: Literal["inbound", "outbound"]
    time_sent: int | None


class Chat(msgspec.Struct, frozen=True, kw_only=True):
    """A chat of one number."""

    id: str
    type: Literal["phone", "email", "group"]
    is_group: bool
    group_id: str | None
    group_name: str | None
    #: Of groups.
    member_count: int | None
    contact: ChatContact | None
    message_count: int
    inbound_count: int
    outbound_count: int
    last_message_time: int | None
    last_inbound_time: int | None
    last_outbound_time: int | None
    last_message: ChatLastMessage | None
    #: Ours: the number that the chat is with. A contact has a chat with each number.
    internal_id: str


class ChatDetail(Chat, frozen=True, kw_only=True):
    """A chat, asked for alone."""

    first_message_time: int | None
    background_url: str | None
    background_id: str | None


class ChatList(Paged[Chat], frozen=True, kw_only=True):
    """A page of chats."""

    chats: Sequence[Chat]


async def _list(call: Call[ChatQuery, NoBody]) -> Reply:
    query = call.query
    wanted = {"q": query.q or None, "sort": read_sort(query.sort, SORTS), "include": "counts"}
    found, total = await page(call, "list_chats", ChatReply, wanted, limit=query.limit, offset=query.offset)
    chats = [Chat(**chat_fields(chat)) for chat in found]
    return Reply(content=ChatList(chats=chats, **paged(chats, query, total)))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    found = await chat_of(call, chat_name(call))
    path = {"id": found.id}
    chat = (await ask(call, "get_chat", OneChat, path=path, query={"include": "counts"})).content
    background = (await ask(call, "get_background", BackgroundReply, path=path)).content
    first = UNSET if isinstance(chat.counts, UnsetType) else chat.counts.first_message_at
    content = ChatDetail(
        **chat_fields(chat),
        first_message_time=None if isinstance(first, UnsetType) else first,
        background_url=await file_url(call, background.file_id),
        background_id=background.background_id,
    )
    return Reply(content=content)


def chat_fields(chat: ChatReply) -> dict[str, Any]:
    """Give the fields of `Chat`; the native chat has been asked for with its counts."""
    counts = chat.counts
    assert not isinstance(counts, UnsetType)
    return {
        "id": public_id(chat),
        "type": "group" if chat.is_group else kind_of(chat.identifier),
        "is_group": chat.is_group,
        "group_id": group_id(chat.id) if chat.is_group else None,
        "group_name": chat.name if chat.is_group else None,
        "member_count": len(chat.participants) if chat.is_group else None,
        "contact": contact_of(chat),
        "message_count": counts.message_count,
        "inbound_count": counts.inbound_count,
        "outbound_count": counts.outbound_count,
        "last_message_time": counts.last_message_at,
        "last_inbound_time": counts.last_inbound_at,
        "last_outbound_time": counts.last_outbound_at,
        "last_message": None if chat.last_message is None else _last(chat.last_message),
        "internal_id": chat.line_handle,
    }


def contact_of(chat: ChatReply) -> ChatContact | None:
    """Give the other side of a direct chat."""
    if chat.is_group:
        return None
    known = chat.contact
    return ChatContact(
        contact_id=None if known is None else known.id,
        identifier=chat.identifier,
        name=None if known is None else known.name,
    )


def kind_of(identifier: str) -> Literal["phone", "email"]:
    """Tell a mail address from a number."""
    return "email" if "@" in identifier else "phone"


def _last(message: LastMessage) -> ChatLastMessage:
    return ChatLastMessage(
        message_id=message.id,
        text=message.text,
        direction="outbound" if message.is_from_me else "inbound",
        time_sent=message.sent_at,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v2/api/chats",
        name="blooio_list_chats",
        summary="List chats.",
        tag="chats",
        scope="chats:read",
        query=ChatQuery,
        body=NoBody,
        reply=ChatList,
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}",
        name="blooio_get_chat",
        summary="Show a chat.",
        tag="chats",
        scope="chats:read",
        query=NoQuery,
        body=NoBody,
        reply=ChatDetail,
        errors=("chat_not_found",),
        handle=_get,
    ),
)
