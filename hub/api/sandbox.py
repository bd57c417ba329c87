"""/v1/sandbox: let a simulated contact act on the sandbox line. What it does comes back as events, as ever."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.sends import MessageReference
from hub.flow.recipients import find_message
from hub.flow.sandbox import Acted, Stage
from hub.model.ids import Prefix, id_text
from hub.model.observation import Observation

DAY_MS: Final = 86_400_000
#: This sandbox has no quota; the vendor's client wants a number.
NO_QUOTA: Final = 2**31 - 1

Contact = Annotated[
    str, Meta(min_length=1, max_length=320, description="Who acts: a phone number or mail address.")
]
GroupKey = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=200,
        description="A group, by any name for it or its `cht_` id; else a direct chat.",
    ),
]
SandboxText = Annotated[str, Meta(min_length=1, max_length=20_000)]


class _InChat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    contact: Contact
    group: GroupKey | None = None


class Say(_InChat, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact writes."""

    text: SandboxText
    reply_to: MessageReference | None = None


class Type(_InChat, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact begins to type, or stops."""

    state: Literal["on", "off"] = "on"


class Leave(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact leaves a group."""

    contact: Contact
    group: GroupKey


class _AtMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    message_id: MessageReference
    #: The other side of a direct chat, if not given.
    contact: Contact | None = None


class React(_AtMessage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact reacts to a message, or takes the reaction back."""

    #: One of the six names, or an emoji.
    type: Annotated[str, Meta(min_length=1, max_length=64)]
    removed: bool = False


class Read(_AtMessage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact reads a message of ours."""


class Edit(_AtMessage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact changes a message."""

    text: SandboxText


class Unsend(_AtMessage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The contact takes a message back."""


class SandboxUsage(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's sandbox has a daily quota; ours has none."""

    used: int
    limit: int
    remaining: int
    resets_at: int


class SandboxReply(msgspec.Struct, frozen=True, kw_only=True):
    """The sandbox; `missing` when the operator switched it off."""

    status: Literal["missing", "pending", "active"]
    activation_code: str | None
    sandbox_line_handle: str | None
    contact_identifier: str | None
    activated_at: int | None
    usage: SandboxUsage
    request_id: str


class ActedReply(msgspec.Struct, frozen=True, kw_only=True):
    """What the act led to."""

    #: Events recorded; empty for what is never stored, and for what changed nothing.
    event_ids: tuple[str, ...]
    #: The network's id of the new message; give it as `message_id` elsewhere.
    message_guid: str | None
    request_id: str


async def _show(call: Call[NoQuery, NoBody]) -> Reply:
    line = await call.uses.sandbox.line()
    content = SandboxReply(
        status="missing" if line is None else "active",
        activation_code=None,
        sandbox_line_handle=None if line is None else line.handle,
        contact_identifier=None,
        activated_at=None if line is None else line.created_at,
        usage=SandboxUsage(
            used=0, limit=NO_QUOTA, remaining=NO_QUOTA, resets_at=(call.now_ms // DAY_MS + 1) * DAY_MS
        ),
        request_id=call.request_id,
    )
    return Reply(content=content)


async def done(
    call: Call[Any, Any], stage: Stage, *observations: Observation, guid: str | None = None
) -> Reply:
    """Take in what a contact did, and tell what it led to."""
    acted: Acted = await call.uses.sandbox.act(stage, observations, guid=guid)
    content = ActedReply(
        event_ids=tuple(id_text(Prefix.EVENT, each) for each in acted.event_ids),
        message_guid=acted.guid,
        request_id=call.request_id,
    )
    return Reply(content=content, status=201)


async def _say(call: Call[NoQuery, Say]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    line = await sandbox.require_line()
    stage, guid, reply_to = await sandbox.place(line, body.contact, body.group), sandbox.new_guid(), None
    if body.reply_to is not None:
        reply_to = (await find_message(call.uses.store, line, body.reply_to, param="reply_to")).guid
    said = sandbox.contacts.say(stage.scene, body.text, guid=guid, at=call.now_ms, reply_to=reply_to)
    return await done(call, stage, said, guid=guid)


async def _type(call: Call[NoQuery, Type]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    stage = await sandbox.place(await sandbox.require_line(), body.contact, body.group)
    typed = sandbox.contacts.typing(stage.scene, at=call.now_ms, is_typing=body.state == "on")
    return await done(call, stage, typed)


async def _leave(call: Call[NoQuery, Leave]) -> Reply:
    sandbox, body = call.uses.sandbox, call.body
    stage = await sandbox.in_known_group(await sandbox.require_line(), body.contact, body.group)
    return await done(call, stage, sandbox.contacts.leave_group(stage.scene, at=call.now_ms))


async def _at_message(call: Call[Any, Any]) -> tuple[Stage, str]:
    """Find the message that the body names, and the chat it is in."""
    line = await call.uses.sandbox.require_line()
    message = await find_message(call.uses.store, line, call.body.message_id, param="message_id")
    return await call.uses.sandbox.at_message(line, message, call.body.contact), message.guid


async def _react(call: Call[NoQuery, React]) -> Reply:
    stage, target = await _at_message(call)
    sandbox, body = call.uses.sandbox, call.body
    reacted = sandbox.contacts.react(
        stage.scene, target, body.type, guid=sandbox.new_guid(), at=call.now_ms, is_removed=body.removed
    )
    return await done(call, stage, reacted)


async def _read(call: Call[NoQuery, Read]) -> Reply:
    stage, target = await _at_message(call)
    return await done(call, stage, call.uses.sandbox.contacts.read(stage.scene, target, at=call.now_ms))


async def _edit(call: Call[NoQuery, Edit]) -> Reply:
    stage, target = await _at_message(call)
    edited = call.uses.sandbox.contacts.edit(stage.scene, target, call.body.text, at=call.now_ms)
    return await done(call, stage, edited)


async def _unsend(call: Call[NoQuery, Unsend]) -> Reply:
    stage, target = await _at_message(call)
    return await done(call, stage, call.uses.sandbox.contacts.unsend(stage.scene, target, at=call.now_ms))


def act(name: str, summary: str, body: Any, handle: Any, *, example: dict[str, Any]) -> AnyEndpoint:
    """Describe one act."""
    return Endpoint(
        method="POST",
        path=f"/v1/sandbox/{name}",
        name=f"sandbox_{name}",
        summary=summary,
        tag="sandbox",
        scope="sandbox:write",
        query=NoQuery,
        body=body,
        reply=ActedReply,
        status=201,
        errors=(
            "line_not_found", "chat_not_found", "message_not_found", "poll_not_found", "sandbox_contact_mismatch",
        ),
        example=example,
        handle=handle,
    )  # fmt: skip


_CONTACT: Final = "+15550100001"
_MESSAGE: Final = {"message_id": "msg_0f2m4h8x0g001"}

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/sandbox",
        name="show_sandbox",
        summary="Show the sandbox.",
        tag="sandbox",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=SandboxReply,
        handle=_show,
    ),
    Endpoint(
        method="POST",
        path="/v1/sandbox",
        name="open_sandbox",
        summary="Show the sandbox; it needs no opening here.",
        tag="sandbox",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=SandboxReply,
        handle=_show,
    ),
    act("edit", "The contact changes a message.", Edit, _edit, example={**_MESSAGE, "text": "Hello again"}),
    act(
        "leave", "The contact leaves a group.", Leave, _leave, example={"contact": _CONTACT, "group": "team"}
    ),
    act("react", "The contact reacts to a message.", React, _react, example={**_MESSAGE, "type": "love"}),
    act("read", "The contact reads our message.", Read, _read, example=_MESSAGE),
    act("say", "The contact writes to us.", Say, _say, example={"contact": _CONTACT, "text": "Hello, Hub!"}),
    act("typing", "The contact types.", Type, _type, example={"contact": _CONTACT, "state": "on"}),
    act("unsend", "The contact takes a message back.", Unsend, _unsend, example=_MESSAGE),
)
