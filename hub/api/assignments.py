"""/v1/chats/{id}/assignee: say who takes care of a chat. Who has it now, GET /v1/chats/{id} shows."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.chat_operations import chat_of
from hub.api.reading import missing
from hub.model.assignee import Assignee
from hub.model.ids import Prefix, id_text

LONGEST_NAME = 200
LONGEST_NOTE = 2000

Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class NewAssignee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes care of the chat from now on: a team, a user, or both, by names of your own."""

    team: Name | None = None
    user: Name | None = None
    #: For whoever takes over.
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] | None = None


class AssignmentReply(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes care of the chat; all null: nobody."""

    chat_id: str
    team: str | None
    user: str | None
    note: str | None
    assigned_at: int | None
    #: False where it was so already; then nothing is told.
    changed: bool
    request_id: str


async def _assign(call: Call[NoQuery, NewAssignee]) -> Reply:
    body = call.body
    if body.team is None and body.user is None:
        raise missing("team")
    return await _answer(call, Assignee(team=body.team, user=body.user, note=body.note))


async def _release(call: Call[NoQuery, NoBody]) -> Reply:
    return await _answer(call, None)


async def _answer(
    call: Call[NoQuery, NewAssignee] | Call[NoQuery, NoBody], assignee: Assignee | None
) -> Reply:
    line, chat = await chat_of(call)
    assigned_at, is_new = await call.uses.assignments.assign(line, chat, assignee)
    shown = assignee or Assignee()
    content = AssignmentReply(
        chat_id=id_text(Prefix.CHAT, chat.id),
        team=shown.team,
        user=shown.user,
        note=shown.note,
        assigned_at=assigned_at,
        changed=is_new,
        request_id=call.request_id,
    )
    return Reply(content=content)


_ERRORS = ("chat_not_found", "line_not_accessible")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="PUT",
        path="/v1/chats/{id}/assignee",
        name="assign_chat",
        summary="Say who takes care of a chat.",
        description=(
            "A note in the hub, for inboxes and routes: nothing is sent, and who may do what does not change. Webhooks "
            "get `chat.assigned`."
        ),
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NewAssignee,
        reply=AssignmentReply,
        errors=_ERRORS,
        example={"team": "support", "note": "Asks for a refund"},
        handle=_assign,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/chats/{id}/assignee",
        name="release_chat",
        summary="Say that nobody takes care of a chat any more.",
        tag="chats",
        scope="chats:write",
        query=NoQuery,
        body=NoBody,
        reply=AssignmentReply,
        errors=_ERRORS,
        handle=_release,
    ),
)
