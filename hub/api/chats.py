"""/v1/chats: the conversations of a line (contracts: messages.dev §2)."""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.contact_shapes import ContactBeside, contacts_beside
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_cursor, split_page, write_cursor
from hub.flow.chat_store import ChatFilter
from hub.flow.repositories import Chat
from hub.model.ids import Prefix, id_text
from hub.rules.chatkeys import handle_of


class ChatQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which line's chats."""

    from_: str = msgspec.field(name="from")
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class ChatReply(msgspec.Struct, frozen=True, kw_only=True):
    """A chat."""

    id: str
    line_id: str
    identifier: str
    service: str
    name: str | None
    is_group: bool
    participants: tuple[str, ...]
    last_message_at: int | None
    #: Whether anybody there has written to the line.
    has_received_inbound: bool
    #: Who is on the other side of a direct chat, if known, and if the key has the scope `contacts:read`.
    contact: ContactBeside | None


def _shown(chat: Chat, contact: ContactBeside | None) -> ChatReply:
    return ChatReply(
        id=id_text(Prefix.CHAT, chat.id),
        line_id=id_text(Prefix.LINE, chat.line_id),
        identifier=chat.identifier,
        service=chat.service,
        name=chat.name,
        is_group=chat.is_group,
        participants=chat.participants,
        last_message_at=chat.last_message_at,
        has_received_inbound=chat.has_inbound,
        contact=contact,
    )


async def _list(call: Call[ChatQuery, NoBody]) -> Reply:
    query = call.query
    after = read_cursor(query.cursor, count=2)
    line = await call.line(query.from_)
    place = None if after is None else (after[0], after[1])
    found = await call.uses.store.chats.list(
        ChatFilter(line_ids=(line.id,)), after=place, limit=query.limit + 1
    )
    chats, has_more = split_page(found, query.limit)
    cursor = write_cursor(chats[-1].last_message_at or 0, chats[-1].id) if has_more else None
    handles = {chat.id: handle_of(chat.chat_key) or "" for chat in chats}
    beside = await contacts_beside(call, set(handles.values()))
    data = [_shown(chat, beside.get(handles[chat.id])) for chat in chats]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/chats",
        name="list_chats",
        summary="List a line's chats, latest activity first.",
        tag="chats",
        scope="chats:read",
        query=ChatQuery,
        body=NoBody,
        reply=Listed[ChatReply],
        errors=("line_not_found", "line_not_accessible"),
        handle=_list,
    ),
)
