"""What a send says, as the parts of a message: read from the request that the outbox keeps.

Not here: what the network made of it, which evidence shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from hub.model.ids import InvalidId, Prefix, parse_id
from hub.model.observation import ATTACHED, KeptPart, Part
from hub.model.template import Template, template_words


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
    template: Template | None = None
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
    if sent.template is not None:
        return _of_template(sent.template, sent)
    if sent.parts:
        return tuple(_part(part, sent) for part in sent.parts)
    parts = [Part(type="text", text=sent.text)] if sent.text else []
    parts += [_file("audio", sent.audio_message, sent)] if sent.audio_message else []
    kind = "audio" if sent.voice_memo else "attachment"
    return (*parts, *(_file(kind, file_id, sent) for file_id in sent.attachments))


def _of_template(template: Template, sent: _Sent) -> tuple[Part, ...]:
    words = Part(type="text", text=template_words(template))
    if template.header_file_id is None:
        return (words,)
    return (_file("attachment", template.header_file_id, sent), words)


def _part(part: _SentPart, sent: _Sent) -> Part:
    if part.type == "attachment" and part.file_id:
        return _file("attachment", part.file_id, sent)
    if part.type == "link":
        return Part(type="link", text=part.text, url=part.url)
    return Part(type="text", text=part.text)


def _file(kind: str, file_id: str, sent: _Sent) -> KeptPart:
    known = sent.files.get(file_id, _KnownFile())
    return KeptPart(
        type="audio" if kind == "audio" else "attachment",
        ref=file_id,
        file_id=file_id,
        filename=known.filename,
        mime_type=known.mime_type,
        size=known.size,
    )


def with_our_files(shown: Sequence[Part], sent: Sequence[Part]) -> tuple[Part, ...]:
    """Give the parts that a network shows of our send, naming the files that we sent.

    A part is known by its `ref`, where the bridge passes ours on; else by its place, where as many are shown as were
    sent. What stays unknown is the network's own.
    """
    ours = [part for part in sent if isinstance(part, KeptPart)]
    places = [place for place, part in enumerate(shown) if part.type in ATTACHED]
    if not ours or not places:
        return tuple(shown)
    by_ref = {part.ref: part for part in ours}
    in_order = dict(zip(places, ours, strict=True)) if len(places) == len(ours) else {}
    parts = list(shown)
    for place in places:
        mine = by_ref.get(parts[place].ref) or in_order.get(place)
        if mine is not None:
            parts[place] = _merged(parts[place], mine)
    return tuple(parts)


def _merged(shown: Part, mine: KeptPart) -> KeptPart:
    """Name our file in a part that the network shows: what it is, we know; what was made of it, the network does."""
    ours = {name: value for name, value in msgspec.structs.asdict(mine).items() if value is not None}
    return KeptPart(**{**msgspec.structs.asdict(shown), **ours, "type": shown.type})


def file_ids(parts: Sequence[Part]) -> list[int]:
    """Give the files that parts name."""
    found = []
    for part in parts:
        if isinstance(part, KeptPart) and part.file_id is not None:
            try:
                found.append(parse_id(Prefix.FILE, part.file_id))
            except InvalidId:
                continue
    return found
