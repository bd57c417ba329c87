"""POST /v1/messages: send one message, or several in one go (contracts: messages.dev §2).

Not here: reading messages (hub.api.message_reads), and changing one that was asked for (hub.api.message_changes).
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.reading import missing
from hub.api.sends import (
    SEND_ERRORS,
    SEND_HEADERS,
    FromOrAuto,
    MessageReference,
    SendReply,
    To,
    accept_wishes,
    sending_line,
    wire_fields,
)
from hub.api.sent_files import FILE_ERRORS, find_files, resolved_files
from hub.flow.line_choice import AUTO
from hub.flow.recipients import find_message, find_recipient, require_contact, require_named
from hub.flow.wishes import Wish
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind
from hub.model.template import Template

MOST_TEXT: Final = 20_000
MOST_ATTACHMENTS: Final = 1
MOST_PARTS: Final = 11
MOST_TEXTS: Final = 20
MOST_METADATA_BYTES: Final = 1024
MOST_AHEAD_MS: Final = 366 * 86_400_000
_LONGEST_FILE_ID: Final = 128

Words = Annotated[str, Meta(min_length=1, max_length=MOST_TEXT)]
FileReference = Annotated[str, Meta(max_length=_LONGEST_FILE_ID, description="The id of a file: `file_…`.")]
WebAddress = Annotated[str, Meta(max_length=2048, pattern="^https?://")]


class TextPart(msgspec.Struct, frozen=True, kw_only=True, tag="text", omit_defaults=True):
    """Words."""

    text: Words
    #: A member of the group whom the words mention.
    mention: Annotated[str, Meta(min_length=1, max_length=320)] | None = None


class AttachmentPart(msgspec.Struct, frozen=True, kw_only=True, tag="attachment"):
    """A file."""

    file_id: FileReference


class LinkPart(msgspec.Struct, frozen=True, kw_only=True, tag="link", omit_defaults=True):
    """A link, shown with a preview."""

    url: WebAddress
    text: Words | None = None


class LinkPreview(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the link in `text` is shown."""

    title: Annotated[str, Meta(min_length=1, max_length=300)]
    #: Null: the first address in `text`.
    url: WebAddress | None = None
    image_url: WebAddress | None = None


