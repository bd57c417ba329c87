"""POST /v1/facetime: make a FaceTime link for somebody; where the line can do no such thing it says so."""

from __future__ import annotations

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.chat_operations import VERDICT
from hub.api.reading import missing
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, SendReply, To, accept
from hub.flow.recipients import find_recipient, require_contact
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind
from hub.rules.chatkeys import handle_of


class NewCall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to call."""

    from_: From = msgspec.field(name="from")
    to: To | None = None
    #: The same as `to`, for a person.
    handle: To | None = None


async def _call(call: Call[NoQuery, NewCall]) -> Reply:
    body = call.body
    given = body.to or body.handle
    if given is None:
        raise missing("to")
    if body.to is not None and body.handle is not None and body.to != body.handle:
        raise InvalidRequest(
            "invalid_parameter_value", "'to' and 'handle' name two people; give one of them.", param="handle"
        )
    line = await call.line(body.from_)
    recipient = await find_recipient(call.uses.store, line, given)
    require_contact(line, recipient)
    resolved = {"to": given, "chat_key": recipient.chat_key, "handle": handle_of(recipient.chat_key) or given}
    return await accept(call, line, OperationKind.FACETIME, resolved=resolved)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/facetime",
        name="make_facetime_link",
        summary="Make a FaceTime link.",
        description=f"{VERDICT} Then `result.url` is the link.",
        tag="facetime",
        scope="facetime:write",
        query=NoQuery,
        body=NewCall,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, "contact_has_not_messaged"),
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001"},
        handle=_call,
    ),
)
