"""/v1/reactions: react to a message, take it back, and see who has (contracts: messages.dev §2)."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.finding import find_readable_message
from hub.api.sends import (
    SEND_ERRORS,
    SEND_HEADERS,
    From,
    MessageReference,
    SendReply,
    To,
    accept_wishes,
    wire_fields,
)
from hub.flow.event_shapes import ReactionData
from hub.flow.payloads import reaction_data
from hub.flow.recipients import Recipient, find_message, find_recipient, require_named
from hub.flow.rows import MessageRow
from hub.flow.wishes import Wish
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.emoji import is_one_emoji

_NAMES: Final = "`love`, `like`, `dislike`, `laugh`, `emphasize`, `question`"

ReactionType = Annotated[
    str, Meta(min_length=1, max_length=64, description=f"One of {_NAMES}, or, where the line can, one emoji.")
]


class NewReaction(msgspec.Struct, frozen=True, kw_only=True):
    """A reaction to send, or to take back."""

    from_: From = msgspec.field(name="from")
    to: To
    message_id: MessageReference
    type: ReactionType
    #: True takes back the line's own reaction of this type.
    remove: bool = False


class ReactionQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which message's reactions."""

    message_id: MessageReference


async def _react(call: Call[NoQuery, NewReaction]) -> Reply:
    body, store = call.body, call.uses.store
    _check_type(body.type)
    line = await call.line(body.from_)
    recipient = await find_recipient(store, line, body.to)
    message = await _target(call, line, recipient)
    payload = {**wire_fields(body), "chat_key": recipient.chat_key, "message_guid": message.guid}
    wish = Wish(kind=OperationKind.REACT, payload=payload, message_id=message.id)
    return await accept_wishes(call, line, [wish])


def _check_type(text: str) -> None:
    if text not in STANDARD_REACTIONS and not is_one_emoji(text):
        raise InvalidRequest(
            "invalid_parameter_value",
            f"'type' must be one of {', '.join(sorted(STANDARD_REACTIONS))}, or exactly one emoji.",
            param="type",
        )


async def _target(call: Call[NoQuery, NewReaction], line: Line, recipient: Recipient) -> MessageRow:
    """Find the message in the recipient's chat; it must have the name that its network gave it."""
    message = await find_message(call.uses.store, line, call.body.message_id, param="message_id")
    chat_id = recipient.chat.id if recipient.chat is not None else None
    if message.chat_id and message.chat_id != chat_id:
        raise InvalidRequest("message_not_found", "The chat has no such message.", param="message_id")
    require_named(message, param="message_id")
    return message


async def _list(call: Call[ReactionQuery, NoBody]) -> Reply:
    line, message = await find_readable_message(call, call.query.message_id, param="message_id")
    reactions = await call.uses.store.messages.reactions(line.id, message.guid)
    data = [
        msgspec.Raw(
            reaction_data(
                reaction, message_id=message.id, chat_id=message.chat_id, line_handle=line.handle
            ).encode()
        )
        for reaction in reactions
    ]
    return Reply(content=Listed(data=data, request_id=call.request_id))


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/reactions",
        name="list_reactions",
        summary="List a message's reactions, oldest first; one that was taken back has `added: false`.",
        description=(
            "The latest word of each person: a new reaction takes the place of the old one, of which no event tells. "
            "On a line with `react_many`, the latest word of each person on each type."
        ),
        tag="reactions",
        scope="reactions:read",
        query=ReactionQuery,
        body=NoBody,
        reply=Listed[ReactionData],
        errors=("line_not_accessible", "message_not_found"),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/reactions",
        name="send_reaction",
        summary="React to a message, or take a reaction back.",
        description=(
            f"`type` is one of {_NAMES}, or one emoji where the line can (`react_emoji`). A reaction of another type "
            "takes the place of the line's first one, unless its network lets a person hold several (`react_many`). "
            "`remove: true` takes it back."
        ),
        tag="reactions",
        scope="reactions:write",
        query=NoQuery,
        body=NewReaction,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, "message_not_found", "message_not_sent"),
        headers=SEND_HEADERS,
        example={
            "from": "+15550100000",
            "to": "+15550100001",
            "message_id": "msg_0f2m4h8x0g001",
            "type": "love",
        },
        handle=_react,
    ),
)
