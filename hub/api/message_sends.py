"""POST /v1/messages: send a message (contracts: messages.dev §2).

Not here: reading messages, which is hub.api.message_reads.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.reading import missing
from hub.api.sends import SEND_ERRORS, SEND_HEADERS, From, MessageReference, SendReply, To, accept
from hub.api.sent_files import FILE_ERRORS, find_files, resolved_files
from hub.flow.recipients import find_message, find_recipient, require_contact
from hub.model.errors import InvalidRequest
from hub.model.outbox import OperationKind

MOST_TEXT: Final = 20_000
MOST_ATTACHMENTS: Final = 1
_LONGEST_FILE_ID: Final = 128


class NewMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message to send; at least one of text and attachments."""

    from_: From = msgspec.field(name="from")
    to: To
    text: Annotated[str, Meta(max_length=MOST_TEXT)] | None = None
    attachments: Annotated[
        tuple[Annotated[str, Meta(max_length=_LONGEST_FILE_ID)], ...],
        Meta(description="At most one `file_` id."),
    ] = ()
    reply_to: MessageReference | None = None


async def _send(call: Call[NoQuery, NewMessage]) -> Reply:
    body, store = call.body, call.uses.store
    _check_content(body)
    line = await call.line(body.from_)
    recipient = await find_recipient(store, line, body.to)
    files = await find_files(
        call, [(file_id, f"attachments[{index}]") for index, file_id in enumerate(body.attachments)]
    )
    resolved: dict[str, object] = {"chat_key": recipient.chat_key, **resolved_files(files)}
    if body.reply_to is not None:
        parent = await find_message(store, line, body.reply_to, param="reply_to")
        resolved["reply_to_guid"] = parent.guid
    require_contact(line, recipient)
    return await accept(call, line, OperationKind.SEND, resolved=resolved)


def _check_content(body: NewMessage) -> None:
    if not body.text and not body.attachments:
        raise missing("text")
    if len(body.attachments) > MOST_ATTACHMENTS:
        raise InvalidRequest(
            "invalid_parameter_value", "A message carries at most one attachment.", param="attachments"
        )
    for index, file_id in enumerate(body.attachments):
        if not file_id.startswith("file_"):
            raise InvalidRequest(
                "invalid_parameter_value",
                "An attachment is named by the id of a file, which begins with 'file_'.",
                param=f"attachments[{index}]",
            )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/messages",
        name="send_message",
        summary="Send a message.",
        description=(
            "Answers when the send is durable; GET /v1/outbox and the webhook `message.sent` tell what became of "
            "it. With `Idempotency-Key` a repeat of the same request sends nothing and gets the first answer, "
            "marked `Idempotent-Replayed: true`."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewMessage,
        reply=SendReply,
        status=201,
        errors=(*SEND_ERRORS, *FILE_ERRORS, "contact_has_not_messaged", "message_not_found"),
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001", "text": "Hello back"},
        handle=_send,
    ),
)
