"""/v1/messages: read a chat's messages, and send one (contracts: messages.dev §2)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.paging import DEFAULT_LIMIT, CursorText, Limit, read_cursor, split_page, write_cursor
from hub.api.reading import missing
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, MessageReference, SendReply, To, accept
from hub.flow.event_shapes import MessageData
from hub.flow.payloads import message_data
from hub.flow.recipients import find_chat, find_message, find_recipient, require_contact
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind

MOST_TEXT: Final = 20_000
MOST_ATTACHMENTS: Final = 1
_LONGEST_FILE_ID: Final = 128


class MessageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chat's messages."""

    from_: str = msgspec.field(name="from")
    to: str
    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send; at least one of text and attachments."""

    from_: From = msgspec.field(name="from")
    to: To
    text: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    attachments: Annotated[
        tuple[Annotated[str, Meta(max_length=_LONGEST_FILE_ID)], ...],
        Meta(description="At most one `file_` id."),
    ] = ()
    reply_to: MessageReference | None = None


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


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    body, store = call.body, call.uses.store
    _check_content(body)
    line = await call.line(body.from_)
    recipient = await find_recipient(store, line, body.to)
    if body.attachments:
        raise InvalidRequest("file_not_found", "File not found.", param="attachments[0]")
    resolved: dict[str, object] = {"chat_key": recipient.chat_key}
    if body.reply_to is not None:
        parent = await find_message(store, line, body.reply_to, param="reply_to")
        resolved["reply_to_guid"] = parent.guid
    require_contact(line, recipient)
    return await accept(call, line, OperationKind.SEND, resolved=resolved)


def _check_content(body: NewMessage) -> None:
    if not body.text and not body.attachments:
        raise missing("text")
    if len(body.attachments) > MOST_ATTACHMENTS:
        raise InvalidRequest(
            "invalid_parameter_value", "A message carries at most one attachment.", param="attachments"
        )
    for index, file_id in enumerate(body.attachments):
        if not file_id.startswith("file_"):
            raise InvalidRequest(
                "invalid_parameter_value",
                "An attachment is named by the id of a file, which begins with 'file_'.",
                param=f"attachments[{index}]",
            )


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
    Endpoint(
        method="POST",
        path="/v1/messages",
        name="send_message",
        summary="Send a message.",
        description=(
            "Answers when the send is durable; GET /v1/outbox and the webhook `message.sent` tell what became of "
            "it. With `Idempotency-Key` a repeat of the same request sends nothing and gets the first answer, "
            "marked `Idempotent-Replayed: true`."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, "contact_has_not_messaged", "file_not_found", "message_not_found"),
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001", "text": "Hello back"},
        handle=_send,
    ),
)
