"""GET /v1/messages: list and search messages, and read one (contracts: messages.dev §2).

Not here: what makes or changes one (hub.api.message_sends), and what happened to one (hub.api.message_timeline).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, field_id
from hub.api.finding import find_readable_message
from hub.api.paging import (
    DEFAULT_LIMIT,
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_cursor,
    read_offset,
    write_cursor,
)
from hub.api.sends import From, To
from hub.flow.event_shapes import MessageData, ReactionData
from hub.flow.message_pages import MessageFilter, MessagePage
from hub.flow.payloads import message_data, reaction_data
from hub.flow.piece_ports import PieceRow
from hub.flow.recipients import find_chat, read_direct_key
from hub.flow.rows import MessageRow, ReactionRow
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix
from hub.model.line import Line
from hub.model.observation import Instant
from hub.rules.message_status import MessageStatus, message_status
from hub.rules.textsearch import MOST_QUERY

Words = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MOST_QUERY,
        description="A part of the text, whatever the case of its letters.",
    ),
]


Include = Annotated[
    Literal["reactions"], Meta(description="`reactions`: also tell each message's (scope `reactions:read`).")
]


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages; without `from` those of every line that the key may see."""

    from_: From | None = msgspec.field(name="from", default=None)
    to: To | None = None
    direction: Literal["inbound", "outbound"] | None = None
    status: MessageStatus | None = None
    #: `imessage`, `sms`, …, as the message's own `service` says.
    service: Annotated[str, Meta(min_length=1, max_length=32)] | None = None
    has_attachments: bool | None = None
    #: By `sent_at`: from then on.
    since: Instant | None = None
    #: By `sent_at`: before then.
    until: Instant | None = None
    #: By `synced_at`, when the hub stored it: from then on. Orders by that: `sort` is then of `synced_at`.
    synced_since: Instant | None = None
    #: By `synced_at`: before then. Orders by that.
    synced_before: Instant | None = None
    q: Words | None = None
    #: The bulk job that they belong to.
    job_id: str | None = None
    sort: Literal["newest", "oldest"] = "newest"
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False
    include: Include | None = None


class ListedMessage(MessageData, frozen=True, kw_only=True):
    """A message of a list."""

    #: With `include=reactions`: oldest first; one that was taken back has `added: false`.
    reactions: list[ReactionData] | UnsetType = UNSET


class PieceData(msgspec.Struct, frozen=True, kw_only=True):
    """One of the network's messages that a message became."""

    guid: str
    #: The first of the message's parts that it carries, from 0.
    part: int
    #: How many; null for all from there on.
    part_count: int | None
    status: MessageStatus
    sent_at: int | None
    delivered_at: int | None
    read_at: int | None
    failed_at: int | None
    unsent_at: int | None
    error: msgspec.Raw | None


class MessageReply(MessageData, frozen=True, kw_only=True):
    """A message as it stands."""

    request_id: str
    #: Of a message that its network carries as several: each of them, by its parts.
    pieces: list[PieceData] | UnsetType = UNSET


async def _list(call: Call[MessageQuery, NoBody]) -> Reply:
    query = call.query
    _require_countable(query)
    lines = await _lines(call)
    wanted = _wanted(query, tuple(lines), await _chat_ids(call, lines))
    page = await _page(call, wanted)
    data = await _shown(call, page.messages, lines)
    return Reply(
        content=Listed(
            data=data,
            has_more=page.after is not None,
            next_cursor=None if page.after is None else write_cursor(*page.after),
            total=await call.uses.store.messages.count(wanted) if query.include_total else UNSET,
            request_id=call.request_id,
        )
    )


async def _shown(
    call: Call[MessageQuery, NoBody], messages: Sequence[MessageRow], lines: dict[int, Line]
) -> list[msgspec.Raw]:
    links, store = call.uses.files.links, call.uses.store
    keys = await store.chats.keys([message.chat_id for message in messages])
    reactions = None
    if call.query.include:
        require_scope(call.key, "reactions:read")
        reactions = await store.messages.reactions_of([message.id for message in messages])
    data = []
    for message in messages:
        line_handle = lines[message.line_id].handle
        told = message_data(message, line_handle=line_handle, chat_key=keys.get(message.chat_id), links=links)
        if reactions is not None:
            rows = reactions.get(message.id, ())
            told = f'{told[:-1]},"reactions":[{_reactions(message, rows, line_handle)}]}}'
        data.append(msgspec.Raw(told.encode()))
    return data


def _reactions(message: MessageRow, reactions: Sequence[ReactionRow], line_handle: str) -> str:
    return ",".join(
        reaction_data(each, message_id=message.id, chat_id=message.chat_id, line_handle=line_handle)
        for each in reactions
    )


async def _page(call: Call[MessageQuery, NoBody], wanted: MessageFilter) -> MessagePage:
    query, messages = call.query, call.uses.store.messages
    offset, is_oldest_first = read_offset(query), query.sort == "oldest"
    if offset is not None:
        return await messages.page_at(
            wanted, offset=offset, limit=query.limit, is_oldest_first=is_oldest_first
        )
    after = read_cursor(query.cursor, count=2)
    place = None if after is None else (after[0], after[1])
    return await messages.page(wanted, after=place, limit=query.limit, is_oldest_first=is_oldest_first)


