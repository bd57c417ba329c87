"""POST `/chats/{chatId}/messages`: whom it is for, by which number, and the answer (contracts: blooio §3).

Not here: what it holds (hub.dialects.blooio.send_content).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoQuery, Reply
from hub.api.idempotency import HEADER, wanted_key
from hub.api.lines import LineReply
from hub.api.sends import SendReply
from hub.dialects.blooio import errors
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.finding import chat_name, chats_of
from hub.dialects.blooio.groups_made import find_or_make_group
from hub.dialects.blooio.identifiers import ChatName, allocation_id, group_id, read_handle
from hub.dialects.blooio.natives import NativeMessage
from hub.dialects.blooio.replies import reply_target
from hub.dialects.blooio.send_content import NewMessage, check, native_content
from hub.dialects.native import Asked, ask
from hub.model.errors import InvalidRequest

#: Older docs: overrides the sender.
FROM_HEADER: Final = "X-From-Number"
#: What a send may go without, where the number cannot do it: the vendor leaves it out in silence.
_ORNAMENTS: Final = ("effect", "link_preview")
_NO_CARD: Final = "The message is queued, the contact card is not shared:"


class Sent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was taken in: durable, and not yet delivered."""

    message_id: str | UnsetType = UNSET
    #: Where one request makes several messages: all of them, in order.
    message_ids: list[str] | UnsetType = UNSET
    count: int | UnsetType = UNSET
    status: Literal["queued", "failed"]
    group_id: str | UnsetType = UNSET
    group_created: bool | UnsetType = UNSET
    participants: tuple[str, ...] | UnsetType = UNSET
    warning: str | UnsetType = UNSET


class _Said(msgspec.Struct, frozen=True):
    """What tells a send from others under the same idempotency key: all that the caller said."""

    chat: str
    line: str | None
    body: NewMessage


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Whom a send is for."""

    #: As the native send takes it.
    to: str
    #: The native id of a group.
    group: str | None
    #: Of a list of people: whether its group was made now.
    is_made: bool | None = None


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    body, name = call.body, chat_name(call)
    wanted_key(call)  # one that cannot be a key is refused before anything is done
    check(body)
    line = wanted_number(call, call.body.from_number or call.body.from_number_of_old)
    as_any: Call[Any, Any] = call
    said = replace(as_any, body=_Said(name.text, line, body))
    try:
        return await _sent(said, body, name, line)
    except InvalidRequest as error:
        raise await told_of_number(call, error, line, name) from None


async def _sent(call: Call[Any, Any], body: NewMessage, name: ChatName, line: str | None) -> Reply:
    if not body.has_words:
        await _require_conversation(call, name, line)
    parent = None if body.reply_to is None else await reply_target(call, body.reply_to, name, line)
    content = await native_content(call, body)
    place = await _place(call, name, line)
    wish = {"from": line or "auto", "to": place.to, **content}
    if parent is not None:
        wish |= {"reply_to": parent.id, "from": parent.line_handle}
    if body.use_typing_indicator:
        await _type(call, wish)
    asked = await _ask(call, wish)
    warning = await _share(call, asked) if body.share_contact and not asked.is_replayed else None
    content_told = _answer(asked.content, body, name, place)
    if warning is not None:
        content_told = msgspec.structs.replace(content_told, warning=warning)
    return Reply(content=content_told, status=200 if asked.is_replayed else 202)


async def _ask(call: Call[Any, Any], wish: dict[str, Any]) -> Asked[SendReply]:
    """Send; without ornaments where the number cannot have them."""
    key = wanted_key(call)
    try:
        return await ask(call, "send_message", SendReply, body=wish, idempotency_key=key)
    except InvalidRequest as error:
        plain = {field: value for field, value in wish.items() if field not in _ORNAMENTS}
        if "texts" in plain:
            plain["texts"] = [each["text"] if isinstance(each, dict) else each for each in plain["texts"]]
        if error.code != "advanced_features_required" or plain == wish:
            raise
    return await ask(call, "send_message", SendReply, body=plain, idempotency_key=key)


def wanted_number(call: Call[Any, Any], text: str | None) -> str | None:
    """Give the number that the caller chose, in the body or in a header; None for any of the key's.

    Raises:
        Refusal: 400 for what is no number.
    """
    text = text or _header(call)
    return None if not text else read_handle(text, field="from_number")


def _header(call: Call[Any, Any]) -> str:
    return call.headers.get(FROM_HEADER.lower().encode(), b"").decode("latin-1").strip()


async def _require_conversation(call: Call[Any, Any], name: ChatName, line: str | None) -> None:
    """Refuse attachments alone as the first message of a conversation.

    Raises:
        Refusal: attachment_first_message_not_allowed.
    """
    for chat in await chats_of(call, name, line=line):
        if chat.last_message is not None:
            return
    message = "The first message of a new conversation must say something: add 'text' to the attachments."
    raise Refusal(400, message, code="attachment_first_message_not_allowed", field="text")


async def _place(call: Call[Any, Any], name: ChatName, line: str | None) -> _Place:
    if name.is_list:
        chat_id, is_made = await find_or_make_group(call, name, line=line)
        return _Place(to=chat_id, group=chat_id, is_made=is_made)
    return _Place(to=name.to, group=name.chat_id)


async def _type(call: Call[Any, Any], wish: dict[str, Any]) -> None:
    """Show that we type, before the message goes out; where that cannot be, the message goes out without."""
    body = {"from": wish["from"], "to": wish["to"], "state": "on"}
    with suppress(InvalidRequest):
        await ask(call, "send_typing", SendReply, body=body)


async def _share(call: Call[Any, Any], asked: Asked[SendReply]) -> str | None:
    """Share the number's card in the chat of the message, which is accepted: give what stands in the way."""
    path = {"id": str(asked.content.message_id)}
    try:
        message = (await ask(call, "get_message", NativeMessage, path=path)).content
        await ask(call, "share_contact_card", SendReply, path={"id": message.chat_id or ""})
    except InvalidRequest as error:
        return f"{_NO_CARD} {error.message}"
    return None


