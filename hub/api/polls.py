"""/v1/polls: ask a chat to vote, and count."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, not_found, path_id
from hub.api.chat_operations import VERDICT
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, FromOrAuto, SendReply, To, accept, sending_line
from hub.flow.event_shapes import PollOptionData
from hub.flow.poll_payloads import Tally, choices_of, counted
from hub.flow.recipients import find_recipient, require_contact
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text, parse_id
from hub.model.outbox import OperationKind

OptionText = Annotated[str, Meta(min_length=1, max_length=200)]


class NewPoll(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A poll to send."""

    from_: FromOrAuto = msgspec.field(name="from")
    to: To
    title: Annotated[str, Meta(min_length=1, max_length=500)]
    options: Annotated[
        tuple[OptionText, ...], Meta(min_length=2, max_length=10, description="2 to 10 answers.")
    ]


class PollSendReply(SendReply, frozen=True, kw_only=True):
    """The poll is durable and will be sent."""

    #: What it will be called once its network has it.
    poll_id: str


class Vote(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody chose last."""

    voter: str
    #: Ids of options; empty when the vote was taken back.
    choices: tuple[str, ...]
    voted_at: int


class PollReply(msgspec.Struct, frozen=True, kw_only=True):
    """A poll with its votes."""

    id: str
    line_id: str
    chat_id: str | None
    guid: str
    #: Null, and no options, while only votes were seen.
    title: str | None
    options: tuple[PollOptionData, ...]
    total_votes: int
    votes: tuple[Vote, ...]
    is_from_me: bool
    creator: str | None
    outbox_id: str | None
    created_at: int | None
    request_id: str


async def _send(call: Call[NoQuery, NewPoll]) -> Reply:
    body = call.body
    if len({option.strip() for option in body.options}) < len(body.options):
        raise InvalidRequest(
            "invalid_parameter_value", "'options' must be different from each other.", param="options"
        )
    line = await sending_line(call, body.from_, body.to)
    recipient = await find_recipient(call.uses.store, line, body.to)
    require_contact(line, recipient)
    resolved = {"from": line.handle, "chat_key": recipient.chat_key}
    reply = await accept(call, line, OperationKind.POLL, resolved=resolved)
    return replace(reply, content=_named(reply.content))


def _named(content: Any) -> PollSendReply:
    """Tell the poll's id, which is that of its outbox item."""
    poll_id = id_text(Prefix.POLL, parse_id(Prefix.OUTBOX, content.id))
    return PollSendReply(**msgspec.structs.asdict(content), poll_id=poll_id)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    tally = await call.uses.store.chats.poll(path_id(call, Prefix.POLL, "poll"))
    if tally is None:
        raise not_found("poll")
    call.uses.lines.require(call.key, tally.poll.line_id)
    return Reply(content=_shown(tally, call.request_id))


def _shown(tally: Tally, request_id: str) -> PollReply:
    poll = tally.poll
    votes = [Vote(voter=vote.voter, choices=choices_of(vote), voted_at=vote.voted_at) for vote in tally.votes]
    return PollReply(
        id=id_text(Prefix.POLL, poll.id),
        line_id=id_text(Prefix.LINE, poll.line_id),
        chat_id=id_text(Prefix.CHAT, poll.chat_id) if poll.chat_id else None,
        guid=poll.guid,
        title=poll.title or None,
        options=counted(tally),
        total_votes=sum(len(vote.choices) for vote in votes),
        votes=tuple(votes),
        is_from_me=bool(poll.is_from_me),
        creator=poll.creator,
        outbox_id=None if poll.outbox_id is None else id_text(Prefix.OUTBOX, poll.outbox_id),
        created_at=poll.created_at,
        request_id=request_id,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/polls",
        name="send_poll",
        summary="Ask a chat to vote.",
        description=f"{VERDICT} The events `poll.created` and `poll.voted` tell the rest.",
        tag="polls",
        scope="polls:write",
        query=NoQuery,
        body=NewPoll,
        reply=PollSendReply,
        status=201,
        errors=(*SEND_ERRORS, "contact_has_not_messaged"),
        headers=SEND_HEADERS,
        example={
            "from": "+15550100000",
            "to": "+15550100200",
            "title": "Lunch?",
            "options": ["Soup", "Salad"],
        },
        handle=_send,
    ),
    Endpoint(
        method="GET",
        path="/v1/polls/{id}",
        name="get_poll",
        summary="Show a poll with its votes.",
        description="A poll of ours is there once its network has it: GET /v1/outbox tells.",
        tag="polls",
        scope="polls:read",
        query=NoQuery,
        body=NoBody,
        reply=PollReply,
        errors=("poll_not_found", "line_not_accessible"),
        handle=_get,
    ),
)