def _require_countable(query: MessageQuery) -> None:
    """Refuse to skip or count what only a look into every row could find.

    Raises:
        InvalidRequest: It names the first filter that stands in the way.
    """
    if query.offset is None and not query.include_total:
        return
    asked = "offset" if query.offset is not None else "include_total"
    for name in ("status", "service", "has_attachments", "q", "synced_since", "synced_before"):
        if getattr(query, name) is not None:
            message = (
                f"'{asked}' does not go together with '{name}': to count would be to look into every message. "
                f"Go on by 'cursor'."
            )
            raise InvalidRequest("invalid_parameter_value", message, param=asked)


async def _lines(call: Call[MessageQuery, NoBody]) -> dict[int, Line]:
    """Give the line that is asked for, or all that the key may see."""
    if call.query.from_ is not None:
        line = await call.line(call.query.from_)
        return {line.id: line}
    return {line.id: line for line in await call.uses.lines.visible(call.key)}


async def _chat_ids(call: Call[MessageQuery, NoBody], lines: dict[int, Line]) -> tuple[int, ...] | None:
    """Give the chats with the other side; None when it is not asked for.

    Raises:
        InvalidRequest: chat_not_found when nothing was said there, on any of the lines.
    """
    to, store = call.query.to, call.uses.store
    if to is None:
        return None
    if call.query.from_ is not None:
        return ((await find_chat(store, next(iter(lines.values())), to)).id,)
    if to.startswith("cht_"):
        chat = await store.chats.get(field_id(to, Prefix.CHAT, "chat", param="to"))
        if chat is not None:
            call.uses.lines.require(call.key, chat.line_id, param="to")
        found = [] if chat is None else [chat]
    else:
        found = await store.chats.by_key_on(list(lines), read_direct_key(to))
    found = [chat for chat in found if chat.line_id in lines]
    if not found:
        raise InvalidRequest("chat_not_found", "Chat not found: nothing was said there yet.", param="to")
    return tuple(chat.id for chat in found)


def _wanted(
    query: MessageQuery, line_ids: tuple[int, ...], chat_ids: tuple[int, ...] | None
) -> MessageFilter:
    job_id = None if query.job_id is None else field_id(query.job_id, Prefix.JOB, "job", param="job_id")
    return MessageFilter(
        line_ids=line_ids,
        chat_ids=chat_ids,
        job_id=job_id,
        since=query.since,
        until=query.until,
        synced_since=query.synced_since,
        synced_before=query.synced_before,
        is_from_me=None if query.direction is None else query.direction == "outbound",
        status=query.status,
        service=None if query.service is None else query.service.lower(),
        has_attachments=query.has_attachments,
        words=query.q,
    )


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    line, message = await find_readable_message(call, call.path["id"])
    keys = await call.uses.store.chats.keys([message.chat_id])
    links, key = call.uses.files.links, keys.get(message.chat_id)
    data = message_data(message, line_handle=line.handle, chat_key=key, links=links)
    pieces = await call.uses.store.messages.pieces(message.id) if message.is_from_me else []
    told = f',"pieces":{msgspec.json.encode([_piece(each) for each in pieces]).decode()}' if pieces else ""
    # The text is an object that is never empty: the rest joins it at its end.
    return Reply(content=f'{data[:-1]}{told},"request_id":"{call.request_id}"}}'.encode())


def _piece(row: PieceRow) -> PieceData:
    return PieceData(
        guid=row.guid,
        part=row.first_part,
        part_count=row.part_count or None,
        status=message_status(
            is_from_me=True,
            failed_at=row.failed_at,
            delivered_at=row.delivered_at,
            read_at=row.read_at,
            unsent_at=row.unsent_at,
        ),
        sent_at=row.sent_at,
        delivered_at=row.delivered_at,
        read_at=row.read_at,
        failed_at=row.failed_at,
        unsent_at=row.unsent_at,
        error=None if row.error is None else msgspec.Raw(row.error.encode()),
    )


_LIST_DESCRIPTION = (
    "With `from` and `to` one chat's messages, as the native contract has it; either may be left out. Messages that "
    "wait, are planned, have failed or were cancelled are listed, too.\n\n"
    "Pages stay stable while messages arrive: a cursor names a place, not a number of rows. `direction`, `status`, "
    "`service`, `has_attachments`, `q` and `job_id` are looked for in a bounded number of rows a page: such a page "
    "may hold fewer messages than `limit`, even none, while `has_more` is true; go on with `next_cursor`.\n\n"
    "`offset` and `include_total` are for people and for clients that page by number: with `direction`, `since`, "
    "`until`, `from`, `to` and `job_id`, not with the other filters. Such pages are as long as asked for.\n\n"
    "`since` and `until` go by `sent_at`, when a message was written. One that came in late (its bridge was away) "
    "stands among the old ones: whoever asks again and again for what is new uses `synced_since`. With it, or with "
    "`synced_before`, messages are in the order in which the hub stored them, and all other filters are looked for "
    "row by row.\n\n"
    "`q` is a part of the text; the case of letters does not matter in any script, accents do."
)

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/messages",
        name="list_messages",
        summary="List and search messages, newest first.",
        description=_LIST_DESCRIPTION,
        tag="messages",
        scope="messages:read",
        query=MessageQuery,
        body=NoBody,
        reply=Listed[ListedMessage],
        errors=("line_not_found", "line_not_accessible", "chat_not_found", "job_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/messages/{id}",
        name="get_message",
        summary="Read one message.",
        description="`id` is a `msg_` id or the network's GUID.",
        tag="messages",
        scope="messages:read",
        query=NoQuery,
        body=NoBody,
        reply=MessageReply,
        errors=("line_not_accessible", "message_not_found"),
        handle=_get,
    ),
)
