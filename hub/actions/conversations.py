"""`conversation.assign`: give the event's conversation to a team or a person, or to nobody again."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import placed
from hub.actions.desk import Desk
from hub.actions.sends import find_conversation
from hub.actions.situation import address_in, chat_in
from hub.flow.repositories import Chat
from hub.model.actions import ActionCall, ActionFailed
from hub.model.assignee import Assignee
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Line


class AssignInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who takes care of it; neither team nor user: nobody any more."""

    team: Annotated[
        str,
        Meta(title="Team", description="Of your own naming.", min_length=1, max_length=200, examples=["support"]),
    ] | None = None  # fmt: skip
    user: Annotated[
        str,
        Meta(title="User", description="Of your own naming.", min_length=1, max_length=200, examples=["ada"]),
    ] | None = None  # fmt: skip
    note: Annotated[
        str,
        Meta(title="Note", description="For whoever takes over.", max_length=2000, examples=["Asks for a refund"]),
    ] | None = None  # fmt: skip
    conversation: Annotated[
        str,
        Meta(title="Conversation", description="Its `cht_` id. Absent: the event's.", min_length=1, max_length=64,
             examples=["cht_0f2m4h8x0g001"]),
    ] | None = None  # fmt: skip


async def _assign(desk: Desk, call: ActionCall, inputs: AssignInputs) -> Output:
    line, chat = await _find(desk, call, inputs.conversation)
    is_given = inputs.team is not None or inputs.user is not None
    if not is_given and inputs.note is not None:
        raise ActionFailed("invalid", "A 'note' is for somebody: give 'team', 'user' or both.")
    assignee = Assignee(team=inputs.team, user=inputs.user, note=inputs.note) if is_given else None
    _, is_new = await desk.assignments.assign(line, chat, assignee)
    return {
        "conversation_id": id_text(Prefix.CHAT, chat.id),
        "team": inputs.team,
        "user": inputs.user,
        "changed": is_new,
    }


async def _find(desk: Desk, call: ActionCall, named: str | None) -> tuple[Line, Chat]:
    """Find the conversation that is named, or the event's."""
    chat: Chat | None
    if named is None:
        line, recipient = await find_conversation(desk, call)
        chat = recipient.chat
    else:
        try:
            chat = await desk.store.chats.get(parse_id(Prefix.CHAT, named))
        except InvalidId:
            chat = None
        found = None if chat is None else (await desk.directory.refresh()).lines_by_id.get(chat.line_id)
        if found is None:
            raise ActionFailed("not_found", f"There is no conversation '{named}'.")
        line = found
    if chat is None:
        raise ActionFailed("not_found", "Nothing was said in this conversation yet.")
    return line, chat


def _preview(call: ActionCall, inputs: AssignInputs) -> str:
    which = (
        inputs.conversation or address_in(call.event) or chat_in(call.event) or "none: the event names none"
    )
    whom = " / ".join(filter(None, (inputs.team, inputs.user))) or "nobody"
    return placed(call, f"{which} to {whom}", {})


ASSIGN: Final = BuiltIn(
    name="conversation.assign",
    title="Assign a conversation",
    description=(
        "Notes who takes care of it, for inboxes and for conditions of routes, and tells webhooks (`chat.assigned`). "
        "Nothing is sent. Without team and user it is nobody's again."
    ),
    kind="write",
    repetition="safe",
    inputs=AssignInputs,
    example={"team": "support", "note": "Asks for a refund"},
    sample={"conversation_id": "cht_0f2m4h8x0g001", "team": "support", "user": None, "changed": True},
    run=_assign,
    preview=_preview,
)
