"""`message.send` and `message.reply`: one outbox item each, accepted once under the step's key.

Everything that holds for sends holds here: contact-first, consent, budgets, pace, and the line's quiet hours, which
hold a message back until they end and never refuse it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import (
    Content,
    check_content,
    content_fields,
    once,
    placed,
    planned_at,
    quoted,
    stamped,
)
from hub.actions.desk import Desk
from hub.actions.lines import line_of_event, sending_line
from hub.actions.situation import address_in, chat_in, message_in
from hub.flow.recipients import Recipient, find_message, find_recipient, require_contact, require_named
from hub.flow.repeating import Accepted
from hub.flow.safety import CONFIRMS, RESTLESS
from hub.flow.wishes import Wish
from hub.model.actions import ActionCall, ActionFailed
from hub.model.consent import ConsentAction
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of
from hub.rules.consent import decisive

#: Of an opt-out one confirmation goes out, whichever route and run asks.
_CONFIRMATIONS: Final = "confirmations"

LineName = Annotated[
    str,
    Meta(
        title="From",
        description="The line: its handle, its label or its `ln_` id. Absent: the event's line; without one the line "
        "that last wrote with `to`, or the first that can send.",
        min_length=1,
        max_length=320,
        examples=["sales-line"],
    ),
]
MessageName = Annotated[
    str, Meta(title="Reply to", description="The message that is answered: its `msg_` id.", min_length=1,
              max_length=512, examples=["msg_0f2m4h8x0g001"]),
]  # fmt: skip


class SendInputs(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message to anybody."""

    to: Annotated[
        str,
        Meta(
            title="To",
            description="A phone number (E.164), an Apple ID, a `cht_` id, or the network's id of a group of the line.",
            min_length=1,
            max_length=320,
            examples=["+15550100001"],
        ),
    ]
    from_: LineName | None = msgspec.field(name="from", default=None)
    channel: Annotated[
        str,
        Meta(title="Channel", description="Only over a line of this service.", max_length=64, examples=["sms"]),
    ] | None = None  # fmt: skip
    reply_to: MessageName | None = None


