"""/v1/chats: conversations, their groups' members and titles, read marks and typing (contracts: msgbubbles §2)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, Reply
from hub.api.chat_shapes import ChatReply
from hub.api.message_sends import MOST_TEXT
from hub.api.sends import SendReply
from hub.dialects.msgbubbles.errors import told_as
from hub.dialects.msgbubbles.handles import require_handle
from hub.dialects.msgbubbles.identifiers import native_named, uuid_of
from hub.dialects.msgbubbles.messages import NOT_OURS
from hub.dialects.msgbubbles.pages import page_by_time
from hub.dialects.msgbubbles.rendering import chat_of, made_at
from hub.dialects.msgbubbles.repeats import outbox_key
from hub.dialects.msgbubbles.shapes import Chat, HandleText, Many, One, PageQuery, Strict, Typing
from hub.dialects.msgbubbles.times import read_before
from hub.dialects.msgbubbles.verdicts import WAIT_SECONDS, require_done
from hub.dialects.native import Asked, ask
from hub.model.ids import Prefix

Title = Annotated[str, Meta(max_length=100)]


class NewChat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group to make, and its first message."""

    from_handle: str
    addresses: Annotated[tuple[HandleText, ...], Meta(min_length=2, max_length=31)]
    message: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
    title: Title | None = None


class NewTitle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The group's new title; an empty one takes it away."""

    title: Title


class NewParticipant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to join."""

    handle: HandleText


class TypingState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin to type, or stop."""

    typing: bool = True


async def _list(call: Call[PageQuery, NoBody]) -> Reply:
    fixed = {"sort": "created", "created_before": read_before(call.query.before)}

    async def fetch(limit: int, cursor: str | None) -> tuple[list[ChatReply], str | None]:
        asked = {**fixed, "limit": limit, "cursor": cursor}
        page = (await ask(call, "list_chats", Listed, query=asked)).content
        return page.data, page.next_cursor

    found, has_more = await page_by_time(
        fetch, lambda chat: made_at(Prefix.CHAT, chat.id), limit=call.query.limit
    )
    data = [chat_of(each) for each in found]
    return Reply(content=Many(data=data, has_more=has_more, request_id=call.request_id))


async def _get(call: Call[Strict, NoBody]) -> Reply:
    return Reply(content=await _read_chat(call, _named(call)))


async def _read_chat(call: Call[Any, Any], native_id: str) -> One[Chat]:
    native = (await ask(call, "get_chat", ChatReply, path={"id": native_id})).content
    return One(data=chat_of(native), request_id=call.request_id)


def _named(call: Call[Any, Any]) -> str:
    return native_named(Prefix.CHAT, call.path["id"], param="id")


async def _create(call: Call[Strict, NewChat]) -> Reply:
    require_scope(call.key, "chats:read")
    body = call.body
    people = [require_handle(each, param=f"addresses[{place}]") for place, each in enumerate(body.addresses)]
    wanted = {
        "from": require_handle(body.from_handle, param="from_handle"),
        "participants": people,
        "name": body.title,
        "text": body.message,
    }
    with told_as(**NOT_OURS):
        asked = await ask(
            call,
            "create_group",
            SendReply,
            body=wanted,
            idempotency_key=outbox_key(call),
            wait_seconds=WAIT_SECONDS,
        )
    result = require_done(asked, "create").result
    chat_id = result["chat_id"] if isinstance(result, dict) else ""
    return Reply(content=await _read_chat(call, chat_id), status=201)


async def _rename(call: Call[Strict, NewTitle]) -> Reply:
    return await _changed(call, "rename_group", "rename", body={"name": call.body.title})


async def _add(call: Call[Strict, NewParticipant]) -> Reply:
    handle = require_handle(call.body.handle, param="handle")
    return await _changed(call, "add_participant", "add_participant", body={"handle": handle})


async def _remove(call: Call[Strict, NoBody]) -> Reply:
    handle = require_handle(call.path["handle"], param="handle")
    return await _changed(call, "remove_participant", "remove_participant", path={"handle": handle})


async def _mark_read(call: Call[Strict, Strict]) -> Reply:
    return await _changed(call, "read_chat", "read")


async def _changed(
    call: Call[Any, Any],
    name: str,
    action: str,
    *,
    path: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
) -> Reply:
    """Have the network do something, and show the chat after it."""
    require_scope(call.key, "chats:read")
    asked = await _asked(call, name, path=path, body=body, wait_seconds=WAIT_SECONDS)
    require_done(asked, action)
    return Reply(content=await _read_chat(call, _named(call)))


async def _asked(
    call: Call[Any, Any],
    name: str,
    *,
    path: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    wait_seconds: int | None = None,
) -> Asked[SendReply]:
    return await ask(
        call,
        name,
        SendReply,
        path={"id": _named(call), **(path or {})},
        body=body,
        idempotency_key=outbox_key(call),
        wait_seconds=wait_seconds,
    )


async def _type(call: Call[Strict, TypingState]) -> Reply:
    is_typing = call.body.typing
    await _asked(call, "type_in_chat", body={"state": "on" if is_typing else "off"})
    data = Typing(conversation_id=uuid_of(_named(call)), typing=is_typing)
    return Reply(content=One(data=data, request_id=call.request_id), status=202)


def _endpoint(
    method: str, path: str, name: str, summary: str, *, scope: str, handle: Any, **more: Any
) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=path,
        name=f"msgbubbles_{name}",
        summary=summary,
        tag="msgbubbles",
        scope=scope,
        query=more.pop("query", Strict),
        body=more.pop("body", NoBody),
        reply=more.pop("reply", One[Chat]),
        replayed_status=200 if method == "POST" else None,
        handle=handle,
        **more,
    )


_ONE = "/v1/chats/{id}"

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "GET", "/v1/chats", "list_chats", "List conversations, newest first.",
        scope="chats:read", query=PageQuery, reply=Many[Chat], handle=_list,
    ),
    _endpoint("GET", _ONE, "get_chat", "Show a conversation.", scope="chats:read", handle=_get),
    _endpoint(
        "POST", "/v1/chats", "create_chat", "Make a group by its first message.",
        scope="chats:write", body=NewChat, status=201, handle=_create,
        example={
            "from_handle": "+15550100000",
            "addresses": ["+15551234567", "+15559876543"],
            "message": "Welcome!",
            "title": "Weekend",
        },
    ),
    _endpoint(
        "PATCH", _ONE, "rename_chat", "Give a group a title.",
        scope="chats:write", body=NewTitle, handle=_rename, example={"title": "Weekend"},
    ),
    _endpoint(
        "POST", f"{_ONE}/participants", "add_participant", "Bring somebody into a group.",
        scope="chats:write", body=NewParticipant, handle=_add, example={"handle": "+15551234567"},
    ),
    _endpoint(
        "DELETE", f"{_ONE}/participants/{{handle}}", "remove_participant", "Put somebody out of a group.",
        scope="chats:write", handle=_remove,
    ),
    _endpoint(
        "POST", f"{_ONE}/read", "read_chat", "Mark a conversation as read.",
        scope="receipts:write", body=Strict, is_body_optional=True, handle=_mark_read,
    ),
    _endpoint(
        "POST", f"{_ONE}/typing", "type_in_chat", "Show that we type, or have stopped.",
        scope="typing:write", body=TypingState, is_body_optional=True, reply=One[Typing], status=202, handle=_type,
        example={"typing": True},
    ),
)  # fmt: skip
