"""What all sends share: the idempotency key, the outbox item, the answer (contracts: messages.dev §1, §2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import Call, Reply
from hub.flow.outgoing import Repeatable
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.idempotency import hash_request, validate_key
from hub.rules.problems import Problem

#: Codes that every send can answer.
SEND_ERRORS: Final = (
    "line_not_found",
    "line_not_accessible",
    "advanced_features_required",
    "line_inactive",
    "chat_not_found",
    "idempotency_key_conflict",
)
SEND_HEADERS: Final = ("Idempotency-Key",)

From = Annotated[str, Meta(min_length=1, max_length=320, description="The line: its handle or its `ln_` id.")]
To = Annotated[
    str, Meta(min_length=1, max_length=320, description="A phone number (E.164), an Apple ID or a `cht_` id.")
]
MessageReference = Annotated[
    str, Meta(min_length=1, max_length=512, description="A `msg_` id or the network's GUID.")
]

OutboxStatus = Literal["pending", "claimed", "sent", "failed"]


class SendReply(msgspec.Struct, frozen=True, kw_only=True):
    """The send is durable and will be tried. Accepted is not delivered: GET /v1/outbox tells."""

    id: str
    status: OutboxStatus
    request_id: str


async def accept(
    call: Call[Any, Any],
    line: Line,
    kind: OperationKind,
    *,
    resolved: Mapping[str, object],
) -> Reply:
    """Owe the call's body to the line's bridge and answer 201."""
    payload = {**wire_fields(call.body), **resolved}
    accepted = await call.uses.outgoing.accept(
        line, kind, payload, api_key_id=call.key.id, repeatable=_repeatable(call, kind)
    )
    content = SendReply(
        id=id_text(Prefix.OUTBOX, accepted.outbox_id), status="pending", request_id=call.request_id
    )
    headers = ((b"idempotent-replayed", b"true"),) if accepted.is_replayed else ()
    return Reply(content=content, status=201, headers=headers)


def wire_fields(body: msgspec.Struct) -> dict[str, object]:
    """Give a body's fields under their wire names, without those that were not given."""
    fields = {field.encode_name: getattr(body, field.name) for field in msgspec.structs.fields(body)}
    return {name: value for name, value in fields.items() if value is not None and value != ()}


def _repeatable(call: Call[Any, Any], kind: OperationKind) -> Repeatable | None:
    """Read the idempotency key.

    Raises:
        InvalidRequest: It is empty, too long or holds what cannot be a key.
    """
    header = call.headers.get(b"idempotency-key")
    if header is None:
        return None
    key = validate_key(header.decode("latin-1"))
    if isinstance(key, Problem):
        message = f"{key.why[0].upper()}{key.why[1:]}. {key.fix}."
        raise InvalidRequest("invalid_parameter_value", message, param="Idempotency-Key")
    canonical = msgspec.json.encode(call.body, order="deterministic")
    request_hash = hash_request(method="POST", path=kind, canonical_body=canonical)
    return Repeatable(scope=f"key:{call.key.id}", key=key, request_hash=request_hash)
