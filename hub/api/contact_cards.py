"""The name and photo that a line shares: /v1/lines/{id}/contact-card, and sharing it in a chat."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, not_found, path_id
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
from hub.api.reading import missing
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, SendReply, accept, wire_fields
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind

CardName = Annotated[str, Meta(max_length=200)]


class CardSharing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """With whom the network shares it by itself."""

    enabled: bool
    audience: Literal["contacts_only", "always_ask"] | None = None
    name_format: Literal["first_and_last", "first_only"] | None = None


class NewCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays."""

    first_name: CardName | None = None
    last_name: CardName | None = None
    #: The `file_id` of a photo.
    file_id: PictureId | None = None
    sharing: CardSharing | None = None


class CardReply(msgspec.Struct, frozen=True, kw_only=True):
    """The line's card as its bridge last told."""

    line_id: str
    #: Null while nothing is known: `POST …/contact-card/refresh` asks the bridge.
    card: dict[str, Any] | None
    synced_at: int | None
    request_id: str


async def _line_of(call: Call[Any, Any]) -> Line:
    line = await call.uses.lines.get(path_id(call, Prefix.LINE, "line"))
    if line is None:
        raise not_found("line")
    call.uses.lines.require(call.key, line.id)
    return line


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    line = await _line_of(call)
    known = await call.uses.store.chats.card(line.id)
    content = CardReply(
        line_id=id_text(Prefix.LINE, line.id),
        card=None if known is None else msgspec.json.decode(known[0]),
        synced_at=None if known is None else known[1],
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _set(call: Call[NoQuery, NewCard]) -> Reply:
    line = await _line_of(call)
    card = wire_fields(call.body)
    if not card:
        raise missing("first_name")
    if call.body.file_id is not None:
        file_id = await require_picture(call, call.body.file_id)
        await keep_picture(call, file_id, "contact_card", user_id=line.id, line_id=line.id)
    resolved = {"from": line.handle, "action": "set", "card": card}
    return changed(await accept(call, line, OperationKind.CONTACT_CARD, resolved=resolved))


async def _refresh(call: Call[NoQuery, NoBody]) -> Reply:
    line = await _line_of(call)
    resolved = {"from": line.handle, "action": "read"}
    return await accept(call, line, OperationKind.CONTACT_CARD, resolved=resolved)


async def _share(call: Call[NoQuery, NoBody]) -> Reply:
    return await owe(call, *await chat_of(call), OperationKind.CONTACT_CARD, action="share")


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/lines/{id}/contact-card",
        name="get_contact_card",
        summary="Show the name and photo that a line shares.",
        tag="lines",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=CardReply,
        errors=("line_not_found", "line_not_accessible"),
        handle=_show,
    ),
    Endpoint(
        method="PUT",
        path="/v1/lines/{id}/contact-card",
        name="set_contact_card",
        summary="Change the name and photo that a line shares.",
        description=VERDICT,
        tag="lines",
        scope="lines:write",
        query=NoQuery,
        body=NewCard,
        reply=SendReply,
        status=202,
        errors=tuple(dict.fromkeys((*SEND_ERRORS, *FILE_ERRORS))),
        headers=SEND_HEADERS,
        example={"first_name": "Ada", "last_name": "Lovelace"},
        handle=_set,
    ),
    Endpoint(
        method="POST",
        path="/v1/lines/{id}/contact-card/refresh",
        name="refresh_contact_card",
        summary="Ask the line's bridge which name and photo it shares.",
        description=VERDICT,
        tag="lines",
        scope="lines:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=SEND_ERRORS,
        headers=SEND_HEADERS,
        handle=_refresh,
    ),
    Endpoint(
        method="POST",
        path="/v1/chats/{id}/contact-card",
        name="share_contact_card",
        summary="Share the line's name and photo in a chat.",
        description=VERDICT,
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=CHAT_ERRORS,
        headers=SEND_HEADERS,
        handle=_share,
    ),
)
