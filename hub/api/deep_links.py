"""/v1/deep-links: links and a QR code with which a contact writes to a line first."""

from __future__ import annotations

import io
from typing import Annotated

import msgspec
import segno
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, Reply
from hub.api.sends import From
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.rules.deep_links import deep_links

#: Four bytes a character at the worst, within what a QR code of medium correction holds.
MOST_TEXT = 500


class LinksQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For which line, and with which words filled in."""

    from_: From = msgspec.field(name="from")
    text: Annotated[str, Meta(max_length=MOST_TEXT)] = ""


class LinksReply(msgspec.Struct, frozen=True, kw_only=True):
    """Links that open the contact's own app. Where a line cannot be reached so, the link is null."""

    line_id: str
    line_handle: str
    #: As RFC 5724 has it: Android and most others.
    sms: str | None
    #: Apple's phones take the words only in this form.
    sms_ios: str
    imessage: str | None
    whatsapp: str | None
    #: What the QR code holds, and the code as an SVG document.
    qr_text: str
    qr: str
    request_id: str


async def _links(call: Call[LinksQuery, NoBody]) -> Reply:
    line = await call.line(call.query.from_)
    links = deep_links(line.handle, service=line.service, text=call.query.text)
    content = LinksReply(
        line_id=id_text(Prefix.LINE, line.id),
        line_handle=line.handle,
        sms=links.sms,
        sms_ios=links.sms_ios,
        imessage=links.imessage,
        whatsapp=links.whatsapp,
        qr_text=links.qr_text,
        qr=qr_svg(links.qr_text),
        request_id=call.request_id,
    )
    return Reply(content=content)


def qr_svg(text: str) -> str:
    """Draw a QR code, with the margin that readers need.

    Raises:
        InvalidRequest: invalid_parameter_value for words that no code can hold.
    """
    try:
        code = segno.make_qr(text, error="l")
    except segno.DataOverflowError:
        message = "The 'text' query parameter is too long for a QR code; shorten it."
        raise InvalidRequest("invalid_parameter_value", message, param="text") from None
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", scale=4, border=4, light="#fff", xmldecl=False, nl=False)
    return drawn.getvalue().decode()


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/deep-links",
        name="get_deep_links",
        summary="Make links and a QR code with which a contact writes first.",
        description=(
            "On a line that may only answer, a conversation begins with the contact. Put one of these on a page, or "
            "print the code: it opens the contact's app with the line and the words filled in."
        ),
        tag="lines",
        scope="lines:read",
        query=LinksQuery,
        body=NoBody,
        reply=LinksReply,
        errors=("line_not_found", "line_not_accessible"),
        handle=_links,
    ),
)
