"""Write what is asked for as the Cloud API's JSON, and read what it answers. Pure.

A WhatsApp message is one text, or one file with or without a caption, or one template. What does not fit into one is
refused: two messages under one name would leave nobody knowing which of them arrived.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from bridge.http_api import Answer, accepted, put_off, rejected, unknown
from bridge.sent_words import recipient_of, sent_words
from bridge.taming import id_in, list_in, mapping_in
from bridge.whatsapp.errors import BUSY, DOUBTFUL, code_of, trouble_in
from bridge.whatsapp.marks import ReactionMark, reaction_mark
from hub.model.observation import Part
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.model.template import Template, Values
from hub.rules.chatkeys import normalize_handle

Json = dict[str, object]
#: The six names, as people see them on other networks.
EMOJI: Final = {
    "dislike": "👎",
    "emphasize": "‼️",
    "laugh": "😂",
    "like": "👍",
    "love": "❤️",
    "question": "❓",
}
#: Types of files that WhatsApp shows as what they are; others go as documents.
_SHOWN_AS: Final = {
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mp4": "audio",
    "audio/mpeg": "audio",
    "audio/ogg": "audio",
    "image/jpeg": "image",
    "image/png": "image",
    "image/webp": "sticker",
    "video/3gpp": "video",
    "video/mp4": "video",
}
_USER_ID: Final = re.compile(r"[A-Z]{2}\.[0-9A-Za-z.]{1,160}", re.ASCII)
_WITH_CAPTION: Final = frozenset({"document", "image", "video"})
_WITH_NAME: Final = frozenset({"document"})
#: What WhatsApp calls a voice message is Ogg with Opus.
_VOICE: Final = "audio/ogg"


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A message that still lacks the file that it carries."""

    body: Json
    #: The file's place in the message, and our part.
    file: Part | None = None
    #: How WhatsApp shows the file.
    shown_as: str = ""

    def with_file(self, media: Json) -> Json:
        """Put the file in: `{"id": …}` as it was uploaded, or `{"link": …}`."""
        place = self.body.get(self.shown_as)
        if isinstance(place, dict):
            return {**self.body, self.shown_as: {**media, **place}}
        template = dict(mapping_in(self.body["template"]))
        parameter = {"type": self.shown_as, self.shown_as: media}
        header = {"type": "header", "parameters": [parameter]}
        template["components"] = [header, *list_in(template.get("components"))]
        return {**self.body, "template": template}


def draft_of(operation: Operation) -> Draft | OperationOutcome:
    """Write a send, or say why it cannot be one message."""
    said, payload = sent_words(operation.payload), operation.payload
    if said.handle is None:
        return rejected("groups_unsupported", "Groups are not sent to: send to each member.")
    body = _envelope(said.handle, operation.attempt_id)
    if (parent := id_in(payload.get("reply_to_guid"))) is not None:
        body["context"] = {"message_id": parent}
    if payload.get("template"):
        return _template(body, msgspec.convert(payload["template"], Template), said.files)
    if not said.files:
        text = said.text or ""
        body |= {"type": "text", "text": {"body": text, "preview_url": "://" in text}}
        return Draft(body=body)
    return _with_file(body, said.files, said.text)


def _with_file(body: Json, files: tuple[Part, ...], text: str | None) -> Draft | OperationOutcome:
    part = files[0]
    mime_type = (part.mime_type or "").partition(";")[0].strip().lower()
    shown_as = _SHOWN_AS.get(mime_type, "document")
    if len(files) > 1 or (text and shown_as not in _WITH_CAPTION):
        return rejected(
            "one_message_only",
            "A WhatsApp message is one file with a caption (no caption for audio and stickers): send several messages.",
        )
    content: Json = {"caption": text} if text else {}
    if shown_as in _WITH_NAME and part.filename:
        content["filename"] = part.filename
    if part.type == "audio" and mime_type == _VOICE:
        content["voice"] = True
    return Draft(body={**body, "type": shown_as, shown_as: content}, file=part, shown_as=shown_as)


def _template(body: Json, template: Template, files: tuple[Part, ...]) -> Draft:
    components: list[Json] = []
    for place, values in (("header", template.header_values), ("body", template.values)):
        if values:
            components.append({"type": place, "parameters": _parameters(values)})
    for button in template.buttons:
        key = {"url": "text", "quick_reply": "payload", "copy_code": "coupon_code"}[button.type]
        component: Json = {"type": "button", "sub_type": button.type, "index": str(button.index)}
        component["parameters"] = [{"type": key, key: button.value}]
        components.append(component)
    content: Json = {"name": template.name, "language": {"code": template.language}}
    content |= {"components": components} if components else {}
    whole: Json = {**body, "type": "template", "template": content}
    if not files:
        return Draft(body=whole)
    shown_as = _SHOWN_AS.get((files[0].mime_type or "").lower(), "document")
    return Draft(body=whole, file=files[0], shown_as=shown_as if shown_as in _WITH_CAPTION else "document")


