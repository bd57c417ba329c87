"""/v1/chats/{id}/background: the picture behind a chat, where the network has such a thing."""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.chat_operations import (
    CHAT_ERRORS,
    FILE_ERRORS,
    VERDICT,
    changed,
    chat_of,
    keep_picture,
    owe,
    require_picture,
)
from hub.api.groups import PictureId
from hub.api.sends import SEND_HEADERS, SendReply
from hub.model.ids import Prefix, id_text
from hub.model.outbox import OperationKind


class NewBackground(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The chat's new background."""

    file_id: PictureId


class _Kept(msgspec.Struct):
    file_id: int | None = None
    background_id: str | None = None
    version: int | None = None
    changed_at: int | None = None


class BackgroundReply(msgspec.Struct, frozen=True, kw_only=True):
    """The background that the line gave the chat; what others gave it is not known."""

    chat_id: str
    has_background: bool
    file_id: str | None
    #: The network's id of it, and how often it was changed.
    background_id: str | None
    version: int | None
    changed_at: int | None
    request_id: str


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    _, chat = await chat_of(call)
    kept = _Kept() if chat.background is None else msgspec.json.decode(chat.background, type=_Kept)
    content = BackgroundReply(
        chat_id=id_text(Prefix.CHAT, chat.id),
        has_background=kept.file_id is not None,
        file_id=None if kept.file_id is None else id_text(Prefix.FILE, kept.file_id),
        background_id=kept.background_id,
        version=kept.version,
        changed_at=kept.changed_at,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _set(call: Call[NoQuery, NewBackground]) -> Reply:
    line, chat = await chat_of(call)
    file_id = await require_picture(call, call.body.file_id)
    await keep_picture(call, file_id, "background", user_id=chat.id, line_id=line.id)
    return changed(await owe(call, line, chat, OperationKind.BACKGROUND))


async def _remove(call: Call[NoQuery, NoBody]) -> Reply:
    line, chat = await chat_of(call)
    return changed(await owe(call, line, chat, OperationKind.BACKGROUND, remove=True))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/chats/{id}/background",
        name="get_background",
        summary="Show a chat's background, as far as the line gave it one.",
        tag="chats",
        scope="chats:read",
        query=NoQuery,
        body=NoBody,
        reply=BackgroundReply,
        errors=("chat_not_found", "line_not_accessible"),
        handle=_show,
    ),
    Endpoint(
        method="PUT",
        path="/v1/chats/{id}/background",
        name="set_background",
        summary="Give a chat a background.",
        description=f"Upload the picture first (`POST /v1/files`). {VERDICT}",
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NewBackground,
        reply=SendReply,
        status=202,
        errors=tuple(dict.fromkeys((*CHAT_ERRORS, *FILE_ERRORS))),
        headers=SEND_HEADERS,
        example={"file_id": "file_0f2m4h8x0g001"},
        handle=_set,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/chats/{id}/background",
        name="remove_background",
        summary="Take a chat's background away.",
        description=VERDICT,
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=202,
        errors=CHAT_ERRORS,
        headers=SEND_HEADERS,
        handle=_remove,
    ),
)
