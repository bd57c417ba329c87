"""POST /v1/audio-messages: send a voice message (contracts: messages.dev §2).

The bridge makes the bytes into what its network plays; an ordinary attachment with the same bytes is a file.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoQuery, Reply
from hub.api.sends import (
    SEND_ERRORS,
    SEND_HEADERS,
    FromOrAuto,
    MessageReference,
    SendReply,
    To,
    accept,
    sending_line,
)
from hub.api.sent_files import FILE_ERRORS, find_files, resolved_files
from hub.flow.line_choice import AUTO
from hub.flow.recipients import find_message, find_recipient, require_contact, require_named
from hub.model.errors import InvalidRequest
from hub.model.file import File
from hub.model.line import Line
from hub.model.outbox import OperationKind

_FIELD: Final = "audio_message"
#: Networks without voice messages.
_WITHOUT_VOICE: Final = frozenset({"sms", "rcs", "mms"})

FileReference = Annotated[str, Meta(min_length=1, max_length=128, description="The `file_` id of a sound.")]


class NewAudioMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A voice message to send."""

    from_: FromOrAuto = msgspec.field(name="from")
    to: To
    audio_message: FileReference
    reply_to: MessageReference | None = None


async def _send(call: Call[NoQuery, NewAudioMessage]) -> Reply:
    body, store = call.body, call.uses.store
    line = await sending_line(call, body.from_, body.to)
    recipient = await find_recipient(store, line, body.to)
    (file,) = await find_files(call, [(body.audio_message, _FIELD)])
    _require_sound(file)
    resolved: dict[str, object] = {"chat_key": recipient.chat_key, **resolved_files([file])}
    if body.from_ == AUTO:
        resolved["from"] = line.handle
    if body.reply_to is not None:
        parent = await find_message(store, line, body.reply_to, param="reply_to")
        require_named(parent, param="reply_to")
        resolved["reply_to_guid"] = parent.guid
    _require_voice(line)
    require_contact(line, recipient)
    return await accept(call, line, OperationKind.SEND, resolved=resolved)


def _require_sound(file: File) -> None:
    if not file.mime_type.startswith("audio/"):
        raise InvalidRequest(
            "invalid_parameter_value",
            f"A voice message is made of a sound (audio/…), and this file is {file.mime_type}. Send it as an "
            "attachment with POST /v1/messages.",
            param=_FIELD,
        )


def _require_voice(line: Line) -> None:
    if line.service.lower() in _WITHOUT_VOICE:
        raise InvalidRequest(
            "advanced_features_required",
            f"Voice messages ('audio') need iMessage, and this line speaks {line.service}.",
            param="from",
        )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="POST",
        path="/v1/audio-messages",
        name="send_audio_message",
        summary="Send a voice message.",
        description=(
            "`audio_message` names a file with sound: m4a, mp3, wav, caf or aiff. Answers as POST /v1/messages does."
        ),
        tag="messages",
        scope="messages:write",
        query=NoQuery,
        body=NewAudioMessage,
        reply=SendReply,
        status=201,
        errors=(
            *SEND_ERRORS,
            *FILE_ERRORS,
            "contact_has_not_messaged",
            "message_not_found",
            "message_not_sent",
        ),
        headers=SEND_HEADERS,
        example={"from": "+15550100000", "to": "+15550100001", "audio_message": "file_0f2m4h8x0g001"},
        handle=_send,
    ),
)
