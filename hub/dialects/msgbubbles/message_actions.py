"""POST /v1/messages/:id/react, /edit, /unsend and /retry (contracts: msgbubbles §2)."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.authentication import require_scope
from hub.api.calls import AnyEndpoint, Call, Endpoint, Reply
from hub.api.message_sends import MOST_TEXT
from hub.api.sends import SendReply
from hub.dialects.msgbubbles.errors import Refused
from hub.dialects.msgbubbles.identifiers import native_named
from hub.dialects.msgbubbles.messages import read_message
from hub.dialects.msgbubbles.natives import NativeMessage
from hub.dialects.msgbubbles.repeats import outbox_key
from hub.dialects.msgbubbles.shapes import Message, One, Strict
from hub.dialects.msgbubbles.verdicts import WAIT_SECONDS, require_done
from hub.dialects.native import Asked, ask
from hub.model.ids import Prefix

#: What a contact can react to: what came in, and what has arrived.
_ARRIVED: Final = frozenset({"delivered", "read", "received"})
_WITHOUT_REACTIONS: Final = frozenset({"mms", "sms"})


class NewReaction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tapback, or one emoji."""

    reaction: Annotated[str, Meta(min_length=1, max_length=64)]
    remove: bool = False


class NewText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words that take the place of the old ones."""

    text: Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]


async def _react(call: Call[Strict, NewReaction]) -> Reply:
    require_scope(call.key, "messages:read")
    message_id = _named(call)
    target = (await ask(call, "get_message", NativeMessage, path={"id": message_id})).content
    _require_reactable(target)
    body = {
        "from": target.line_id,
        "to": target.chat_id,
        "message_id": message_id,
        "type": call.body.reaction,
        "remove": call.body.remove,
    }
    key = outbox_key(call)
    asked = await ask(
        call, "send_reaction", SendReply, body=body, idempotency_key=key, wait_seconds=WAIT_SECONDS
    )
    require_done(asked, "react")
    return Reply(content=await read_message(call, message_id))


def _require_reactable(target: NativeMessage) -> None:
    if target.status not in _ARRIVED or target.chat_id is None:
        raise Refused("conflict", f"The message is {target.status}; react once it is delivered.")
    if (target.service or "").lower() in _WITHOUT_REACTIONS:
        raise Refused("conflict", "The message went by SMS, where there are no reactions.")


async def _edit(call: Call[Strict, NewText]) -> Reply:
    return await _changed(call, "edit", body={"text": call.body.text})


async def _unsend(call: Call[Strict, Strict]) -> Reply:
    return await _changed(call, "unsend")


async def _changed(call: Call[Any, Any], action: str, *, body: dict[str, str] | None = None) -> Reply:
    asked = await _asked(call, f"{action}_message", body=body, wait_seconds=WAIT_SECONDS)
    require_done(asked, action)
    return Reply(content=await read_message(call, _named(call)))


async def _retry(call: Call[Strict, Strict]) -> Reply:
    await _asked(call, "retry_message")
    return Reply(content=await read_message(call, _named(call)), status=202)


async def _asked(
    call: Call[Any, Any], name: str, *, body: dict[str, str] | None = None, wait_seconds: int | None = None
) -> Asked[SendReply]:
    require_scope(call.key, "messages:read")
    return await ask(
        call,
        name,
        SendReply,
        path={"id": _named(call)},
        body=body,
        idempotency_key=outbox_key(call),
        wait_seconds=wait_seconds,
    )


def _named(call: Call[Any, Any]) -> str:
    return native_named(Prefix.MESSAGE, call.path["id"], param="id")


def _action(name: str, summary: str, *, handle: Any, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method="POST",
        path=f"/v1/messages/{{id}}/{name}",
        name=f"msgbubbles_{name}_message",
        summary=summary,
        tag="msgbubbles",
        scope=more.pop("scope", "messages:write"),
        query=Strict,
        body=more.pop("body", Strict),
        is_body_optional=more.pop("is_body_optional", True),
        reply=One[Message],
        replayed_status=200,
        handle=handle,
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _action(
        "react",
        "React to a message, or take the reaction back.",
        scope="reactions:write",
        body=NewReaction,
        is_body_optional=False,
        example={"reaction": "love"},
        handle=_react,
    ),
    _action(
        "edit",
        "Change the words of a message.",
        body=NewText,
        is_body_optional=False,
        example={"text": "Hello again"},
        handle=_edit,
    ),
    _action("unsend", "Take a message back.", handle=_unsend),
    _action("retry", "Queue a message that failed again.", status=202, handle=_retry),
)
