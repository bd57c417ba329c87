"""What an operation says, read from the client's request and kept by the network as one text.

The request is that of docs/bridges.md. What the client may name by our ids, the hub resolves first: `chat_key` for a
chat, `reply_to_guid` and `message_guid` for messages; a handle or a GUID stands as given.
Not here: what the network makes of it (bridge.sandbox.network).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from bridge.sandbox.ids import group_key_for, option_id
from hub.flow.sent_parts import sent_parts
from hub.model.observation import ObservedChat, ObservedOption, ObservedPoll, ObservedReaction, Part
from hub.model.outbox import Operation, OperationKind
from hub.rules.capabilities import STANDARD_REACTIONS
from hub.rules.chatkeys import direct_chat_key, handle_of, normalize_chat_key, normalize_handle

SERVICE: Final = "iMessage"
_ADDRESS: Final = re.compile(r"https?://\S+")

Payload = Mapping[str, object]


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One operation as the network sees it."""

    kind: OperationKind
    chat: ObservedChat
    parts: tuple[Part, ...] = ()
    reply_to: str | None = None
    effect: str | None = None
    subject: str | None = None
    may_be_sms: bool = False
    #: Parts that an earlier attempt has brought to the network.
    parts_done: int = 0
    #: For a reaction, an edit or an unsend: the message it is on.
    target: str | None = None
    reaction: ObservedReaction | None = None
    #: A reaction, a picture or a background is taken away, not given.
    is_removed: bool = False
    #: The member to add or remove, the handle to check, to call or to find.
    handle: str | None = None
    #: The handles to check, where there may be several.
    handles: tuple[str, ...] = ()
    #: The name of a group.
    name: str | None = None
    file_id: str | None = None
    poll: ObservedPoll | None = None
    #: `set`, `share` or `read` the contact card.
    action: str | None = None
    card: dict[str, Any] | None = None
    #: What the network answered, to be given again.
    result: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(Content).decode


def content_of(operation: Operation) -> Content:
    """Read an operation."""
    payload = operation.payload
    content = Content(
        kind=operation.kind,
        chat=_chat(payload),
        target=_text(payload, "message_guid") or _text(payload, "message_id"),
        is_removed=payload.get("remove") is True,
        handle=_handle(payload),
        name=_text(payload, "name"),
        file_id=_text(payload, "file_id"),
        parts=_parts(payload),
    )
    reader = _READERS.get(operation.kind)
    return content if reader is None else reader(content, operation)


def content_json(content: Content) -> str:
    """Give the text that the network keeps."""
    return msgspec.json.encode(content).decode()


def read_content(text: str) -> Content:
    """Read what the network kept."""
    return _decode(text)


def _send(content: Content, operation: Operation) -> Content:
    payload = operation.payload
    done = payload.get("parts_done")
    return msgspec.structs.replace(
        content,
        target=None,
        reply_to=_text(payload, "reply_to_guid") or _text(payload, "reply_to"),
        effect=_text(payload, "effect"),
        subject=_text(payload, "subject"),
        may_be_sms=payload.get("allow_sms_fallback") is True,
        parts_done=done if isinstance(done, int) else 0,
    )


def _react(content: Content, operation: Operation) -> Content:
    name = _text(operation.payload, "type") or "love"
    is_standard = name in STANDARD_REACTIONS
    reaction = ObservedReaction(type=name) if is_standard else ObservedReaction(type="emoji", emoji=name)
    return msgspec.structs.replace(content, reaction=reaction)


def _make_group(content: Content, operation: Operation) -> Content:
    given = operation.payload.get("participants")
    handles = given if isinstance(given, list | tuple) else ()
    chat = ObservedChat(
        key=group_key_for(operation.attempt_id),
        is_group=True,
        service=SERVICE,
        name=content.name,
        participants=tuple(dict.fromkeys(normalize_handle(str(each)) for each in handles)),
    )
    return msgspec.structs.replace(content, chat=chat)


