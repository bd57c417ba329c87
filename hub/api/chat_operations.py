"""What all operations on a chat share: the chat that the path names, and the answer of a send.

Not here: which operations there are (hub.api.groups and its neighbours).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from hub.api.calls import Call, Reply, not_found, path_id
from hub.api.sends import SEND_ERRORS, accept
from hub.flow.file_store import FileUse
from hub.flow.repositories import Chat
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind

#: Codes that every operation on a chat can answer.
CHAT_ERRORS: Final = SEND_ERRORS
GROUP_ERRORS: Final = (*SEND_ERRORS, "not_a_group", "chat_left")
FILE_ERRORS: Final = ("file_not_found", "file_not_ready", "file_unavailable", "line_not_accessible")
#: For the descriptions of endpoints.
VERDICT: Final = (
    "Answers when the wish is durable; with `Prefer: wait=N` when the network has decided, with its verdict in "
    "`state`, `error` and `result`."
)
EXAMPLE_CHAT: Final = "cht_0f2m4h8x0g001"


async def chat_of(call: Call[Any, Any]) -> tuple[Line, Chat]:
    """Find the chat that the path names, with its line.

    Raises:
        InvalidRequest: chat_not_found or line_not_accessible.
    """
    chat = await call.uses.store.chats.get(path_id(call, Prefix.CHAT, "chat"))
    if chat is None:
        raise not_found("chat")
    call.uses.lines.require(call.key, chat.line_id)
    line = await call.uses.lines.get(chat.line_id)
    if line is None:
        raise not_found("chat")
    return line, chat


async def owe(call: Call[Any, Any], line: Line, chat: Chat, kind: OperationKind, **more: object) -> Reply:
    """Owe an operation in a chat to the line's bridge.

    Args:
        call: The request; its body is part of the operation.
        line: The chat's line.
        chat: Where it is done.
        kind: What is done.
        more: What the body does not say.
    """
    place = {"from": line.handle, "to": id_text(Prefix.CHAT, chat.id), "chat_key": chat.chat_key}
    return await accept(call, line, kind, resolved={**place, **more})


def changed(reply: Reply) -> Reply:
    """Answer 202 where nothing is created: the change is owed, and not made yet."""
    return replace(reply, status=202)


async def require_picture(call: Call[Any, Any], text: str) -> int:
    """Find the picture that a body names; give its id.

    Raises:
        InvalidRequest: invalid_parameter_value for what is no picture, file_not_found, file_not_ready, …
    """
    (file,) = await call.uses.files.require(call.key, [(text, "file_id")])
    if not file.mime_type.startswith("image/"):
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'file_id' must be a picture (image/…); this file is {file.mime_type}.",
            param="file_id",
        )
    return file.id


async def keep_picture(call: Call[Any, Any], file_id: int, kind: str, *, user_id: int, line_id: int) -> None:
    """Keep a picture for as long as somebody shows it; it may be deleted in the meantime.

    Raises:
        InvalidRequest: file_not_found.
    """
    use = FileUse(file_id=file_id, kind=kind, user_id=user_id, line_id=line_id)
    if await call.uses.store.files.use([use]):
        raise not_found("file", param="file_id")
