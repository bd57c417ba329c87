"""/v1/availability: how handles can be reached over a line, before anything is sent (contracts: msgbubbles, blooio)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.contact_shapes import HandleText
from hub.api.sends import From
from hub.api.waiting import PREFER, wanted_wait, while_connected
from hub.flow.availability import Finding, Question
from hub.flow.contacts import REFUSED
from hub.model.contact import Contact
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.rules.availability import together
from hub.rules.contact_rows import sentence
from hub.rules.contacts import read_handle
from hub.rules.problems import Problem

MOST_HANDLES: Final = 100
#: How long a caller waits who did not say.
WAIT_SECONDS: Final = 10

Service = Literal["imessage", "whatsapp", "rcs", "sms"]
CAPABILITY: Final = "availability"


class AvailabilityQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which handle, over which line."""

    handle: HandleText
    from_: From | None = msgspec.field(name="from", default=None)
    #: Ask the network even if the answer is known.
    refresh: bool = False


class AvailabilityBatch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which handles, over which line."""

    handles: Annotated[tuple[HandleText, ...], Meta(min_length=1, max_length=MOST_HANDLES)]
    from_: From | None = msgspec.field(name="from", default=None)
    refresh: bool = False


class CapabilitiesQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Over which line."""

    from_: From | None = msgspec.field(name="from", default=None)
    refresh: bool = False


class ReachReply(msgspec.Struct, frozen=True, kw_only=True):
    """Ways to reach somebody; null where the network does not tell."""

    imessage: bool | None = None
    sms: bool | None = None
    rcs: bool | None = None
    whatsapp: bool | None = None
    facetime: bool | None = None


class AvailabilityItem(ReachReply, frozen=True, kw_only=True):
    """How a handle can be reached."""

    handle: str
    #: The line that was asked.
    line_id: str
    #: By which service a message would go; null if by none, or not known.
    service: Service | None
    checked_at: int | None
    #: Whether it was known before this request (`contacts.availability_hours`).
    is_cached: bool
    #: A code, and why there is no answer.
    error: str | None


class OneAvailability(AvailabilityItem, frozen=True, kw_only=True):
    """How a handle can be reached, answered alone."""

    request_id: str


class CapabilitiesReply(msgspec.Struct, frozen=True, kw_only=True):
    """How a contact can be reached: by each handle, and by any of them."""

    contact_id: str
    capabilities: ReachReply
    handles: list[AvailabilityItem]
    #: The oldest answer among them.
    last_checked: int | None
    request_id: str


async def _get(call: Call[AvailabilityQuery, NoBody]) -> Reply:
    query = call.query
    line = await _line(call, query.from_)
    handle = _handle(call, query.handle, "handle")
    finding = (await _ask(call, line, [handle], is_anew=query.refresh))[0]
    if finding.error is not None:
        raise InvalidRequest(
            "service_unavailable", f"The line could not say: {finding.error}", param="handle", retry_after=2
        )
    return Reply(
        content=msgspec.convert({**_fields(line, finding), "request_id": call.request_id}, OneAvailability)
    )


async def _batch(call: Call[NoQuery, AvailabilityBatch]) -> Reply:
    body = call.body
    line = await _line(call, body.from_)
    handles = [_handle(call, text, f"handles[{place}]") for place, text in enumerate(body.handles)]
    findings = await _ask(call, line, handles, is_anew=body.refresh)
    return Reply(content=Listed(data=_items(line, findings), request_id=call.request_id))