class LinkedText(msgspec.Struct, frozen=True, kw_only=True):
    """One of several messages: a text whose link is shown with a preview of its own."""

    text: Words
    link_preview: LinkPreview


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send: `text` with or without an attachment, or `texts`, or `parts`, or a `template`."""

    from_: FromOrAuto = msgspec.field(name="from")
    to: To
    text: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    attachments: Annotated[tuple[FileReference, ...], Meta(description="At most one `file_` id.")] = ()
    #: Several messages, sent one after the other in this order; accepted all or none.
    texts: Annotated[tuple[Words | LinkedText, ...], Meta(max_length=MOST_TEXTS)] = ()
    #: One message of several pieces, in this order.
    parts: Annotated[tuple[TextPart | AttachmentPart | LinkPart, ...], Meta(max_length=MOST_PARTS)] = ()
    #: A message whose words the network has approved, in the place of all others: WhatsApp lets nothing else through to
    #: a contact who has not written for 24 hours.
    template: Template | None = None
    reply_to: MessageReference | None = None
    #: As the line's network names it: `slam`, `confetti`, …
    effect: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    #: The line above the words, where the network has one.
    subject: Annotated[str, Meta(min_length=1, max_length=300)] | None = None
    link_preview: LinkPreview | None = None
    #: The attachment is a recording, and shown as a voice message.
    voice_memo: bool = False
    #: If the first network refuses it, it may go out as SMS; `was_downgraded` tells.
    allow_sms_fallback: bool = False
    #: Refuse a file that is used already, by another message for instance (409 `file_in_use`).
    first_use: bool = False
    #: A JSON object of your own, at most 1 KB: given back in reads and `message.*` events.
    metadata: dict[str, Any] | None = None
    #: 0 to 100: higher first, first in first out among equals.
    priority: Annotated[int, Meta(ge=0, le=100)] = 0
    #: Unix ms, at most a year ahead; a time that is over means now.
    send_at: Annotated[int, Meta(ge=0)] | None = None


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    body, store = call.body, call.uses.store
    _check_content(body)
    _check_terms(body, call.now_ms)
    line = await sending_line(call, body.from_, body.to)
    recipient = await find_recipient(store, line, body.to)
    files = await find_files(call, _files(body))
    resolved: dict[str, object] = {"chat_key": recipient.chat_key, **resolved_files(files)}
    if body.from_ == AUTO:
        resolved["from"] = line.handle
    if body.reply_to is not None:
        parent = await find_message(store, line, body.reply_to, param="reply_to")
        require_named(parent, param="reply_to")
        resolved["reply_to_guid"] = parent.guid
    require_contact(line, recipient)
    return await accept_wishes(call, line, _wishes(body, resolved))


def _wishes(body: NewMessage, resolved: dict[str, object]) -> list[Wish]:
    """Give a send for each message that is asked for."""
    fields = {name: value for name, value in wire_fields(body).items() if name != "texts" and value}
    payload: dict[str, object] = msgspec.to_builtins({**fields, **resolved})
    metadata = None if body.metadata is None else msgspec.json.encode(body.metadata).decode()
    payloads = [{**payload, **_text_fields(text)} for text in body.texts] or [payload]
    return [
        Wish(
            kind=OperationKind.SEND,
            payload=each,
            priority=body.priority,
            send_at=body.send_at,
            metadata=metadata,
        )
        for each in payloads
    ]


def _text_fields(text: str | LinkedText) -> dict[str, object]:
    """Give what one of several messages says for itself."""
    fields: dict[str, object] = {"text": text} if isinstance(text, str) else msgspec.to_builtins(text)
    return fields


def _check_content(body: NewMessage) -> None:
    if not (body.text or body.attachments or body.texts or body.parts or body.template):
        raise missing("text")
    forms = [
        name
        for name, is_given in (
            ("template", body.template),
            ("parts", body.parts),
            ("texts", body.texts),
            ("text", body.text),
            ("attachments", body.attachments),
        )
        if is_given
    ]
    if len(forms) > 1 and forms[0] in {"parts", "template", "texts"}:
        raise _invalid(forms[0], f"'{forms[0]}' stands alone, without '{forms[1]}': put everything into it.")
    if len(body.attachments) > MOST_ATTACHMENTS:
        raise _invalid("attachments", "A message carries at most one attachment; for more, use 'parts'.")
    for text, param in _files(body):
        if not text.startswith("file_"):
            raise _invalid(param, "An attachment is named by the id of a file, which begins with 'file_'.")


def _check_terms(body: NewMessage, now_ms: int) -> None:
    if body.voice_memo and (not body.attachments or body.text):
        raise _invalid("voice_memo", "A voice message is one attachment, without text.")
    if body.link_preview is not None and "://" not in (body.link_preview.url or body.text or ""):
        raise _invalid("link_preview", "A link preview needs an address, in its 'url' or in 'text'.")
    for place, each in enumerate(body.texts):
        if isinstance(each, LinkedText) and "://" not in (each.link_preview.url or each.text):
            raise _invalid(
                f"texts[{place}]", "A link preview needs an address, in its 'url' or in its 'text'."
            )
    if body.metadata is not None and len(msgspec.json.encode(body.metadata)) > MOST_METADATA_BYTES:
        raise _invalid("metadata", f"'metadata' is larger than {MOST_METADATA_BYTES} bytes of JSON.")
    if body.send_at is not None and body.send_at > now_ms + MOST_AHEAD_MS:
        raise _invalid("send_at", "'send_at' is in Unix milliseconds, and at most a year ahead.")


def _files(body: NewMessage) -> list[tuple[str, str]]:
    """Give each file that is named, with the field that names it."""
    named = [(file_id, f"attachments[{index}]") for index, file_id in enumerate(body.attachments)]
    for index, part in enumerate(body.parts):
        if isinstance(part, AttachmentPart):
            named.append((part.file_id, f"parts[{index}].file_id"))
    if body.template is not None and body.template.header_file_id is not None:
        named.append((body.template.header_file_id, "template.header_file_id"))
    return named


def _invalid(param: str, message: str) -> InvalidRequest:
    return InvalidRequest("invalid_parameter_value", message, param=param)


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/messages",
        name="send_message",
        summary="Send a message, now or later.",
        description=(
            "Answers when the send is durable: the message exists from then on, as `queued`. Webhooks (`message.*`), "
            "GET /v1/messages/{id} and GET /v1/outbox tell what becomes of it. With `Idempotency-Key` a repeat of the "
            "same request sends nothing and gets the first answer, marked `Idempotent-Replayed: true`."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=SendReply,
        status=201,
        errors=(
            *SEND_ERRORS,
            *FILE_ERRORS,
            "contact_has_not_messaged",
            "file_in_use",
            "message_not_found",
            "message_not_sent",
        ),
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001", "text": "Hello back"},
        handle=_send,
    ),
)
