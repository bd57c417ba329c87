"""/api/v1/messages: send, list, status, attachments, and the queue counted (contracts: coop §2)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, not_found
from hub.api.file_shapes import FileReply
from hub.api.message_timeline import TimelineReply
from hub.api.queue import QueueReply
from hub.api.reading import missing
from hub.api.sends import SendReply
from hub.dialects.coop.errors import hidden, in_their_words
from hub.dialects.coop.names import (
    DIRECTIONS,
    RECEIVED,
    SENT,
    MessageStatus,
    handle_in_query,
    message_id,
    native_address,
    native_id,
)
from hub.dialects.coop.paging import Found, Paged, PageQuery, ask_page, pagination_of
from hub.dialects.coop.rendering import (
    AttachmentItem,
    MessageItem,
    NativeMessage,
    attachment_item,
    message_item,
    status_of,
)
from hub.dialects.coop.times import iso
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

MOST_ATTACHMENTS: Final = 10
#: Native fields → theirs.
FIELDS: Final = {"from": "fromNumber", "text": "body", "parts": "attachments", "file_id": "attachments"}

WebAddress = Annotated[str, Meta(min_length=1, max_length=4096)]


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A message to send: `body`, `attachments`, or both."""

    to: Annotated[str, Meta(min_length=1, max_length=320)]
    body: str | None = None
    attachments: Annotated[tuple[WebAddress, ...], Meta(max_length=MOST_ATTACHMENTS)] | None = None
    priority: Annotated[int, Meta(ge=0, le=100)] | None = None
    from_number: Annotated[str, Meta(min_length=1, max_length=320)] | None = None


class QueuedMessage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The message is in the queue."""

    id: str
    status: Literal["queued"] = "queued"
    to: str
    body: str | None
    priority: int
    created_at: str


class MessagesQuery(PageQuery, frozen=True, kw_only=True):
    """Which messages."""

    direction: Literal["sent", "received"] | None = None
    participant: Annotated[str, Meta(min_length=1, max_length=320)] | None = None


class StatusReply(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How far a message is."""

    id: str
    status: MessageStatus
    attempts: int
    last_error: str | None
    queued_at: str | None
    sent_at: str | None
    delivered_at: str | None