def _ask(content: Content, operation: Operation) -> Content:
    payload = operation.payload
    given = payload.get("options")
    texts = given if isinstance(given, list | tuple) else ()
    options = tuple(ObservedOption(id=option_id(index), text=str(each)) for index, each in enumerate(texts))
    poll = ObservedPoll(provider_id="-", title=_text(payload, "title"), options=options)
    return msgspec.structs.replace(content, poll=poll)


def _check(content: Content, operation: Operation) -> Content:
    given = operation.payload.get("handles")
    handles = given if isinstance(given, list | tuple) else ()
    return msgspec.structs.replace(content, handles=tuple(normalize_handle(str(each)) for each in handles))


def _card(content: Content, operation: Operation) -> Content:
    card = operation.payload.get("card")
    return msgspec.structs.replace(
        content,
        action=_text(operation.payload, "action") or "share",
        card=dict(card) if isinstance(card, Mapping) else None,
    )


_READERS: Final[dict[OperationKind, Callable[[Content, Operation], Content]]] = {
    OperationKind.CHECK: _check,
    OperationKind.CONTACT_CARD: _card,
    OperationKind.GROUP_CREATE: _make_group,
    OperationKind.POLL: _ask,
    OperationKind.REACT: _react,
    OperationKind.SEND: _send,
}


def _chat(payload: Payload) -> ObservedChat:
    named = _text(payload, "chat_key")
    if named is None:
        to = _text(payload, "to") or _text(payload, "handle") or "nobody"
        return ObservedChat(key=direct_chat_key(to), service=SERVICE)
    key = normalize_chat_key(named, is_group=True)
    return ObservedChat(key=key, is_group=handle_of(key) is None, service=SERVICE)


def _handle(payload: Payload) -> str | None:
    handle = _text(payload, "handle")
    return None if handle is None else normalize_handle(handle)


def _parts(payload: Payload) -> tuple[Part, ...]:
    if payload.get("template"):
        return sent_parts(payload)
    listed = _listed(payload.get("parts"))
    if listed:
        return tuple(_part(each) for each in listed if isinstance(each, Mapping))
    parts = []
    if text := _text(payload, "text"):
        parts += _words(text, payload.get("link_preview"))
    if audio := _text(payload, "audio_message"):
        parts.append(_voice(audio))
    is_voice = payload.get("voice_memo") is True
    attached = _listed(payload.get("attachments"))
    parts += [_voice(str(each)) if is_voice else _file(each) for each in attached]
    return tuple(parts)


def _words(text: str, preview: object) -> list[Part]:
    """Give the words, and the link in them that is to have a preview; a bare link stands alone."""
    if not isinstance(preview, Mapping):
        return [Part(type="text", text=text)]
    found = _ADDRESS.search(text)
    url = _text(preview, "url") or (found[0] if found else None)
    link = Part(type="link", url=url)
    return [link] if text.strip() == url else [Part(type="text", text=text), link]


def _part(given: Mapping[Any, Any]) -> Part:
    match given.get("type"):
        case "attachment":
            return _file(given)
        case "link":
            return Part(type="link", url=_text(given, "url"), text=_text(given, "text"))
        case _:
            return Part(type="text", text=_text(given, "text") or "")


def _file(given: object) -> Part:
    """Name a file: by its id, or by a mapping that also tells what it is."""
    if not isinstance(given, Mapping):
        return Part(type="attachment", ref=str(given))
    size = given.get("size")
    return Part(
        type="attachment",
        ref=_text(given, "file_id") or _text(given, "id"),
        filename=_text(given, "filename"),
        mime_type=_text(given, "mime_type"),
        size=size if isinstance(size, int) else None,
    )


def _voice(ref: str) -> Part:
    return Part(type="audio", ref=ref, filename="Audio Message.caf", mime_type="audio/x-caf")


def _listed(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _text(payload: Mapping[Any, object], name: str) -> str | None:
    value = payload.get(name)
    return value if isinstance(value, str) and value else None
