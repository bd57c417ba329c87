"""Attachments on their way through ingest: each is noted as a file, named in its part, and used by its message.

A part that names where its bytes are (`ref` or `url`) becomes a pending file in the transaction that records the
message; the bytes are fetched afterwards (hub.flow.attachments). The event carries the file's id and a signed address
at once: whoever reads there before the bytes have come is made to wait a little. Messages without attachments pay
for a look at their parts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from hub.flow.file_links import FileLinks
from hub.flow.file_ports import USED_BY_MESSAGE, FileClaimRow, FileUseRow
from hub.flow.ports import HotTransaction
from hub.flow.record import TakeIds
from hub.flow.sent_parts import file_ids
from hub.flow.sighting import Sighting
from hub.model.file import FileSource
from hub.model.ids import Prefix, id_text
from hub.model.observation import ATTACHED, KeptPart, Observation, Part
from hub.rules.file_names import clean_name
from hub.rules.media_types import UNKNOWN, usual_type

_MOST_KEY: Final = 1_100

_encode = msgspec.json.Encoder().encode


class InboundFiles:
    """Notes the attachments of batches."""

    def __init__(self, links: FileLinks, take_ids: TakeIds) -> None:
        self.links = links
        self._take_ids = take_ids
        self._has_news = False

    async def claim(self, tx: HotTransaction, items: Sequence[Sighting], now_ms: int) -> None:
        """Note each attachment as a file and name the file in its part; before the messages are merged."""
        rows: list[FileClaimRow] = []
        carriers: list[tuple[Sighting, list[int]]] = []
        for item in items:
            places = _places(item.observation)
            if places and item.line is not None:
                ids = self._take_ids(len(places))
                rows += [
                    _row(item, place, file_id=file_id, now_ms=now_ms)
                    for place, file_id in zip(places, ids, strict=True)
                ]
                carriers.append((item, places))
        if not rows:
            return
        found = iter(await tx.files.claim(rows))
        for item, places in carriers:
            item.observation = _named(item.observation, {place: next(found) for place in places})
        self._has_news = True

    async def use(self, tx: HotTransaction, items: Sequence[Sighting]) -> None:
        """Note that the messages need their files; after they are merged."""
        uses = [
            FileUseRow(file_id, USED_BY_MESSAGE, item.message.id, item.message.line_id)
            for item in items
            if item.message is not None and item.observation.message is not None
            for file_id in file_ids(item.observation.message.parts)
        ]
        await tx.files.use(uses)

    def take_news(self) -> bool:
        """Tell whether files were noted since the last time; somebody should fetch them."""
        has_news, self._has_news = self._has_news, False
        return has_news


def _places(observation: Observation) -> list[int]:
    """Give which parts of the message are attachments whose bytes can be had."""
    message = observation.message
    if message is None or not message.parts:
        return []
    return [
        place
        for place, part in enumerate(message.parts)
        if part.type in ATTACHED and (part.ref or part.url) and not isinstance(part, KeptPart)
    ]


def _row(item: Sighting, place: int, *, file_id: int, now_ms: int) -> FileClaimRow:
    message, line = item.observation.message, item.known_line
    assert message is not None, "only messages have parts"
    part = message.parts[place]
    source = FileSource(bridge_id=item.bridge_id, line=line.handle, ref=part.ref, url=part.url)
    key = f"{message.provider_id}:{part.ref or place}"
    return FileClaimRow(
        file_id,
        line.id,
        key[:_MOST_KEY],
        clean_name(part.filename),
        usual_type(part.mime_type) or UNKNOWN,
        part.size,
        _encode(source).decode(),
        now_ms,
        now_ms,
        now_ms,
    )


def _named(observation: Observation, files: dict[int, int]) -> Observation:
    message = observation.message
    assert message is not None, "only messages have parts"
    parts = tuple(
        kept_part(part, id_text(Prefix.FILE, files[place])) if place in files else part
        for place, part in enumerate(message.parts)
    )
    return msgspec.structs.replace(observation, message=msgspec.structs.replace(message, parts=parts))


def kept_part(part: Part, file_id: str) -> KeptPart:
    """Give a part that names its file."""
    return KeptPart(**msgspec.structs.asdict(part), file_id=file_id)