def _answer(sent: SendReply, body: NewMessage, name: ChatName, place: _Place) -> Sent:
    ids = [sent.message_id] if isinstance(sent.items, UnsetType) else [each.message_id for each in sent.items]
    known = [each for each in ids if isinstance(each, str)]
    return Sent(
        message_id=UNSET if body.is_fan_out else known[0],
        message_ids=known if body.is_fan_out else UNSET,
        count=len(known) if body.is_fan_out else UNSET,
        status="queued",
        group_id=UNSET if place.group is None else group_id(place.group),
        group_created=UNSET if place.is_made is None else place.is_made,
        participants=name.handles if name.is_list else UNSET,
    )


async def told_of_number(
    call: Call[Any, Any], error: InvalidRequest, line: str | None, name: ChatName
) -> InvalidRequest:
    """Add what the vendor says beside a refusal: which number, and whom it was for."""
    if error.code in ("line_not_found", "line_not_accessible"):
        if line is None:
            return Refusal(503, "No active number is available for this key.", code="line_not_found")
        message = f"The number {line} is not one of this key's."
        return Refusal(403, message, code="number_not_accessible", field="from_number")
    if error.code == "contact_has_not_messaged":
        more = {**await _allocation(call, line), "external_id": name.text}
        more.pop("sender_number", None)
        return Refusal(403, error.message, code=errors.CODES[error.code], more=more)
    if error.code == "message_limit_reached":
        more = {**errors.figures(error), **await _allocation(call, line)}
        return Refusal(
            429, error.message, code=errors.CODES[error.code], more=more, retry_after=error.retry_after
        )
    return error


async def _allocation(call: Call[Any, Any], line: str | None) -> dict[str, Any]:
    """Name the number that a send went by, as far as it is known."""
    lines = (await ask(call, "list_lines", Listed)).content.data
    known = [each for each in lines if isinstance(each, LineReply)]
    found = next((each for each in known if each.handle == line), None)
    if found is None and known:
        found = next((each for each in known if each.is_active), known[0])
    if found is None:
        return {}
    return {"allocation_id": allocation_id(found.id), "sender_number": found.handle}


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/messages",
        name="blooio_send_message",
        summary="Send a message, or several.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=Sent,
        status=202,
        replayed_status=200,
        headers=(HEADER, FROM_HEADER),
        example={"text": "Hello"},
        handle=_send,
    ),
)
