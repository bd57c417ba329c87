"""`message.react`, `message.typing` and `message.read`: small signs in a conversation, each owed once."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import once, placed
from hub.actions.desk import Desk
from hub.actions.lines import find_line, line_of_event, sending_line
from hub.actions.sends import LineName, find_conversation, recipient_text
from hub.actions.situation import address_in, chat_in, message_in
from hub.flow.recipients import (
    Recipient,
    find_message,
    find_recipient,
    last_received,
    require_named,
)
from hub.flow.rows import MessageRow
from hub.flow.wishes import Wish
from hub.model.actions import ActionCall, ActionFailed
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.emoji import is_one_emoji
from hub.rules.sending import FLEETING

_To = Annotated[
    str,
    Meta(
        title="To",
        description="A person, a `cht_` id or a group. Absent: the event's conversation.",
        min_length=1,
        max_length=320,
        examples=["+15550100001"],
    ),
]


class ReactInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reaction."""

    reaction: Annotated[
        str,
        Meta(
            title="Reaction",
            description="`love`, `like`, `dislike`, `laugh`, `emphasize`, `question`, or one emoji where the line can.",
            min_length=1,
            max_length=64,
            examples=["love"],
        ),
    ]
    message: Annotated[
        str,
        Meta(title="Message", description="Its `msg_` id. Absent: the event's.", min_length=1, max_length=512,
             examples=["msg_0f2m4h8x0g001"]),
    ] | None = None  # fmt: skip
    remove: Annotated[bool, Meta(title="Remove", description="Take the line's own reaction back.")] = False


class PlaceInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conversation: the event's, unless another is named."""

    to: _To | None = None
    from_: LineName | None = msgspec.field(name="from", default=None)


class TypingInputs(PlaceInputs, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Begin to type, or stop."""

    state: Annotated[
        Literal["on", "off"],
        Meta(title="State", description="Whether the line begins to type or stops.", examples=["on"]),
    ] = "on"


async def _react(desk: Desk, call: ActionCall, inputs: ReactInputs) -> Output:
    if inputs.reaction not in STANDARD_REACTIONS and not is_one_emoji(inputs.reaction):
        names = ", ".join(sorted(STANDARD_REACTIONS))
        raise ActionFailed("invalid", f"'reaction' must be one of {names}, or exactly one emoji.")
    line, message = await _message(desk, call, inputs.message or message_in(call.event))
    require_named(message, param="message")
    recipient = await find_recipient(desk.store, line, id_text(Prefix.CHAT, message.chat_id))
    message_id = id_text(Prefix.MESSAGE, message.id)
    more: dict[str, object] = {
        "message_id": message_id,
        "message_guid": message.guid,
        "type": inputs.reaction,
    }
    if inputs.remove:
        more["remove"] = True
    output = await _owe(desk, call, line, recipient, kind=OperationKind.REACT, about=message.id, **more)
    return {**output, "message_id": message_id}


async def _message(desk: Desk, call: ActionCall, named: str | None) -> tuple[Line, MessageRow]:
    """Find the message, and the line that it is of: that of the event, unless another line's was named."""
    if named is None:
        raise ActionFailed(
            "invalid", "There is nothing to react to: the event names no message. Give 'message'."
        )
    line = await line_of_event(desk, call)
    if line is None or named.startswith(f"{Prefix.MESSAGE}_"):
        try:
            row = await desk.store.messages.get(parse_id(Prefix.MESSAGE, named))
        except InvalidId:
            row = None
        line = None if row is None else (await desk.directory.refresh()).lines_by_id.get(row.line_id)
    if line is None:
        raise ActionFailed("not_found", f"There is no message '{named}'.")
    return line, await find_message(desk.store, line, named, param="message")


async def _type(desk: Desk, call: ActionCall, inputs: TypingInputs) -> Output:
    line, recipient = await _place(desk, call, inputs)
    return await _owe(desk, call, line, recipient, kind=OperationKind.TYPING, state=inputs.state)


async def _read(desk: Desk, call: ActionCall, inputs: PlaceInputs) -> Output:
    line, recipient = await _place(desk, call, inputs)
    return await _owe(desk, call, line, recipient, kind=OperationKind.READ)


async def _place(desk: Desk, call: ActionCall, inputs: PlaceInputs) -> tuple[Line, Recipient]:
    if inputs.to is not None:
        line = await sending_line(desk, call, named=inputs.from_, to=inputs.to, service=None)
        return line, await find_recipient(desk.store, line, inputs.to)
    line, recipient = await find_conversation(desk, call)
    if inputs.from_ is not None and (await find_line(desk, inputs.from_)).id != line.id:
        raise ActionFailed("invalid", "'from' names another line than the event's; give 'to' as well.")
    return line, recipient


async def _owe(
    desk: Desk,
    call: ActionCall,
    line: Line,
    recipient: Recipient,
    *,
    kind: OperationKind,
    about: int | None = None,
    **more: object,
) -> Output:
    to = recipient_text(recipient)
    payload = {"from": line.handle, "to": to, "chat_key": recipient.chat_key, **more}
    if kind in FLEETING:
        payload |= await last_received(desk.store, line, recipient.chat)
    wish = Wish(kind=kind, payload=payload, message_id=about)
    accepted = await desk.outgoing.accept_set(line, [wish], api_key_id=None, repeatable=once(call))
    return {
        "status": "queued",
        "outbox_id": id_text(Prefix.OUTBOX, accepted.outbox_id),
        "line": line.handle,
        "to": to,
    }


def _preview_react(call: ActionCall, inputs: ReactInputs) -> str:
    message = inputs.message or message_in(call.event) or "no message: the event names none"
    what = f"take {inputs.reaction} back from" if inputs.remove else f"{inputs.reaction} on"
    return placed(call, f"{what} {message}", {})


def _preview_type(call: ActionCall, inputs: TypingInputs) -> str:
    return placed(call, f"{inputs.state} in {_where(call, inputs)}", {"from": inputs.from_})


def _preview_read(call: ActionCall, inputs: PlaceInputs) -> str:
    return placed(call, _where(call, inputs), {"from": inputs.from_})


def _where(call: ActionCall, inputs: PlaceInputs) -> str:
    return (
        inputs.to or address_in(call.event) or chat_in(call.event) or "no conversation: the event names none"
    )


_OWED: Final = {
    "status": "queued",
    "outbox_id": "obx_0f2m4h8x0g001",
    "line": "+15550100000",
    "to": "+15550100001",
}

REACT: Final = BuiltIn(
    name="message.react",
    title="React to a message",
    description="Puts a reaction on the event's message or another one of its line, or takes it back.",
    kind="message",
    repetition="keyed",
    inputs=ReactInputs,
    example={"reaction": "love"},
    sample={**_OWED, "message_id": "msg_0f2m4h8x0g001"},
    run=_react,
    preview=_preview_react,
)
READ: Final = BuiltIn(
    name="message.read",
    title="Mark a conversation as read",
    description="Marks it as read up to now, and sends a receipt where the network has them.",
    kind="write",
    repetition="keyed",
    inputs=PlaceInputs,
    example={},
    sample=_OWED,
    run=_read,
    preview=_preview_read,
)
TYPING: Final = BuiltIn(
    name="message.typing",
    title="Show that the line types",
    description="Shows it, or that it has stopped. A sign that is late is dropped; networks end it by themselves.",
    kind="message",
    repetition="keyed",
    inputs=TypingInputs,
    example={"state": "on"},
    sample=_OWED,
    run=_type,
    preview=_preview_type,
)
