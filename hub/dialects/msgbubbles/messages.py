"""POST and GET /v1/messages: send, list, read (contracts: msgbubbles §2, §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.chat_shapes import OneChat
from hub.api.idempotency import HEADER, wanted_key
from hub.api.lines import LineReply
from hub.api.sends import SendReply
from hub.dialects.msgbubbles.errors import Refused, told_as
from hub.dialects.msgbubbles.handles import require_handle
from hub.dialects.msgbubbles.identifiers import native_named, native_of
from hub.dialects.msgbubbles.natives import NativeMessage
from hub.dialects.msgbubbles.pages import page_by_time
from hub.dialects.msgbubbles.rendering import has_whatsapp, message_of
from hub.dialects.msgbubbles.shapes import Many, Message, One, PageQuery, Strict, Uuid
from hub.dialects.msgbubbles.times import read_before
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix

#: The line of the conversation: the native surface finds it.
_ANY_LINE: Final = "auto"
_GONE_FILES: Final = dict.fromkeys(
    ("file_not_found", "file_not_ready", "file_in_use", "file_unavailable"), "invalid_attachments"
)
#: A number of another account, or of none.
NOT_OURS: Final = dict.fromkeys(("line_not_found", "line_not_accessible"), "invalid_from_handle")
_decode: Final = msgspec.json.Decoder(NativeMessage).decode


class NewMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to send."""

    to: str | None = None
    from_handle: str | None = None
    #: In place of `to` and `from_handle`.
    conversation_id: Uuid | None = None
    text: str | None = None
    attachment_ids: Annotated[tuple[Uuid, ...], Meta(max_length=10)] | None = None
    reply_to: Uuid | None = None
    effect: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    channel: Literal["whatsapp"] | None = None
    voice_memo: bool | None = None


class MessageQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which messages."""

    conversation_id: Uuid | None = None


async def _send(call: Call[Strict, NewMessage]) -> Reply:
    require_scope(call.key, "messages:read")
    body = call.body
    place, content = _place(body), _content(body)
    if body.channel is not None:
        await _require_whatsapp(call, place)
    more = {
        "reply_to": body.reply_to and native_named(Prefix.MESSAGE, body.reply_to, param="reply_to"),
        "effect": body.effect,
        "allow_sms_fallback": True,
    }
    codes = {**_GONE_FILES, **(NOT_OURS if body.conversation_id is None else {})}
    with told_as(**codes):
        asked = await ask(
            call,
            "send_message",
            SendReply,
            body={name: value for name, value in {**place, **content, **more}.items() if value},
            idempotency_key=wanted_key(call),
        )
    shown = await read_message(call, str(asked.content.message_id))
    return Reply(content=shown, status=200 if asked.is_replayed else 202)


def _place(body: NewMessage) -> dict[str, str]:
    """Say where a message goes, in native words."""
    if body.conversation_id is not None:
        if body.to is not None or body.from_handle is not None:
            raise Refused("invalid_request", "'conversation_id' stands in place of 'to' and 'from_handle'.")
        chat_id = native_named(Prefix.CHAT, body.conversation_id, param="conversation_id")
        return {"from": _ANY_LINE, "to": chat_id}
    for name in ("to", "from_handle"):
        if getattr(body, name) is None:
            raise Refused("invalid_request", f"'{name}' is required without a 'conversation_id'.")
    return {
        "from": require_handle(body.from_handle or "", param="from_handle"),
        "to": require_handle(body.to or "", param="to"),
    }


async def _require_whatsapp(call: Call[Any, Any], place: Mapping[str, str]) -> None:
    """Refuse to force the channel upon a number that does not have it; one that has knows no other."""
    named = place["from"]
    if named == _ANY_LINE:
        named = (await ask(call, "get_chat", OneChat, path={"id": place["to"]})).content.line_id
    lines: list[LineReply] = (await ask(call, "list_lines", Listed)).content.data
    if not any(has_whatsapp(line) for line in lines if named in (line.handle, line.id)):
        raise Refused("invalid_from_handle", "This number has no WhatsApp session.")


def _content(body: NewMessage) -> dict[str, Any]:
    """Say what a message holds, in native words: several files are one message of several parts."""
    files = _files(body.attachment_ids or ())
    if not body.text and not files:
        raise Refused("invalid_request", "'text' or 'attachment_ids' is required.")
    once = {"first_use": bool(files), "voice_memo": bool(body.voice_memo and files)}
    if len(files) < 2 or body.voice_memo:
        return {"text": body.text, "attachments": files, **once}
    words = [{"type": "text", "text": body.text}] if body.text else []
    return {"parts": [*words, *({"type": "attachment", "file_id": each} for each in files)], **once}


def _files(ids: tuple[str, ...]) -> list[str]:
    found = [native_of(Prefix.FILE, each) for each in ids]
    named = [each for each in found if each is not None]
    if len(set(named)) < len(ids):
        raise Refused("invalid_attachments", "'attachment_ids' names a file that is not there, or one twice.")
    return named


async def read_message(call: Call[Any, Any], native_id: str) -> One[Message]:
    """Ask for a message and show it."""
    native = (await ask(call, "get_message", NativeMessage, path={"id": native_id})).content
    (data,) = await _shown(call, [native])
    return One(data=data, request_id=call.request_id)


async def _shown(call: Call[Any, Any], messages: Sequence[NativeMessage]) -> list[Message]:
    """Show messages, with the ids of those that they answer."""
    guids = {each.reply_to_guid for each in messages if each.reply_to_guid is not None}
    ids = {guid: await _id_of(call, guid) for guid in guids}
    return [message_of(each, reply_to=ids.get(each.reply_to_guid or "")) for each in messages]


async def _id_of(call: Call[Any, Any], guid: str) -> str | None:
    """Give the id of the message that its network names so; None for one that is older than the hub."""
    try:
        return (await ask(call, "get_message", NativeMessage, path={"id": guid})).content.id
    except InvalidRequest:
        return None


async def _list(call: Call[MessageQuery, NoBody]) -> Reply:
    query = call.query
    named = query.conversation_id
    fixed = {
        "to": None if named is None else native_named(Prefix.CHAT, named, param="conversation_id"),
        "until": read_before(query.before),
    }

    async def fetch(limit: int, cursor: str | None) -> tuple[list[NativeMessage], str | None]:
        asked = {**fixed, "limit": limit, "cursor": cursor}
        page = (await ask(call, "list_messages", Listed, query=asked)).content
        return [_decode(each) for each in page.data], page.next_cursor

    found, has_more = await page_by_time(fetch, lambda each: each.created_at, limit=query.limit)
    return Reply(content=Many(data=await _shown(call, found), has_more=has_more, request_id=call.request_id))


async def _get(call: Call[Strict, NoBody]) -> Reply:
    return Reply(content=await read_message(call, native_named(Prefix.MESSAGE, call.path["id"], param="id")))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/messages",
        name="msgbubbles_send_message",
        summary="Send a message.",
        tag="msgbubbles",
        scope="messages:write",
        query=Strict,
        body=NewMessage,
        reply=One[Message],
        example={"to": "+15551234567", "text": "Hello"},
        status=202,
        headers=(HEADER,),
        handle=_send,
    ),
    Endpoint(
        method="GET",
        path="/v1/messages",
        name="msgbubbles_list_messages",
        summary="List messages, newest first.",
        tag="msgbubbles",
        scope="messages:read",
        query=MessageQuery,
        body=NoBody,
        reply=Many[Message],
        handle=_list,
    ),
    Endpoint(
        method="GET",
        path="/v1/messages/{id}",
        name="msgbubbles_get_message",
        summary="Read a message.",
        tag="msgbubbles",
        scope="messages:read",
        query=Strict,
        body=NoBody,
        reply=One[Message],
        handle=_get,
    ),
)
