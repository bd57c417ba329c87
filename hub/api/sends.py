"""What all sends share: the idempotency key, the outbox item, the answer (contracts: messages.dev §1, §2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import Call, Reply
from hub.api.idempotency import HEADER, wanted_key
from hub.api.waiting import PREFER, Headers, wait_for, wanted_wait
from hub.flow.line_choice import AUTO
from hub.flow.repeating import Accepted, Repeatable
from hub.flow.wishes import Wish
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import (
    STATE_NAME,
    WIRE_STATUS,
    OperationKind,
    OutboxItem,
    OutboxStateName,
    OutboxStatus,
)
from hub.rules.idempotency import hash_request

#: Codes that every send can answer.
SEND_ERRORS: Final = (
    "line_not_found",
    "line_not_accessible",
    "advanced_features_required",
    "line_inactive",
    "chat_not_found",
    "idempotency_key_conflict",
)
SEND_HEADERS: Final = (HEADER, PREFER)

From = Annotated[str, Meta(min_length=1, max_length=320, description="The line: its handle or its `ln_` id.")]
#: Of sends that need not name their line.
FromOrAuto = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        description=(
            "The line: its handle, its `ln_` id, or `auto`: the one that last wrote with `to`, or the first that can "
            "send."
        ),
    ),
]
To = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=320,
        description="A phone number (E.164), an Apple ID, a `cht_` id, or the network's id of a group of the line.",
    ),
]
MessageReference = Annotated[
    str, Meta(min_length=1, max_length=512, description="A `msg_` id or the network's GUID.")
]


class SendItem(msgspec.Struct, frozen=True, kw_only=True):
    """One of several sends of a request."""

    id: str
    message_id: str


class SendReply(msgspec.Struct, frozen=True, kw_only=True):
    """The send is durable and will be tried. Accepted is not delivered: GET /v1/outbox tells."""

    id: str
    status: OutboxStatus
    #: The message that it makes, or acts on.
    message_id: str | UnsetType = UNSET
    #: Where one request made several sends: all of them, in order; `id` and `message_id` are those of the first.
    items: list[SendItem] | UnsetType = UNSET
    #: Our finer word for `status`; this and what follows only with `Prefer: wait=N`.
    state: OutboxStateName | UnsetType = UNSET
    #: A code, and what it means, once it failed.
    error: str | UnsetType | None = UNSET
    #: What the bridge found out or made, where there is more to tell than that it was done.
    result: dict[str, Any] | UnsetType | None = UNSET
    request_id: str


async def sending_line(call: Call[Any, Any], text: str, to: str | None) -> Line:
    """Find the line that `from` names, or choose one for `auto`.

    Raises:
        InvalidRequest: line_not_found, line_not_accessible or chat_not_found.
    """
    if text == AUTO:
        return await call.uses.line_choice.choose(call.key, to)
    return await call.line(text)


async def accept(
    call: Call[Any, Any],
    line: Line,
    kind: OperationKind,
    *,
    resolved: Mapping[str, object],
) -> Reply:
    """Owe the call's body to the line's bridge and answer 201: at once, or with `Prefer: wait=N` when it is done."""
    seconds = wanted_wait(call)
    payload = {**wire_fields(call.body), **resolved}
    accepted = await call.uses.outgoing.accept(
        line, kind, payload, api_key_id=call.key.id, repeatable=repeatable_as(call, kind)
    )
    return await answer(call, accepted, seconds=seconds)


async def accept_wishes(
    call: Call[Any, Any], line: Line, wishes: Sequence[Wish], *, asked_as: str | None = None
) -> Reply:
    """Owe what a request asks for, all of it or nothing, and answer as `accept`.

    Args:
        call: The request.
        line: Whose bridge is asked.
        wishes: At least one.
        asked_as: What tells the request from others under the same idempotency key, beside its body.
    """
    seconds = wanted_wait(call)
    repeatable = repeatable_as(call, asked_as or wishes[0].kind)
    accepted = await call.uses.outgoing.accept_set(
        line, wishes, api_key_id=call.key.id, repeatable=repeatable
    )
    return await answer(call, accepted, seconds=seconds)


async def answer(call: Call[Any, Any], accepted: Accepted, *, seconds: int | None) -> Reply:
    """Tell of an outbox item that is durable; with `seconds`, wait for what becomes of it.

    Args:
        call: The request that made it.
        accepted: The item.
        seconds: What `wanted_wait` gave, read before anything was owed.
    """
    content = SendReply(
        id=id_text(Prefix.OUTBOX, accepted.outbox_id),
        status="pending",
        message_id=_message_id(accepted.message_id),
        items=_items(accepted),
        request_id=call.request_id,
    )
    headers: Headers = ((b"idempotent-replayed", b"true"),) if accepted.is_replayed else ()
    if seconds is not None:
        item, granted = await wait_for(call, accepted.outbox_id, seconds)
        headers += granted
        content = content if item is None or not granted else _with_verdict(content, item)
    return Reply(content=content, status=201, headers=headers)


def _message_id(message_id: int | None) -> str | UnsetType:
    return UNSET if message_id is None else id_text(Prefix.MESSAGE, message_id)


def _items(accepted: Accepted) -> list[SendItem] | UnsetType:
    if len(accepted.items) == 1:
        return UNSET
    return [
        SendItem(id=id_text(Prefix.OUTBOX, outbox_id), message_id=id_text(Prefix.MESSAGE, message_id))
        for outbox_id, message_id in accepted.items
        if message_id is not None
    ]


def _with_verdict(content: SendReply, item: OutboxItem) -> SendReply:
    return msgspec.structs.replace(
        content,
        status=WIRE_STATUS[item.state],
        state=STATE_NAME[item.state],
        error=item.error if item.is_finished else None,
        result=item.result,
    )


def wire_fields(body: msgspec.Struct) -> dict[str, object]:
    """Give a body's fields under their wire names, without those that were not given."""
    fields = {wire_name: getattr(body, name) for wire_name, name in _names(type(body))}
    return {name: value for name, value in fields.items() if value is not None and value != ()}


@cache
def _names(shape: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    return tuple((field.encode_name, field.name) for field in msgspec.structs.fields(shape))


def repeatable_as(call: Call[Any, Any], kind: str, *, within: str = "") -> Repeatable | None:
    """Read the idempotency key of a request to do something of a kind.

    Args:
        call: The request.
        kind: What it asks for.
        within: Names the request of which the send is only a part, so that the key may stand for both.

    Raises:
        InvalidRequest: It is empty, too long or holds what cannot be a key.
    """
    key = wanted_key(call)
    if key is None:
        return None
    canonical = msgspec.json.encode(call.asked_as or call.body, order="deterministic")
    # What the path names is part of the request: the same body for another chat is another request.
    path = "/".join([kind, *call.path.values()])
    request_hash = hash_request(method="POST", path=path, canonical_body=canonical)
    return Repeatable(scope=f"key:{call.key.id}{within}", key=key, request_hash=request_hash)
