"""/api/send, and /api/messages/…: the history with one contact, and what came in (contracts: ava §2)."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.reading import missing
from hub.api.sends import SendReply
from hub.dialects.ava.names import MESSAGE_STATUS, MessageStatus, read_phone
from hub.dialects.ava.times import first_after, iso
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_time_ms, parse_id

#: As many as a poll gives; more only where they are of the same second.
POLL_PAGE: Final = 100
#: Native pages that a poll without a time looks at for them.
MOST_PAGES: Final = 20

Text = Annotated[str, Meta(max_length=20_000)]


class NativeMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a native list."""

    id: str
    chat_address: str | None
    sender: str | None
    text: str | None
    is_from_me: bool
    status: str
    sent_at: int | None
    synced_at: int

    @property
    def at(self) -> int:
        """When it was written."""
        return self.synced_at if self.sent_at is None else self.sent_at

    @property
    def came_in_at(self) -> int:
        """When the hub stored it: in this order native lists of `synced_since` stand."""
        return id_time_ms(parse_id(Prefix.MESSAGE, self.id))


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send."""

    phone: Text
    message: Text


class SentMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The message is on its way."""

    success: Literal[True] = True
    message_id: str
    timestamp: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message."""

    id: str
    phone: str
    message: str
    direction: Literal["outbound", "inbound"]
    timestamp: str
    status: MessageStatus


class HistoryQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the history."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000)] = 0


class History(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the messages with a contact, oldest first."""

    success: Literal[True] = True
    messages: list[Message]
    total: int
    limit: int
    offset: int


class PollQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages that came in."""

    since: Annotated[str, Meta(max_length=64)] | None = None
    phone: Annotated[str, Meta(max_length=64)] | None = None


class Polled(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that came in, oldest first."""

    success: Literal[True] = True
    messages: list[Message]
    count: int
    has_more: bool


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    if not call.body.message:
        raise missing("message")
    wish = {"from": "auto", "to": read_phone(call.body.phone), "text": call.body.message}
    sent = (await ask(call, "send_message", SendReply, body=wish)).content
    return Reply(content=SentMessage(message_id=str(sent.message_id), timestamp=iso(call.now_ms)))


async def _history(call: Call[HistoryQuery, NoBody]) -> Reply:
    query = call.query
    wanted = {
        "to": read_phone(call.path["phone"]),
        "sort": "oldest",
        "limit": query.limit,
        "offset": query.offset,
        "include_total": True,
    }
    found = await _listed(call, wanted)
    content = History(
        messages=[_shown(each, at_ms=each.at) for each in _read(found)],
        total=found.total if isinstance(found.total, int) else 0,
        limit=query.limit,
        offset=query.offset,
    )
    return Reply(content=content)


async def _poll(call: Call[PollQuery, NoBody]) -> Reply:
    query = call.query
    wanted: dict[str, Any] = {
        "direction": "inbound",
        "to": None if query.phone is None else read_phone(query.phone),
        "limit": POLL_PAGE,
    }
    if query.since is None:
        messages, has_more = await _latest(call, {**wanted, "synced_since": 0}), False
    else:
        messages, has_more = await _whole_seconds(
            call, {**wanted, "synced_since": first_after(query.since), "sort": "oldest"}
        )
    shown = [_shown(each, at_ms=each.came_in_at) for each in messages]
    return Reply(content=Polled(messages=shown, count=len(shown), has_more=has_more))


async def _latest(call: Call[PollQuery, NoBody], wanted: dict[str, Any]) -> list[NativeMessage]:
    """Give what came in last, as far as it is found near by; a poll by the newest time goes on without a gap."""
    messages: list[NativeMessage] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await _listed(call, {**wanted, "cursor": cursor})
        messages += _read(page)
        cursor = page.next_cursor
        if len(messages) >= POLL_PAGE or cursor is None:
            break
    return messages[:POLL_PAGE][::-1]


async def _whole_seconds(
    call: Call[PollQuery, NoBody], wanted: dict[str, Any]
) -> tuple[list[NativeMessage], bool]:
    """Give a page, and whether more follows; never cut within a second, because clients go on after it.

    A native page may be short or empty, and not the last: it has looked at as many messages as it may.
    """
    messages: list[NativeMessage] = []
    cursor: str | None = None
    while True:
        page = await _listed(call, {**wanted, "cursor": cursor})
        for message in _read(page):
            if len(messages) >= POLL_PAGE and message.came_in_at // 1000 != messages[-1].came_in_at // 1000:
                return messages, True
            messages.append(message)
        cursor = page.next_cursor
        if cursor is None:
            return messages, False


async def _listed(call: Call[Any, Any], wanted: dict[str, Any]) -> Listed[Any]:
    """Ask for messages; somebody who is not known has none."""
    try:
        return (await ask(call, "list_messages", Listed, query=wanted)).content
    except InvalidRequest as error:
        if error.code != "chat_not_found":
            raise
        return Listed(data=[], total=0, request_id=call.request_id)


def _read(page: Listed[Any]) -> list[NativeMessage]:
    return [
        msgspec.json.decode(each, type=NativeMessage)
        if isinstance(each, msgspec.Raw)
        else msgspec.convert(each, NativeMessage, from_attributes=True)
        for each in page.data
    ]


def _shown(message: NativeMessage, *, at_ms: int) -> Message:
    contact = message.chat_address if message.is_from_me else message.sender
    return Message(
        id=message.id,
        phone=contact or message.chat_address or "",
        message=message.text or "",
        direction="outbound" if message.is_from_me else "inbound",
        timestamp=iso(at_ms),
        status=MESSAGE_STATUS[message.status] if message.is_from_me else "received",
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/api/send",
        name="ava_send",
        summary="Send a message.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=SentMessage,
        example={"phone": "+15551234567", "message": "Hello"},
        handle=_send,
    ),
    Endpoint(
        method="GET",
        path="/api/messages/poll",
        name="ava_poll",
        summary="List what came in since a time.",
        tag="messages",
        scope="messages:read",
        query=PollQuery,
        body=NoBody,
        reply=Polled,
        handle=_poll,
    ),
    Endpoint(
        method="GET",
        path="/api/messages/{phone}",
        name="ava_history",
        summary="List the messages with a contact, oldest first.",
        tag="messages",
        scope="messages:read",
        query=HistoryQuery,
        body=NoBody,
        reply=History,
        handle=_history,
    ),
)
