"""GET /v1/messages: read a chat's messages (contracts: messages.dev §2).

Not here: what makes or changes one, which is hub.api.message_sends.
"""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_cursor, split_page, write_cursor
from hub.flow.event_shapes import MessageData
from hub.flow.payloads import message_data
from hub.flow.recipients import find_chat


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chat's messages."""

    from_: str = msgspec.field(name="from")
    to: str
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


async def _list(call: Call[MessageQuery, NoBody]) -> Reply:
    query, store = call.query, call.uses.store
    after = read_cursor(query.cursor, count=2)
    line = await call.line(query.from_)
    chat = await find_chat(store, line, query.to)
    place = None if after is None else (after[0], after[1])
    found = await store.messages.list(chat.id, after=place, limit=query.limit + 1)
    messages, has_more = split_page(found, query.limit)
    cursor = write_cursor(messages[-1].sent_at or 0, messages[-1].id) if has_more else None
    data = [msgspec.Raw(message_data(message, line_handle=line.handle).encode()) for message in messages]
    return Reply(content=Listed(data=data, has_more=has_more, next_cursor=cursor, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/messages",
        name="list_messages",
        summary="List a chat's messages, newest first.",
        tag="messages",
        scope="messages:read",
        query=MessageQuery,
        body=NoBody,
        reply=Listed[MessageData],
        errors=("line_not_found", "line_not_accessible", "chat_not_found"),
        handle=_list,
    ),
)
