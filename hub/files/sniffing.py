"""What a file looks like by its first bytes (puremagic's table) and its name (Python's).

What follows from it: hub.rules.media_types.
"""

from __future__ import annotations

from mimetypes import MimeTypes
from typing import Final

from hub.rules.media_types import Look, Sighting

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
#: Python's table without the machine's: the same name has the same type everywhere.
_BY_ENDING: Final = MimeTypes(filenames=(), strict=False)
for _ending, _type in {
    ".aac": "audio/aac",
    ".amr": "audio/amr",
    ".avif": "image/avif",
    ".caf": "audio/x-caf",
    ".docx": f"{_OFFICE}.wordprocessingml.document",
    ".flac": "audio/flac",
    ".heic": "image/heic",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/opus",
    ".pkpass": "application/vnd.apple.pkpass",
    ".pptx": f"{_OFFICE}.presentationml.presentation",
    ".rtf": "application/rtf",
    ".usdz": "model/vnd.usdz+zip",
    ".vcf": "text/vcard",
    ".webp": "image/webp",
    ".xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    ".yaml": "application/yaml",
}.items():
    _BY_ENDING.add_type(_type, _ending)


def look_at(head: bytes, name: str | None) -> Look:
    """Look at the first bytes, some 4 KiB of them, and at the name."""
    by_name = _BY_ENDING.guess_type(f"x/{name}")[0] if name else None
    return Look(head=head, sightings=tuple(_sightings(head)), by_name=by_name)


def _sightings(head: bytes) -> list[Sighting]:
    import puremagic  # noqa: PLC0415 - its table takes more than a megabyte in each process

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return []
    named = [
        Sighting(mime_type=each.mime_type, confidence=each.confidence) for each in found if each.mime_type
    ]
    return sorted(named, key=lambda each: -each.confidence)