async def _capabilities(call: Call[CapabilitiesQuery, NoBody]) -> Reply:
    contact = await call.uses.contacts.find(call.key, call.path["id"])
    if not contact.handles:
        raise InvalidRequest(REFUSED, "This contact has no handle; add one first.", param="id")
    line = await _line(call, call.query.from_, contact=contact)
    handles = [each.handle for each in contact.handles]
    findings = await _ask(call, line, handles, is_anew=call.query.refresh)
    known = [each for each in findings if each.reach is not None]
    reach = together([each.reach for each in known if each.reach is not None])
    content = CapabilitiesReply(
        contact_id=id_text(Prefix.CONTACT, contact.id),
        capabilities=msgspec.convert(reach, ReachReply, from_attributes=True),
        handles=_items(line, findings),
        last_checked=min((each.checked_at or 0 for each in known), default=None),
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _ask(call: Call[Any, Any], line: Line, handles: Sequence[str], *, is_anew: bool) -> list[Finding]:
    seconds = wanted_wait(call)
    question = Question(
        line=line,
        handles=tuple(handles),
        api_key_id=call.key.id,
        seconds=WAIT_SECONDS if seconds is None else seconds,
        is_anew=is_anew,
    )
    return await while_connected(call, call.uses.availability.ask(question))


async def _line(call: Call[Any, Any], text: str | None, *, contact: Contact | None = None) -> Line:
    """Find the line that is named, or else one that can tell: the contact's latest, or the oldest."""
    if text is not None:
        return await call.line(_with_plus(text))
    able = [
        line
        for line in await call.uses.lines.visible(call.key)
        if line.is_active and line.able is not None and CAPABILITY in line.able
    ]
    if not able:
        message = f"None of your lines can say whether a handle is reachable ('{CAPABILITY}')."
        raise InvalidRequest("advanced_features_required", message, param="from")
    latest = None
    if contact is not None:
        latest = await call.uses.store.contacts.latest_line(contact.id, [line.id for line in able])
    return next((line for line in able if line.id == latest), able[0])


def _handle(call: Call[Any, Any], text: str, param: str) -> str:
    read = read_handle(_with_plus(text), hint_region=call.uses.settings.contacts_region)
    if isinstance(read, Problem):
        raise InvalidRequest(REFUSED, sentence(read), param=param)
    return read.handle


def _with_plus(text: str) -> str:
    """Give a number its `+` back, which a query turns into a blank unless it was written as %2B."""
    return f"+{text[1:]}" if text.startswith(" ") and text[1:2].isdigit() else text


def _items(line: Line, findings: Sequence[Finding]) -> list[AvailabilityItem]:
    return [msgspec.convert(_fields(line, each), AvailabilityItem) for each in findings]


def _fields(line: Line, finding: Finding) -> dict[str, Any]:
    reach = finding.reach
    names = (*ReachReply.__struct_fields__, "service")
    return {
        "handle": finding.handle,
        "line_id": id_text(Prefix.LINE, line.id),
        **{name: getattr(reach, name, None) for name in names},
        "checked_at": finding.checked_at,
        "is_cached": finding.is_cached,
        "error": finding.error,
    }


_ERRORS: Final = ("line_not_found", "line_not_accessible", "line_inactive", "advanced_features_required")
_DESCRIPTION: Final = (
    "Asks the network through the line, and remembers the answer for `contacts.availability_hours`. Waits up to 10 "
    "seconds, or as `Prefer: wait=N` says. Without `from` a line is chosen that can tell."
)

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/availability",
        name="get_availability",
        summary="Tell whether and how a handle can be reached.",
        description=f"{_DESCRIPTION} A `+` that arrives as a blank is put back.",
        tag="contacts",
        scope="contacts:read",
        query=AvailabilityQuery,
        body=NoBody,
        reply=OneAvailability,
        errors=_ERRORS,
        headers=(PREFER,),
        handle=_get,
    ),
    Endpoint(
        method="POST",
        path="/v1/availability",
        name="get_availability_of_many",
        summary="Tell whether and how up to 100 handles can be reached.",
        description=f"{_DESCRIPTION} What is not known in time has an `error` instead.",
        tag="contacts",
        scope="contacts:read",
        query=NoQuery,
        body=AvailabilityBatch,
        reply=Listed[AvailabilityItem],
        errors=_ERRORS,
        headers=(PREFER,),
        example={"from": "+15550100000", "handles": ["+15550100001", "ann@example.com"]},
        handle=_batch,
    ),
    Endpoint(
        method="GET",
        path="/v1/contacts/{id}/capabilities",
        name="get_contact_capabilities",
        summary="Tell how a contact can be reached, by each of its handles.",
        description=f"{_DESCRIPTION} The line on which the contact was last written with comes first.",
        tag="contacts",
        scope="contacts:read",
        query=CapabilitiesQuery,
        body=NoBody,
        reply=CapabilitiesReply,
        errors=("contact_not_found", *_ERRORS),
        headers=(PREFER,),
        handle=_capabilities,
    ),
)
