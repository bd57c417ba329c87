"""What a message says, as parts in their order. Pure.

U+FFFC in the words stands where an attachment or another part is. A link's preview is a row of its own; what Messages
keeps beside it (`*.pluginPayloadAttachment`) is nobody's attachment.
"""

from __future__ import annotations

import re
from typing import Final

from bridge.chatdb.rows import AttachmentRow, MessageRow
from bridge.chatdb.summary import Summary, read_plist
from bridge.chatdb.typedstream import decode_text
from bridge.macos.wire_text import MOST_TEXT, clean, label
from hub.model.observation import Part

URL_BALLOON: Final = "com.apple.messages.URLBalloonProvider"
_PLACE: Final = "\ufffc"
_HIDDEN_SUFFIX: Final = ".pluginPayloadAttachment"
_ADDRESS: Final = re.compile(r"https?://\S+", re.IGNORECASE)
_MOST_PARTS: Final = 128
_MOST_URL: Final = 4096


def words_of(row: MessageRow, summary: Summary) -> str:
    """Give the words: of the column, of the archive beside it, or of the last edit."""
    words = row.text or decode_text(row.attributed_body) or "\n".join(summary.words)
    return clean(words, most=MOST_TEXT * 4)


def parts_of(row: MessageRow, summary: Summary) -> tuple[Part, ...]:
    """Give what the message says now; nothing for one that says nothing (any more)."""
    if row.balloon_bundle_id is not None:
        return _balloon(row, summary)
    files = [file_part(each, is_audio=row.is_audio_message) for each in shown(row.attachments)]
    parts: list[Part] = []
    pieces = words_of(row, summary).split(_PLACE)
    for index, piece in enumerate(pieces):
        if piece.strip():
            parts += _texts(piece)
        if index < len(pieces) - 1 and files:
            parts.append(files.pop(0))
    return tuple([*parts, *files][:_MOST_PARTS])


def shown(attachments: tuple[AttachmentRow, ...]) -> list[AttachmentRow]:
    """Leave out what Messages keeps for itself."""
    return [
        each
        for each in attachments
        if not each.is_hidden and not (each.transfer_name or each.filename or "").endswith(_HIDDEN_SUFFIX)
    ]


def file_part(attachment: AttachmentRow, *, is_audio: bool) -> Part:
    """Give the part of an attachment; its bytes may come later."""
    name = attachment.transfer_name or (attachment.filename or "").rpartition("/")[2]
    return Part(
        type="sticker" if attachment.is_sticker else "audio" if is_audio else "attachment",
        ref=attachment.guid,
        filename=label(name),
        mime_type=label(attachment.mime_type, most=255),
        size=attachment.total_bytes if 0 < attachment.total_bytes <= 2**53 else None,
    )


def url_of(row: MessageRow) -> str | None:
    """Give the address that a link's preview is of."""
    found = _ADDRESS.search(row.text or decode_text(row.attributed_body) or "")
    if found is not None:
        return found[0][:_MOST_URL]
    content = read_plist(row.payload_data)
    objects = content.get("$objects") if isinstance(content, dict) else None
    for each in objects if isinstance(objects, list) else ():
        if isinstance(each, str) and _ADDRESS.fullmatch(each):
            return clean(each, most=_MOST_URL)
    return None


def same_address(url: str, words: str) -> bool:
    """Tell whether words hold an address, however its end is spelt."""
    return url.rstrip("/").lower() in words.lower()


def _texts(words: str) -> list[Part]:
    return [Part(type="text", text=words[at : at + MOST_TEXT]) for at in range(0, len(words), MOST_TEXT)]


def _balloon(row: MessageRow, summary: Summary) -> tuple[Part, ...]:
    if row.balloon_bundle_id == URL_BALLOON:
        url = url_of(row)
        return () if url is None else (Part(type="link", url=url, text=url),)
    words = words_of(row, summary).replace(_PLACE, "").strip()
    app = (row.balloon_bundle_id or "").rpartition(":")[2]
    return (Part(type="card", text=label(words, most=MOST_TEXT) or label(app)),)
