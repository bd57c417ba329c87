"""/v1/chats: the conversations of lines, listed, looked up and shown (contracts: messages.dev §2).

Not here: what is done in them (hub.api.groups, hub.api.chat_signs and their neighbours).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.chat_operations import chat_of
from hub.api.chat_shapes import ChatReply, OneChat, chat_fields, total_fields
from hub.api.contact_shapes import ContactBeside, contacts_beside
from hub.api.paging import (
    DEFAULT_LIMIT,
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_cursor,
    read_offset,
    split_page,
    write_cursor,
)
from hub.flow.chat_store import ChatFilter, ChatOrder
from hub.flow.groups import MOST_MEMBERS
from hub.flow.repositories import Chat, place_among
from hub.model.errors import InvalidRequest
from hub.model.observation import Instant
from hub.rules.chatkeys import handle_of, normalize_handle
from hub.rules.contacts import search_needle

_LONGEST_LIST = 33 * MOST_MEMBERS * 10


Include = Annotated[
    Literal["counts"],
    Meta(description="`counts`: also tell how many messages each chat has, and between when and when."),
]


class ChatQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chats; without `from` those of every line that the key may see."""

    from_: str | None = msgspec.field(name="from", default=None)
    q: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=200,
                description="In the name, a handle, or what its contact is found by.",
            ),
        ]
        | None
    ) = None
    is_group: bool | None = None
    unread: bool | None = None
    #: Whether the line has left it.
    left: bool | None = None
    participant: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=_LONGEST_LIST,
                description="Somebody who is in the chat; several with commas: exactly these and nobody else.",
            ),
        ]
        | None
    ) = None
    #: `activity`: by the last message, latest first; `oldest`: latest last; `created`: by when the hub got to know
    #: them, latest first; `name_asc` and `name_desc` only with `is_group=true`.
    sort: Literal["activity", "oldest", "created", "name_asc", "name_desc"] = "activity"
    #: Got to know before then.
    created_before: Instant | None = None
    include: Include | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class OneChatQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What is told beside the chat."""

    include: Include | None = None


class Participant(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a chat; the line itself, which is in it, too, is not told."""

    handle: str
    #: Who that is, if known, and if the key has the scope `contacts:read`.
    contact: ContactBeside | None
    #: Unix ms; null for who was there when the hub met the chat.
    joined_at: int | None


async def _list(call: Call[ChatQuery, NoBody]) -> Reply:
    query = call.query
    after = read_cursor(query.cursor, count=2)
    wanted = await _wanted(call)
    place = None if after is None else (after[0], after[1])
    store = call.uses.store.chats
    found = await store.list(wanted, after=place, offset=read_offset(query), limit=query.limit + 1)
    chats, has_more = split_page(found, query.limit)
    content = Listed(
        data=[msgspec.convert(fields, ChatReply) for fields in await _shown(call, chats)],
        has_more=has_more,
        next_cursor=write_cursor(*place_among(chats[-1], wanted.order)) if has_more else None,
        total=await store.count(wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _wanted(call: Call[ChatQuery, NoBody]) -> ChatFilter:
    query = call.query
    lines = [await call.line(query.from_)] if query.from_ else await call.uses.lines.visible(call.key)
    handles = [] if query.participant is None else _read_handles(query.participant)
    if query.sort in {"name_asc", "name_desc"} and query.is_group is not True:
        raise InvalidRequest(
            "invalid_parameter_value",
            "Only groups have an order of names: add 'is_group=true'.",
            param="sort",
        )
    return ChatFilter(
        line_ids=tuple(line.id for line in lines),
        q=query.q,
        contact_needle=search_needle(query.q) if query.q and call.key.may("contacts:read") else "",
        is_group=query.is_group,
        is_unread=query.unread,
        is_left=query.left,
        participants=frozenset(handles),
        is_exact=len(handles) > 1,
        created_before=query.created_before,
        order=ChatOrder(query.sort),
    )


def _read_handles(text: str) -> list[str]:
    """Read `participant`. A literal `+` came in as a blank: it is put back."""
    handles = [normalize_handle(f"+{each[1:]}" if each.startswith(" ") else each) for each in text.split(",")]
    if not all(handles) or len(set(handles)) > MOST_MEMBERS:
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'participant' must be a handle, or up to {MOST_MEMBERS} of them with commas between.",
            param="participant",
        )
    return list(dict.fromkeys(handles))


async def _shown(call: Call[Any, Any], chats: Sequence[Chat]) -> list[dict[str, object]]:
    """Give the fields of chats, with what is told beside their rows."""
    store, ids = call.uses.store, [chat.id for chat in chats]
    unread, last = await store.chats.unread(ids), await store.chats.last_messages(ids)
    handles = {chat.id: handle_of(chat.chat_key) or "" for chat in chats}
    beside = await contacts_beside(call, set(handles.values()))
    counts = await store.chats.counts(ids) if call.query.include else {}
    lines = {line.id: line for line in await call.uses.lines.visible(call.key)}
    return [
        chat_fields(
            chat,
            line_handle=lines[chat.line_id].handle,
            unread=unread.get(chat.id, 0),
            last=last.get(chat.id),
            contact=beside.get(handles[chat.id]),
            counts=counts.get(chat.id),
        )
        for chat in chats
    ]


async def _get(call: Call[OneChatQuery, NoBody]) -> Reply:
    _, chat = await chat_of(call)
    (fields,) = await _shown(call, [chat])
    totals = total_fields(await call.uses.store.chats.totals(chat.id))
    return Reply(content=msgspec.convert({**fields, **totals, "request_id": call.request_id}, OneChat))


async def _participants(call: Call[NoQuery, NoBody]) -> Reply:
    _, chat = await chat_of(call)
    beside = await contacts_beside(call, set(chat.participants))
    joined = await call.uses.store.chats.joined(chat.id)
    people = [
        Participant(handle=each, contact=beside.get(each), joined_at=joined.get(each))
        for each in chat.participants
    ]
    return Reply(content=Listed(data=people, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/chats",
        name="list_chats",
        summary="List chats, latest activity first, or by when they were made.",
        description=(
            "With `from` those of one line, as the native contract has it. `participant` finds the chats that somebody "
            "is in; several handles with commas find the chat of exactly these people."
        ),
        tag="chats",
        scope="chats:read",
        query=ChatQuery,
        body=NoBody,
        reply=Listed[ChatReply],
        errors=("line_not_found", "line_not_accessible"),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/chats/{id}",
        name="get_chat",
        summary="Show one chat, with its messages counted.",
        tag="chats",
        scope="chats:read",
        query=OneChatQuery,
        body=NoBody,
        reply=OneChat,
        errors=("chat_not_found", "line_not_accessible"),
        handle=_get,
    ),
    Endpoint(
        method="GET",
        path="/v1/chats/{id}/participants",
        name="list_participants",
        summary="List who is in a chat, with their contacts.",
        description="All of them at once. Of a group that the line has left: who was in it then.",
        tag="chats",
        scope="chats:read",
        query=NoQuery,
        body=NoBody,
        reply=Listed[Participant],
        errors=("chat_not_found", "line_not_accessible"),
        handle=_participants,
    ),
)
