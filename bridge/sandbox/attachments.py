"""Files in the simulated network: what contacts send, the same few small ones each time, and what is sent to them.

A part names one as `sandbox:<name>`; the bytes are made when somebody fetches them. `sandbox:missing` has none, as a
phone that was wiped.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Final

from hub.flow.ports import OutgoingFiles
from hub.model.errors import AttachmentGone, BlobMissing, StoreUnavailable
from hub.model.observation import Part
from hub.model.outbox import Disposition, OperationOutcome

PREFIX: Final = "sandbox:"
_PIECE: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Simulated:
    """One attachment."""

    filename: str
    mime_type: str
    make: Callable[[], bytes]
    is_audio: bool = False


def _photo() -> bytes:
    """Make a PNG of 8 by 8 orange dots."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    rows = (b"\0" + b"\xff\x80\x00" * 8) * 8
    head = struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def _voice() -> bytes:
    """Make a CAF of a tenth of a second of silence: 16-bit mono at 8 kHz."""
    description = struct.pack(">d4sIIIII", 8000.0, b"lpcm", 0, 2, 1, 1, 16)
    sound = bytes(1600)
    head = b"caff" + struct.pack(">HH", 1, 0) + b"desc" + struct.pack(">q", len(description)) + description
    return head + b"data" + struct.pack(">qI", len(sound) + 4, 0) + sound


def _document() -> bytes:
    return b"date,amount\n2026-01-01,12.50\n2026-01-02,7.00\n"


def _card() -> bytes:
    lines = (
        "BEGIN:VCARD",
        "VERSION:3.0",
        "N:Example;Ada;;;",
        "FN:Ada Example",
        "TEL:+15550100001",
        "END:VCARD",
    )
    return "\r\n".join(lines).encode()


#: Name → attachment. Alphabetical.
SIMULATED: Final = {
    "card": Simulated(filename="ada-example.vcf", mime_type="text/vcard", make=_card),
    "document": Simulated(filename="statement.csv", mime_type="text/csv", make=_document),
    "missing": Simulated(filename="gone.jpeg", mime_type="image/jpeg", make=bytes),
    "photo": Simulated(filename="photo.png", mime_type="image/png", make=_photo),
    "voice": Simulated(filename="Audio Message.caf", mime_type="audio/x-caf", make=_voice, is_audio=True),
}


def attachment_part(name: str) -> Part:
    """Give the part of a message that carries an attachment of `SIMULATED`."""
    simulated = SIMULATED[name]
    return Part(
        type="audio" if simulated.is_audio else "attachment",
        ref=f"{PREFIX}{name}",
        filename=simulated.filename,
        mime_type=simulated.mime_type,
        size=len(simulated.make()) or None,
    )


async def open_simulated(ref: str) -> AsyncIterator[bytes]:
    """Give the bytes that a part's `ref` names.

    Raises:
        AttachmentGone: There is no such attachment, or it has no bytes any more.
    """
    simulated = SIMULATED.get(ref.removeprefix(PREFIX)) if ref.startswith(PREFIX) else None
    content = b"" if simulated is None else simulated.make()
    if not content:
        raise AttachmentGone("the simulated phone does not have it any more")
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]


async def take_files(files: OutgoingFiles, parts: Iterable[Part]) -> OperationOutcome | None:
    """Read the bytes of what is sent, as a real network must; None when all of them came."""
    for part in parts:
        if part.ref is None or not part.ref.startswith("file_"):
            continue
        try:
            opened = await files.open_file(part.ref)
            async for _ in opened.chunks:
                pass
        except (AttachmentGone, BlobMissing) as error:
            return OperationOutcome(
                disposition=Disposition.REJECTED, code="file_unavailable", detail=str(error)
            )
        except StoreUnavailable as error:
            return OperationOutcome(
                disposition=Disposition.NOT_STARTED, code="files_away", detail=str(error), is_retry_safe=True
            )
    return None
