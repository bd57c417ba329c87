"""What a send says, as the parts of a message: read from the request that the outbox keeps.

Not here: what the network made of it, which evidence shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.model.observation import Part


class _SentPart(msgspec.Struct):
    """One of our `parts`."""

    type: str
    text: str | None = None
    file_id: str | None = None
    url: str | None = None


class _KnownFile(msgspec.Struct):
    """What we know of a file that the request names."""

    filename: str | None = None
    mime_type: str | None = None
    size: int | None = None


class _Sent(msgspec.Struct):
    """The fields of a send that people see."""

    text: str | None = None
    audio_message: str | None = None
    attachments: tuple[str, ...] = ()
    voice_memo: bool = False
    parts: tuple[_SentPart, ...] = ()
    #: By id, where the surface has resolved them.
    files: dict[str, _KnownFile] = {}


_decode: Final = msgspec.json.Decoder(_Sent).decode


def sent_parts(payload: Mapping[str, Any] | str) -> tuple[Part, ...]:
    """Give the parts; none for what is no message: a reaction, a sign of life.

    Args:
        payload: The request, or its JSON.
    """
    try:
        sent = _decode(payload) if isinstance(payload, str) else msgspec.convert(payload, _Sent)
    except msgspec.ValidationError:
        return ()
    if sent.parts:
        return tuple(_part(part, sent) for part in sent.parts)
    parts = [Part(type="text", text=sent.text)] if sent.text else []
    parts += [_file("audio", sent.audio_message, sent)] if sent.audio_message else []
    kind = "audio" if sent.voice_memo else "attachment"
    return (*parts, *(_file(kind, file_id, sent) for file_id in sent.attachments))


def _part(part: _SentPart, sent: _Sent) -> Part:
    if part.type == "attachment" and part.file_id:
        return _file("attachment", part.file_id, sent)
    if part.type == "link":
        return Part(type="link", text=part.text, url=part.url)
    return Part(type="text", text=part.text)


def _file(kind: str, file_id: str, sent: _Sent) -> Part:
    known = sent.files.get(file_id, _KnownFile())
    return Part(
        type="audio" if kind == "audio" else "attachment",
        ref=file_id,
        filename=known.filename,
        mime_type=known.mime_type,
        size=known.size,
    )