class ReplyInputs(Content, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message into the conversation of the event."""

    as_reply: Annotated[
        bool,
        Meta(
            title="As reply",
            description="Thread it under the event's message, where the line can (`reply`).",
            examples=[True],
        ),
    ] = False


async def _send(desk: Desk, call: ActionCall, inputs: SendInputs) -> Output:
    check_content(inputs)
    line = await sending_line(desk, call, named=inputs.from_, to=inputs.to, service=inputs.channel)
    recipient = await find_recipient(desk.store, line, inputs.to)
    return await _accept(desk, call, line, recipient, inputs, reply_to=inputs.reply_to)


async def _reply(desk: Desk, call: ActionCall, inputs: ReplyInputs) -> Output:
    check_content(inputs)
    line, recipient = await find_conversation(desk, call)
    reply_to = message_in(call.event) if inputs.as_reply else None
    if inputs.as_reply and reply_to is None:
        raise ActionFailed(
            "invalid", "The event names no message that could be replied to; leave out 'as_reply'."
        )
    return await _accept(desk, call, line, recipient, inputs, reply_to=reply_to)


async def find_conversation(desk: Desk, call: ActionCall) -> tuple[Line, Recipient]:
    """Give the line and the other side of the event's conversation.

    Raises:
        ActionFailed: `invalid` where the event names none.
        InvalidRequest: chat_not_found.
    """
    line, to = await line_of_event(desk, call), chat_in(call.event) or address_in(call.event)
    if line is None or to is None:
        raise ActionFailed(
            "invalid",
            "The event belongs to no conversation, so there is nobody to answer. Use message.send with 'to'.",
        )
    return line, await find_recipient(desk.store, line, to)


async def _accept(  # noqa: PLR0917 - the parts of one send
    desk: Desk, call: ActionCall, line: Line, recipient: Recipient, content: Content, reply_to: str | None
) -> Output:
    require_contact(line, recipient)
    to = recipient_text(recipient)
    payload: dict[str, object] = {"from": line.handle, "to": to, "chat_key": recipient.chat_key}
    payload |= await content_fields(desk, content)
    if reply_to is not None:
        parent = await find_message(desk.store, line, reply_to, param="reply_to")
        require_named(parent, param="reply_to")
        payload |= {"reply_to": id_text(Prefix.MESSAGE, parent.id), "reply_to_guid": parent.guid}
    confirmed = await _confirmed(desk, call, line, recipient)
    payload |= {CONFIRMS: confirmed} if confirmed is not None else {}
    payload |= {RESTLESS: True} if "quiet_hours" in call.ignore else {}
    now_ms = desk.clock.now_ms()
    wish = Wish(
        kind=OperationKind.SEND,
        payload=payload,
        send_at=planned_at(content, now_ms=now_ms),
        metadata=stamped(content, call),
    )
    repeatable = once(call, content.idempotency_key)
    if confirmed is not None:
        repeatable = replace(repeatable, scope=_CONFIRMATIONS, key=id_text(Prefix.CONSENT, confirmed))
    try:
        accepted = await desk.outgoing.accept_set(line, [wish], api_key_id=None, repeatable=repeatable)
    except InvalidRequest as refusal:
        if confirmed is None or refusal.code != "idempotency_key_conflict":
            raise
        raise ActionFailed(
            "suppressed", "This opt-out was confirmed already, in other words; nothing more is sent."
        ) from None
    return sent_output(accepted, line, to)


async def _confirmed(desk: Desk, call: ActionCall, line: Line, recipient: Recipient) -> int | None:
    """Give the opt-out that the message confirms, by its entry in the log.

    Who has opted out is not written to. `ignore: [suppression]` lets one message confirm it, within five minutes; the
    guard (hub.flow.safety) holds it to that, whatever stands here.
    """
    handle = handle_of(recipient.chat_key)
    if "suppression" not in call.ignore or handle is None:
        return None
    said = decisive(await desk.consents.standing(line, handle))
    return said.entry_id if said is not None and said.action is ConsentAction.OPTED_OUT else None


def recipient_text(recipient: Recipient) -> str:
    """Spell the other side as `to` takes it."""
    return handle_of(recipient.chat_key) or recipient.chat_key


def sent_output(accepted: Accepted, line: Line, to: str) -> Output:
    """Give what a step may know of what it asked for: it is owed, which is not delivered."""
    if accepted.message_id is None:
        raise InvalidRequest("message_not_found", "The outbox item makes no message.")
    return {
        "message_id": id_text(Prefix.MESSAGE, accepted.message_id),
        "status": "queued",
        "outbox_id": id_text(Prefix.OUTBOX, accepted.outbox_id),
        "line": line.handle,
        "to": to,
    }


def _said(content: Content) -> str:
    return quoted(content.text, content.attachments, content.template)


def _preview_send(call: ActionCall, inputs: SendInputs) -> str:
    over = {"from": inputs.from_, "over": inputs.channel, "at": inputs.send_at}
    return placed(call, f"to {inputs.to}: {_said(inputs)}", over)


def _preview_reply(call: ActionCall, inputs: ReplyInputs) -> str:
    to = address_in(call.event) or chat_in(call.event) or "nobody: the event belongs to no conversation"
    return placed(call, f"to {to}: {_said(inputs)}", {"at": inputs.send_at})


_SENT: Final = {
    "message_id": "msg_0f2m4h8x0g001",
    "status": "queued",
    "outbox_id": "obx_0f2m4h8x0g001",
    "line": "+15550100000",
    "to": "+15550100001",
}

REPLY: Final = BuiltIn(
    name="message.reply",
    title="Answer in the event's conversation",
    description=(
        "Sends into the conversation in which the event happened, person or group, over the event's line. Accepted "
        "once; what becomes of it, events of the message tell."
    ),
    kind="message",
    repetition="keyed",
    inputs=ReplyInputs,
    example={"text": "Thanks, we got your message."},
    sample=_SENT,
    run=_reply,
    preview=_preview_reply,
)
SEND: Final = BuiltIn(
    name="message.send",
    title="Send a message",
    description=(
        "Sends to a person or a group. Accepted once; what becomes of it, events of the message tell. In the line's "
        "quiet hours it waits for their end."
    ),
    kind="message",
    repetition="keyed",
    inputs=SendInputs,
    example={"to": "+15550100001", "text": "Thanks, we got your message."},
    sample=_SENT,
    run=_send,
    preview=_preview_send,
)
