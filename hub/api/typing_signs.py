"""/v1/typing: show that the line types, and see who types in a chat now (contracts: messages.dev §2)."""

from __future__ import annotations

from typing import Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, FromOrAuto, SendReply, To, accept, sending_line
from hub.flow.recipients import find_chat, find_recipient, last_received
from hub.model.ids import Prefix, id_text
from hub.model.live import Typist
from hub.model.outbox import OperationKind


class NewTyping(msgspec.Struct, frozen=True, kw_only=True):
    """Begin to type, or stop."""

    from_: FromOrAuto = msgspec.field(name="from")
    to: To
    state: Literal["on", "off"] = "on"


class TypingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which chat."""

    from_: From = msgspec.field(name="from")
    to: To


class TypingReply(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who types."""

    id: str
    chat_id: str
    handle: str
    is_typing: bool
    updated_at: int


async def _type(call: Call[NoQuery, NewTyping]) -> Reply:
    line = await sending_line(call, call.body.from_, call.body.to)
    recipient = await find_recipient(call.uses.store, line, call.body.to)
    resolved: dict[str, object] = {"from": line.handle, "chat_key": recipient.chat_key}
    resolved |= await last_received(call.uses.store, line, recipient.chat)
    return await accept(call, line, OperationKind.TYPING, resolved=resolved)


async def _list(call: Call[TypingQuery, NoBody]) -> Reply:
    line = await call.line(call.query.from_)
    chat = await find_chat(call.uses.store, line, call.query.to)
    typists = await call.uses.parts.live_typing.typists(chat.id)
    return Reply(content=Listed(data=[_shown(each) for each in typists], request_id=call.request_id))


def _shown(typist: Typist) -> TypingReply:
    # The sign itself has no id: it is named by its chat, and by when it was seen.
    return TypingReply(
        id=id_text("ind", typist.chat_id),
        chat_id=id_text(Prefix.CHAT, typist.chat_id),
        handle=typist.handle,
        is_typing=True,
        updated_at=typist.updated_at,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/typing",
        name="list_typing",
        summary="List who types in a chat now.",
        description=(
            "Typing is never stored: who has not been seen typing for a minute is left out, and while the hub's "
            "memory of such signs is away, so is everybody."
        ),
        tag="typing",
        scope="typing:read",
        query=TypingQuery,
        body=NoBody,
        reply=Listed[TypingReply],
        errors=("line_not_found", "line_not_accessible", "chat_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/typing",
        name="send_typing",
        summary="Show that the line types, or has stopped.",
        tag="typing",
        scope="typing:write",
        query=NoQuery,
        body=NewTyping,
        reply=SendReply,
        status=201,
        errors=SEND_ERRORS,
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001", "state": "on"},
        handle=_type,
    ),
)
