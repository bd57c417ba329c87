"""`/chats/{chatId}/polls`: ask a chat to vote, and count."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.polls import OptionText, PollReply, PollSendReply
from hub.dialects.blooio.errors import Refusal
from hub.dialects.blooio.finding import chat_name, chats_of
from hub.dialects.blooio.groups_made import find_or_make_group
from hub.dialects.blooio.natives import verdict
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

#: The network shows polls under a title.
UNTITLED: Final = "Poll"


class NewPoll(msgspec.Struct, frozen=True, kw_only=True):
    """A poll to send."""

    options: Annotated[tuple[OptionText, ...], Meta(min_length=2, max_length=10)]
    title: Annotated[str, Meta(max_length=500)] | None = None


class PollShape(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked."""

    title: str
    options: tuple[str, ...]


class PollSent(msgspec.Struct, frozen=True, kw_only=True):
    """The poll is sent."""

    poll_id: str
    chat_id: str
    poll: PollShape
    sent_at: int


class PollOption(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, and how many gave it."""

    text: str
    votes: int


class PollResults(msgspec.Struct, frozen=True, kw_only=True):
    """How the vote stands."""

    poll_id: str
    chat_id: str
    title: str
    options: list[PollOption]
    total_votes: int


async def _send(call: Call[NoQuery, NewPoll]) -> Reply:
    body, name = call.body, chat_name(call)
    title = (body.title or "").strip() or UNTITLED
    to = (await find_or_make_group(call, name, line=None))[0] if name.is_list else name.to
    wish = {"from": "auto", "to": to, "title": title, "options": list(body.options)}
    sent: PollSendReply = await verdict(call, "send_poll", body=wish, expected=PollSendReply)
    content = PollSent(
        poll_id=sent.poll_id,
        chat_id=name.text,
        poll=PollShape(title=title, options=body.options),
        sent_at=call.now_ms,
    )
    return Reply(content=content)


async def _results(call: Call[NoQuery, NoBody]) -> Reply:
    name = chat_name(call)
    try:
        poll = (await ask(call, "get_poll", PollReply, path={"id": call.path["poll_id"]})).content
    except InvalidRequest as error:
        if error.code not in ("line_not_accessible", "poll_not_found"):
            raise
        raise _no_poll() from None
    if not any(chat.id == poll.chat_id for chat in await chats_of(call, name)):
        raise _no_poll()
    content = PollResults(
        poll_id=poll.id,
        chat_id=name.text,
        title=poll.title or "",
        options=[PollOption(text=each.text, votes=each.votes) for each in poll.options],
        total_votes=poll.total_votes,
    )
    return Reply(content=content)


def _no_poll() -> Refusal:
    return Refusal(404, "The chat has no such poll.", code="poll_not_found", field="pollId")


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v2/api/chats/{chat_id}/polls",
        name="blooio_send_poll",
        summary="Ask a chat to vote.",
        tag="polls",
        scope="polls:write",
        query=NoQuery,
        body=NewPoll,
        reply=PollSent,
        example={"title": "Lunch?", "options": ["Soup", "Salad"]},
        handle=_send,
    ),
    Endpoint(
        method="GET",
        path="/v2/api/chats/{chat_id}/polls/{poll_id}",
        name="blooio_get_poll",
        summary="Show how a vote stands.",
        tag="polls",
        scope="polls:read",
        query=NoQuery,
        body=NoBody,
        reply=PollResults,
        errors=("chat_not_found", "poll_not_found"),
        handle=_results,
    ),
)