class QueueStats(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What waits, is at a relay, waits for another try, and has failed for good."""

    pending: int
    processing: int
    failed: int
    dead_letter: int


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    body, priority = call.body, call.body.priority or 0
    if not body.body and not body.attachments:
        raise missing("body")
    files = await _all_fetched(call)
    wish: dict[str, Any] = {
        "from": body.from_number or "auto",
        "to": native_address(body.to),
        "priority": priority,
        "metadata": {"priority": priority} if priority else None,
        **_content(body.body, files),
    }
    unknown_line = frozenset({"line_not_found", "line_not_accessible"} if body.from_number else ())
    with in_their_words(FIELDS, invalid_codes=unknown_line):
        sent = (await ask(call, "send_message", SendReply, body=wish)).content
    content = QueuedMessage(
        id=message_id(str(sent.message_id), is_from_me=True),
        to=body.to,
        body=body.body,
        priority=priority,
        created_at=iso(call.now_ms),
    )
    return Reply(content=content, status=201)


async def _all_fetched(call: Call[NoQuery, NewMessage]) -> list[str]:
    """Have all files fetched at the same time; give their ids in order."""
    try:
        async with asyncio.TaskGroup() as group:
            fetching = [
                group.create_task(_fetched(call, place, url))
                for place, url in enumerate(call.body.attachments or ())
            ]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in fetching]


async def _fetched(call: Call[NoQuery, NewMessage], place: int, url: str) -> str:
    with in_their_words({"url": f"attachments[{place}]"}):
        return (await ask(call, "fetch_file", FileReply, body={"url": url})).content.id


def _content(text: str | None, files: list[str]) -> dict[str, Any]:
    """Give what a message holds: several files go as parts, after the words."""
    if len(files) <= 1:
        return {"text": text or None, "attachments": files}
    words = [{"type": "text", "text": text}] if text else []
    parts = [{"type": "attachment", "file_id": each} for each in files]
    return {"parts": [*words, *parts]}


async def _list(call: Call[MessagesQuery, NoBody]) -> Reply:
    query = call.query
    to = None if query.participant is None else handle_in_query(query.participant)
    wanted = {"to": to, "direction": None if query.direction is None else DIRECTIONS[query.direction]}
    try:
        found, pagination = await ask_page(
            call, "list_messages", NativeMessage, query=wanted, names={"to": "participant"}
        )
    except InvalidRequest as error:
        if error.code != "chat_not_found":
            raise
        found, pagination = [], pagination_of(query.page, query.limit, 0)
    return Reply(content=Paged(data=[message_item(each) for each in found], pagination=pagination))


async def _find(call: Call[Any, Any]) -> NativeMessage:
    """Find the message in the path; one that came in has another beginning than one that was sent."""
    text = call.path["id"]
    prefix = RECEIVED if text.startswith(RECEIVED) else SENT
    path = {"id": native_id(prefix, text, "message")}
    with hidden("message"):
        message = (await ask(call, "get_message", NativeMessage, path=path)).content
    if message.is_from_me is not (prefix == SENT):
        raise not_found("message")
    return message


async def _status(call: Call[NoQuery, NoBody]) -> Reply:
    message = await _find(call)
    path = {"id": message.id}
    timeline = (await ask(call, "get_message_timeline", TimelineReply, path=path)).content
    content = StatusReply(
        id=call.path["id"],
        status=_stage(message, timeline),
        attempts=timeline.attempts,
        last_error=timeline.last_error or _why(message),
        queued_at=iso(message.created_at),
        sent_at=iso(message.was_sent_at if message.is_from_me else message.sent_at),
        delivered_at=iso(message.delivered_at),
    )
    return Reply(content=content)


def _stage(message: NativeMessage, timeline: TimelineReply) -> MessageStatus:
    """Give the status, and whether a queued one is at its relay just now."""
    tries = [entry.attempt for entry in timeline.entries if entry.attempt is not None]
    is_away = bool(tries) and tries[-1].state in ("dispatched", "unknown")
    return "processing" if message.status == "queued" and is_away else status_of(message)


def _why(message: NativeMessage) -> str | None:
    if message.status == "cancelled":
        return "cancelled"
    error = message.error or {}
    code, raw = error.get("code"), error.get("raw")
    return f"{code}: {raw}" if raw else code


async def _attachments(call: Call[NoQuery, NoBody]) -> Reply:
    message = await _find(call)
    return Reply(content=Found(data=[attachment_item(each) for each in message.attachments]))


async def _stats(call: Call[NoQuery, NoBody]) -> Reply:
    outbox = (await ask(call, "show_queue", QueueReply)).content.outbox
    content = QueueStats(
        pending=outbox.pending - outbox.retrying,
        processing=outbox.processing + outbox.unknown,
        failed=outbox.retrying,
        dead_letter=outbox.failed,
    )
    return Reply(content=content)


def _read(path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method="GET",
        path=f"/api/v1/messages{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="messages",
        scope=more.pop("scope", "messages:read"),
        query=more.pop("query", NoQuery),
        body=NoBody,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/api/v1/messages",
        name="coop_send_message",
        summary="Send a message.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=QueuedMessage,
        status=201,
        example={"to": "+15551234567", "body": "Hello!"},
        handle=_send,
    ),
    _read(
        "",
        "list_messages",
        "List messages, newest first.",
        query=MessagesQuery,
        reply=Paged[MessageItem],
        handle=_list,
    ),
    _read(
        "/queue/stats",
        "show_queue_stats",
        "Count the queue by state.",
        scope="deliveries:read",
        reply=QueueStats,
        handle=_stats,
    ),
    _read("/{id}/status", "show_status", "Tell how far a message is.", reply=StatusReply, handle=_status),
    _read(
        "/{id}/attachments",
        "list_attachments",
        "List a message's files with their addresses.",
        reply=Found[AttachmentItem],
        handle=_attachments,
    ),
)
