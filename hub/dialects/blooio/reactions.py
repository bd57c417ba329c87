"""`/chats/{chatId}/messages/{messageId}/reactions`: react, also to the last message but n."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.chat_shapes import ChatReply
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.blooio.finding import chat_name, chat_of, message_of, no_message
from hub.dialects.blooio.natives import NativeMessage, page, verdict

#: `-1` is the last message, `-2` the one before. An id of ours begins otherwise.
_RELATIVE: Final = re.compile(r"-([1-9][0-9]{0,3})", re.ASCII)


class NewReaction(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction to add (`+love`) or to take back (`-love`)."""

    reaction: Annotated[str, Meta(min_length=1, max_length=65)]
    #: Of a relative id: counts only these.
    direction: Literal["inbound", "outbound"] | None = None


class Reacted(msgspec.Struct, frozen=True, kw_only=True):
    """The reaction was added or taken back."""

    success: bool
    message_id: str
    reaction: str
    action: Literal["add", "remove"]


async def _react(call: Call[NoQuery, NewReaction]) -> Reply:
    sign, reaction = call.body.reaction[:1], call.body.reaction[1:]
    if sign not in ("+", "-") or not reaction:
        raise Refusal(
            400, "'reaction' must begin with '+' (add) or '-' (remove): '+love', '-👍'.", field="reaction"
        )
    message, chat = await _target(call)
    body = {
        "from": message.line_handle,
        "to": chat.id,
        "message_id": message.id,
        "type": reaction,
        "remove": sign == "-",
    }
    with naming(type="reaction", message_id="messageId"):
        await verdict(call, "send_reaction", body=body)
    action: Literal["add", "remove"] = "add" if sign == "+" else "remove"
    return Reply(content=Reacted(success=True, message_id=message.id, reaction=reaction, action=action))


async def _target(call: Call[Any, Any]) -> tuple[NativeMessage, ChatReply]:
    name, text = chat_name(call), call.path["message_id"]
    relative = _RELATIVE.fullmatch(text)
    if relative is None:
        return await message_of(call, name, text)
    chat = await chat_of(call, name)
    query = {"from": chat.line_id, "to": chat.id, "direction": call.body.direction}
    found, _ = await page(call, "list_messages", NativeMessage, query, limit=1, offset=int(relative[1]) - 1)
    if not found:
        raise no_message()
    return found[0], chat


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/messages/{message_id}/reactions",
        name="blooio_react",
        summary="React to a message, or take a reaction back.",
        tag="messages",
        scope="reactions:write",
        query=NoQuery,
        body=NewReaction,
        reply=Reacted,
        errors=("chat_not_found", "message_not_found"),
        example={"reaction": "+love"},
        handle=_react,
    ),
)