def _parameters(values: Values) -> list[Json]:
    if isinstance(values, dict):
        return [{"type": "text", "parameter_name": name, "text": text} for name, text in values.items()]
    return [{"type": "text", "text": text} for text in values]


def reaction_of(operation: Operation) -> Json | OperationOutcome:
    """Write a reaction; an empty one takes the line's reaction away, whatever it was."""
    payload = operation.payload
    target, handle = id_in(payload.get("message_guid")), recipient_of(payload)
    if target is None or handle is None:
        return rejected("groups_unsupported", "Reactions go to messages of direct chats.")
    kind, is_removed = str(payload.get("type") or "love"), payload.get("remove") is True
    emoji = EMOJI.get(kind, kind)
    is_named = kind in EMOJI
    mark = reaction_mark(
        ReactionMark(target=target, emoji=emoji, type=kind if is_named else "emoji", is_removed=is_removed)
    )
    body = _envelope(handle, mark)
    return {
        **body,
        "type": "reaction",
        "reaction": {"message_id": target, "emoji": "" if is_removed else emoji},
    }


def sign_of(operation: Operation) -> Json | OperationOutcome:
    """Write a read mark, which on this network typing goes along with; or say that there is nothing to do."""
    payload = operation.payload
    is_typing = operation.kind is OperationKind.TYPING
    target = id_in(payload.get("last_received_guid"))
    if is_typing and payload.get("state") == "off":
        return accepted()  # it ends by itself: after 25 s, or with the next message
    if target is None:
        if is_typing:
            return rejected("nothing_received", "WhatsApp shows typing only to who has written.")
        return accepted()  # there is nothing to read
    body: Json = {"messaging_product": "whatsapp", "status": "read", "message_id": target}
    return body | ({"typing_indicator": {"type": "text"}} if is_typing else {})


def _envelope(handle: str, mark: str | None) -> Json:
    """Name the recipient: a number by `to`, who hides it by the id that Meta gave them (`US.1349…`)."""
    is_id = _USER_ID.fullmatch(handle) is not None
    body: Json = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "recipient" if is_id else "to": handle.removeprefix("+"),
    }
    return body if mark is None else body | {"biz_opaque_callback_data": mark}


def verdict_of(answer: Answer, *, is_stop_opt_out: bool, is_named: bool = True) -> OperationOutcome:
    """Read the answer to a message, a reaction or a sign.

    Args:
        answer: Of the API.
        is_stop_opt_out: Whether who stops marketing has opted out.
        is_named: Whether the answer names a message.
    """
    if answer.is_good:
        message = mapping_in(next(iter(list_in(answer.body.get("messages"))), None))
        wamid = id_in(message.get("id"))
        if is_named and wamid is None:
            return unknown("unreadable_answer", "Meta took it and named no message.")
        return accepted(wamid)
    trouble = trouble_in(answer.body.get("error"))
    if trouble.number in BUSY or answer.status == 429:
        usual_ms = BUSY.get(trouble.number or 0, 60_000)
        code = trouble.fault.code if trouble.number in BUSY else "rate_limited"
        asked_ms = answer.retry_after_ms
        return put_off(code, trouble.detail, wait_ms=usual_ms if asked_ms is None else asked_ms)
    if answer.status >= 500 or trouble.number in DOUBTFUL:
        return unknown("network_error", f"Meta answered with status {answer.status}.")
    if trouble.number is None:
        return rejected("unexpected_answer", f"Meta answered with status {answer.status}; is api_url right?")
    return rejected(code_of(trouble, is_opt_out=is_stop_opt_out), trouble.detail)


def shown_name(filename: str | None) -> str:
    """Give a file's name in characters that no store of files stumbles over."""
    name = "".join(each if each.isalnum() or each in "._- " else "_" for each in filename or "")
    return name[:200] or "file"


def ids_of(phone_numbers: Mapping[str, str]) -> dict[str, str]:
    """Give handle → phone number id, however the handles were typed."""
    return {normalize_handle(handle): number_id for handle, number_id in phone_numbers.items()}


def numbers_of(phone_numbers: Mapping[str, str]) -> dict[str, str]:
    """Turn the settings round: phone number id → handle."""
    return {number_id: handle for handle, number_id in ids_of(phone_numbers).items()}
