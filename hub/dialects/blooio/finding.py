"""Find the chat that a path names: on any line that the key may use, the one spoken in last."""

from __future__ import annotations

from typing import Any, Final

from hub.api.calls import Call
from hub.api.chat_shapes import ChatReply, OneChat
from hub.api.file_shapes import OneFile
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.identifiers import ChatName, group_id, read_chat_name
from hub.dialects.blooio.natives import NativeMessage, page
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: A contact may have a chat with each line.
_MOST_LINES: Final = 100


def chat_name(call: Call[Any, Any]) -> ChatName:
    """Read the `chatId` in the path."""
    return read_chat_name(call.path["chat_id"])


async def chats_of(call: Call[Any, Any], name: ChatName, *, line: str | None = None) -> list[ChatReply]:
    """Give the chats of a name, spoken in last first; none where nothing was ever said.

    Args:
        call: Whose key asks.
        name: As the path has it.
        line: Only those of this line.
    """
    if name.chat_id is not None:
        return [await _group(call, name.chat_id)]
    query = {"participant": ",".join(name.handles), "is_group": name.is_list, "from": line}
    found, _ = await page(call, "list_chats", ChatReply, query, limit=_MOST_LINES)
    return [chat for chat in found if chat.left_at is None] or found


async def chat_of(call: Call[Any, Any], name: ChatName) -> ChatReply:
    """Give the chat of a name that was spoken in last.

    Raises:
        InvalidRequest: chat_not_found.
    """
    found = await chats_of(call, name)
    if not found:
        raise no_chat()
    return found[0]


async def _group(call: Call[Any, Any], chat_id: str) -> OneChat:
    try:
        chat = (await ask(call, "get_chat", OneChat, path={"id": chat_id})).content
    except InvalidRequest as error:
        if error.code in ("line_not_accessible", "chat_not_found"):  # to this key there is no such chat
            raise no_chat() from None
        raise
    if not chat.is_group:
        raise no_chat()
    return chat


async def message_of(
    call: Call[Any, Any], name: ChatName, message_id: str
) -> tuple[NativeMessage, ChatReply]:
    """Find a message in the chat of a name, and the chat of the line that it went by.

    Raises:
        InvalidRequest: chat_not_found or message_not_found.
    """
    try:
        message = (await ask(call, "get_message", NativeMessage, path={"id": message_id})).content
    except InvalidRequest as error:
        if error.code in ("line_not_accessible", "message_not_found"):
            raise no_message() from None
        raise
    for chat in await chats_of(call, name):
        if chat.id == message.chat_id:
            return message, chat
    raise no_message()


def no_chat() -> Refusal:
    """Say that there is no such chat."""
    return Refusal(404, "Chat not found.", code="chat_not_found", field="chatId")


def no_message() -> Refusal:
    """Say that the chat has no such message."""
    return Refusal(404, "The chat has no such message.", code="message_not_found", field="messageId")


def public_id(chat: ChatReply) -> str:
    """Give what the vendor calls a chat."""
    return group_id(chat.id) if chat.is_group else chat.identifier


async def file_url(call: Call[Any, Any], file_id: str | None) -> str | None:
    """Give where a file is read; None for none, and for a key that may read no files."""
    if file_id is None or not call.key.may("files:read"):
        return None
    return (await ask(call, "get_file", OneFile, path={"id": file_id})).content.url
