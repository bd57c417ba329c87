"""What an operation says, read from the client's request and kept by the network as one text.

The request is that of contracts: messages.dev §2. What the client may name by our ids, the hub resolves first:
`chat_key` for a chat, `reply_to_guid` and `message_guid` for messages; a handle or a GUID stands as given.
"""

from __future__ import annotations

from typing import Final

import msgspec

from hub.model.observation import ObservedChat, ObservedReaction, Part
from hub.model.outbox import Operation, OperationKind
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key

SERVICE: Final = "iMessage"


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation as the network sees it."""

    kind: OperationKind
    chat: ObservedChat
    parts: tuple[Part, ...] = ()
    reply_to: str | None = None
    #: For a reaction: the message it is on.
    target: str | None = None
    reaction: ObservedReaction | None = None


_decode = msgspec.json.Decoder(Content).decode


def content_of(operation: Operation) -> Content:
    """Read an operation."""
    payload = operation.payload
    chat = _chat(payload)
    if operation.kind is OperationKind.REACT:
        name = _text(payload, "type") or "love"
        reaction = ObservedReaction(type=name)
        if name not in STANDARD_REACTIONS:
            reaction = ObservedReaction(type="emoji", emoji=name)
        target = _text(payload, "message_guid") or _text(payload, "message_id")
        return Content(kind=operation.kind, chat=chat, target=target, reaction=reaction)
    return Content(
        kind=operation.kind,
        chat=chat,
        parts=_parts(payload),
        reply_to=_text(payload, "reply_to_guid") or _text(payload, "reply_to"),
    )


def content_json(content: Content) -> str:
    """Give the text that the network keeps."""
    return msgspec.json.encode(content).decode()


def read_content(text: str) -> Content:
    """Read what the network kept."""
    return _decode(text)


def _chat(payload: dict[str, object]) -> ObservedChat:
    to = _text(payload, "to") or ""
    named = _text(payload, "chat_key")
    key = normalize_chat_key(named, is_group=True) if named else direct_chat_key(to)
    return ObservedChat(key=key, is_group=handle_of(key) is None, service=SERVICE)


def _parts(payload: dict[str, object]) -> tuple[Part, ...]:
    parts = []
    if text := _text(payload, "text"):
        parts.append(Part(type="text", text=text))
    if audio := _text(payload, "audio_message"):
        parts.append(Part(type="audio", ref=audio, filename="Audio Message.caf", mime_type="audio/x-caf"))
    attachments = payload.get("attachments")
    if isinstance(attachments, list):
        parts += [Part(type="attachment", ref=str(each)) for each in attachments]
    return tuple(parts)


def _text(payload: dict[str, object], name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) and value else None
