"""`/chats/{chatId}/background`: the picture behind a chat, as far as a number of the key gave it one."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.api.backgrounds import BackgroundReply
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, StreamBody
from hub.api.chat_shapes import ChatReply
from hub.dialects.blooio.errors import naming
from hub.dialects.blooio.finding import chat_name, chat_of, public_id
from hub.dialects.blooio.natives import verdict
from hub.dialects.blooio.pictures import upload_picture
from hub.dialects.native import ask

FIELD = "background"


class Background(msgspec.Struct, frozen=True, kw_only=True):
    """A chat's background."""

    chat_id: str
    has_background: bool
    background_id: str | None
    background_version: int | None
    changed: bool | UnsetType = UNSET


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await _shown(call, await chat_of(call, chat_name(call))))


async def _set(call: Call[NoQuery, StreamBody]) -> Reply:
    chat = await chat_of(call, chat_name(call))
    file_id = await upload_picture(call, FIELD)
    with naming(file_id=FIELD):
        await verdict(call, "set_background", path={"id": chat.id}, body={"file_id": file_id})
    return Reply(content=msgspec.structs.replace(await _shown(call, chat), changed=True))


async def _remove(call: Call[NoQuery, NoBody]) -> Reply:
    chat = await chat_of(call, chat_name(call))
    await verdict(call, "remove_background", path={"id": chat.id})
    return Reply(content=await _shown(call, chat))


async def _shown(call: Call[Any, Any], chat: ChatReply) -> Background:
    known = (await ask(call, "get_background", BackgroundReply, path={"id": chat.id})).content
    return Background(
        chat_id=public_id(chat),
        has_background=known.has_background,
        background_id=known.background_id or known.file_id,
        background_version=known.version,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}/background",
        name="blooio_get_background",
        summary="Show a chat's background.",
        tag="chats",
        scope="chats:read",
        query=NoQuery,
        body=NoBody,
        reply=Background,
        handle=_show,
    ),
    Endpoint(
        method="PUT",
        path="/v2/api/chats/{chat_id}/background",
        name="blooio_set_background",
        summary="Give a chat a background.",
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=StreamBody,
        request_content={
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FIELD],
                    "properties": {FIELD: {"type": "string", "format": "binary"}},
                }
            }
        },
        reply=Background,
        handle=_set,
    ),
    Endpoint(
        method="DELETE",
        path="/v2/api/chats/{chat_id}/background",
        name="blooio_remove_background",
        summary="Take a chat's background away.",
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=Background,
        handle=_remove,
    ),
)
