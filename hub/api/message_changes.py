"""POST /v1/messages/{id}/cancel, /edit, /retry and /unsend: change one's mind about a message of one's own.

Cancel and retry are the hub's own affair; edit and unsend ask the line's bridge, like a send.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.finding import find_readable_message
from hub.api.message_sends import Words
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, SendReply, accept_wishes, answer, repeatable_as
from hub.api.waiting import wanted_wait
from hub.flow.payloads import status_of
from hub.flow.recipients import require_named
from hub.flow.rows import MessageRow
from hub.flow.second_thoughts import state_conflict
from hub.flow.wishes import URGENT_PRIORITY, Wish
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import KeptPart
from hub.model.outbox import OperationKind
from hub.rules.message_status import MessageStatus
from hub.rules.pieces import parts_in

#: The statuses in which a network can still change a message.
_ON_THE_NETWORK: Final = frozenset({MessageStatus.SENT, MessageStatus.DELIVERED, MessageStatus.READ})
#: Services whose networks cannot: what is sent is sent.
_FINAL_SERVICES: Final = frozenset({"mms", "sms"})


_decode_parts: Final = msgspec.json.Decoder(tuple[KeptPart, ...]).decode


class MessageEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The words that take the place of the old ones."""

    text: Words


class MessageCancel(msgspec.Struct, frozen=True, kw_only=True):
    """How much to cancel."""

    #: Whether the other messages of the same request (`texts`) that wait are cancelled, too.
    whole_set: bool = False


class CancelReply(msgspec.Struct, frozen=True, kw_only=True):
    """What will not be sent."""

    id: str
    status: MessageStatus
    #: Every message that was cancelled, in the order in which they were to be sent.
    cancelled: list[str]
    request_id: str


async def _cancel(call: Call[NoQuery, MessageCancel]) -> Reply:
    line, message = await _own(call)
    cancelled = await call.uses.second_thoughts.cancel(line, message.id, with_its_set=call.body.whole_set)
    now = next((row for row in cancelled if row.id == message.id), message)
    content = CancelReply(
        id=id_text(Prefix.MESSAGE, message.id),
        status=status_of(now),
        cancelled=[id_text(Prefix.MESSAGE, row.id) for row in sorted(cancelled, key=lambda row: row.id)],
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _retry(call: Call[NoQuery, NoBody]) -> Reply:
    seconds = wanted_wait(call)
    line, message = await _own(call)
    accepted = await call.uses.second_thoughts.retry(
        line,
        message.id,
        api_key_id=call.key.id,
        repeatable=repeatable_as(call, f"retry:{message.id}"),
    )
    return await answer(call, accepted, seconds=seconds)


async def _edit(call: Call[NoQuery, MessageEdit]) -> Reply:
    return await _change(call, OperationKind.EDIT, "edited", text=call.body.text)


async def _unsend(call: Call[NoQuery, NoBody]) -> Reply:
    return await _change(call, OperationKind.UNSEND, "taken back")


async def _change(call: Call[Any, Any], kind: OperationKind, done: str, **fields: object) -> Reply:
    line, message = await _own(call)
    _require_changeable(message, done)
    chat = await call.uses.store.chats.get(message.chat_id)
    if chat is None:
        raise InvalidRequest("chat_not_found", "The message's chat is not known yet.")
    payload = {
        "message_id": id_text(Prefix.MESSAGE, message.id),
        **fields,
        "chat_key": chat.chat_key,
        "message_guid": message.guid,
        **await _names_of_pieces(call, message, kind),
    }
    wish = Wish(kind=kind, payload=payload, message_id=message.id, priority=URGENT_PRIORITY)
    return await accept_wishes(call, line, [wish], asked_as=f"{kind}:{message.id}")


async def _names_of_pieces(
    call: Call[Any, Any], message: MessageRow, kind: OperationKind
) -> dict[str, object]:
    """Name what the network knows of a message that it carries as several: for an edit the one with its first words."""
    pieces = [each for each in await call.uses.store.messages.pieces(message.id) if each.failed_at is None]
    if kind is OperationKind.UNSEND:
        return {"message_guids": [piece.guid for piece in pieces]} if len(pieces) > 1 else {}
    parts = _decode_parts(message.parts) if pieces and message.parts else ()
    words = next((place for place, part in enumerate(parts) if part.type == "text"), None)
    named = (piece.guid for piece in pieces if words is not None and words in parts_in(piece, len(parts)))
    return {"message_guid": guid} if (guid := next(named, None)) is not None else {}


async def _own(call: Call[Any, Any]) -> tuple[Line, MessageRow]:
    line, message = await find_readable_message(call, call.path["id"])
    if not message.is_from_me:
        raise state_conflict(MessageStatus.RECEIVED, "only messages of the line itself can be changed")
    return line, message


def _require_changeable(message: MessageRow, done: str) -> None:
    status = status_of(message)
    if status not in _ON_THE_NETWORK:
        raise state_conflict(status, f"only one that is sent, delivered or read can be {done}")
    if message.service in _FINAL_SERVICES:
        raise state_conflict(status, f"but it went by {message.service.upper()}, where nothing can be {done}")
    require_named(message, param="id")


_ERRORS: Final = (
    "line_not_accessible", "message_not_found", "message_state_conflict",
)  # fmt: skip
_CHANGE_ERRORS: Final = tuple(dict.fromkeys((*_ERRORS, *SEND_ERRORS, "message_not_sent")))

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/messages/{id}/cancel",
        name="cancel_message",
        summary="Cancel a message that waits: queued, or planned for later.",
        description="409 with the present status once it was handed to its bridge.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=MessageCancel,
        is_body_optional=True,
        reply=CancelReply,
        errors=_ERRORS,
        example={"whole_set": True},
        handle=_cancel,
    ),
    Endpoint(
        method="POST",
        path="/v1/messages/{id}/edit",
        name="edit_message",
        summary="Change the words of a message that was sent.",
        description=(
            "The message changes, and `message.edited` comes, when the bridge has accepted it or the network shows it."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=MessageEdit,
        reply=SendReply,
        status=201,
        errors=_CHANGE_ERRORS,
        headers=SEND_HEADERS,
        example={"text": "Hello there"},
        handle=_edit,
    ),
    Endpoint(
        method="POST",
        path="/v1/messages/{id}/retry",
        name="retry_message",
        summary="Send a message that failed once more.",
        description=(
            "A new outbox item for the same message; it begins after the parts that the network has. If the error was "
            "`delivery_unknown`, look at the conversation first: it may have arrived."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=_CHANGE_ERRORS,
        headers=SEND_HEADERS,
        handle=_retry,
    ),
    Endpoint(
        method="POST",
        path="/v1/messages/{id}/unsend",
        name="unsend_message",
        summary="Take a message back that was sent.",
        description="The message is `unsent` when the bridge has accepted it or the network shows it.",
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NoBody,
        reply=SendReply,
        status=201,
        errors=_CHANGE_ERRORS,
        headers=SEND_HEADERS,
        handle=_unsend,
    ),
)
