"""What type a file has: what its sender declares counts as far as its first bytes do not say otherwise.

Types decide how phones show an attachment and what browsers dare to run, so a claim that the bytes contradict is
dropped. Not here: the search for known beginnings (hub.files.sniffing).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"

_FORM: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}")
#: Another spelling → the usual one.
_ALIASES: Final = {
    "application/x-gzip": "application/gzip",
    "application/x-pdf": "application/pdf",
    "application/x-zip-compressed": "application/zip",
    "audio/aiff": "audio/x-aiff",
    "audio/m4a": "audio/mp4",
    "audio/mp3": "audio/mpeg",
    "audio/vnd.wave": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/x-m4a": "audio/mp4",
    "audio/x-wav": "audio/wav",
    "image/heif": "image/heic",
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "text/directory": "text/vcard",
    "text/x-vcard": "text/vcard",
    "video/x-m4v": "video/mp4",
}
#: Types that hold one another: the bytes tell only the container.
_KIN: Final = (
    frozenset(
        {"audio/mp4", "video/mp4", "video/quicktime", "video/3gpp", "audio/3gpp", "image/heic", "image/avif"}
    ),
    frozenset({"audio/ogg", "video/ogg", "application/ogg", "audio/opus"}),
    frozenset({"audio/webm", "video/webm", "video/x-matroska"}),
)
#: A type with one of these marks is a ZIP file inside.
_ZIPPED: Final = re.compile(
    r"application/(?:zip|epub\+zip|java-archive|vnd\.(?:openxmlformats-|oasis\.opendocument|apple\.|android\.).*|.*\+zip)"
)
#: Types whose beginning is always known: without it they are something else.
_ALWAYS_KNOWN: Final = frozenset(
    {"application/gzip", "application/pdf", "application/zip", "audio/wav", "image/bmp", "image/gif", "image/heic",
     "image/jpeg", "image/png", "image/tiff", "image/webp", "video/quicktime", "video/webm"}
)  # fmt: skip
_TEXTUAL: Final = re.compile(
    r"text/.*|.*\+(?:json|xml)|image/svg\+xml|message/.*|application/(?:json|xml|javascript|x-sh|yaml|x-yaml|x-ndjson|rtf|"
    r"toml|sql|pgp-keys|pgp-signature|x-www-form-urlencoded)"
)
#: What a browser may show by itself; all else is offered for saving.
_SHOWN: Final = re.compile(r"image/(?:png|jpeg|gif|webp|heic|avif|bmp)|audio/.*|video/.*|text/plain")
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SURE: Final = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Sighting:
    """A type whose beginning fits, and how much that says (0 to 1)."""

    mime_type: str
    confidence: float


def usual_type(text: str | None) -> str | None:
    """Give a declared type without parameters in its usual spelling; None if it is none or says nothing."""
    if text is None:
        return None
    plain = text.partition(";")[0].strip().lower()
    plain = _ALIASES.get(plain, plain)
    return plain if _FORM.fullmatch(plain) and plain != UNKNOWN else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a file looks like."""

    head: bytes
    #: By its first bytes, likeliest first.
    sightings: tuple[Sighting, ...] = ()
    #: By the ending of its name, which declares a type if nothing else does.
    by_name: str | None = None


def settle_type(declared: str | None, look: Look) -> str:
    """Decide a file's type.

    Args:
        declared: As the sender has it, or None.
        look: What the file looks like.
    """
    head, wanted = look.head, usual_type(declared) or usual_type(look.by_name)
    seen = [
        (usual, each.confidence)
        for each in look.sightings
        if (usual := usual_type(each.mime_type)) is not None
    ]
    if wanted is None:
        return _undeclared(head, seen)
    if any(_fits(wanted, usual) for usual, _ in seen):
        return wanted
    is_textual, is_text = _TEXTUAL.fullmatch(wanted) is not None, looks_like_text(head)
    if is_textual and is_text:
        return wanted
    if is_textual or is_text or wanted in _ALWAYS_KNOWN or (seen and seen[0][1] >= _SURE):
        return _undeclared(head, seen)
    return wanted


def _undeclared(head: bytes, seen: Sequence[tuple[str, float]]) -> str:
    if looks_like_text(head):
        # Words that begin like a page are words: calling them a page would let a browser run them.
        harmless = [usual for usual, _ in seen if usual in {"text/vcard", "text/calendar", "application/pdf"}]
        return harmless[0] if harmless else TEXT
    if any(_ZIPPED.fullmatch(usual) for usual, _ in seen):
        return "application/zip"
    binary = [usual for usual, _ in seen if not _TEXTUAL.fullmatch(usual)]
    return binary[0] if binary else UNKNOWN


def _fits(wanted: str, seen: str) -> bool:
    if wanted == seen or any(wanted in kin and seen in kin for kin in _KIN):
        return True
    return bool(_ZIPPED.fullmatch(wanted) and _ZIPPED.fullmatch(seen))


def looks_like_text(head: bytes) -> bool:
    """Tell whether the first bytes are UTF-8 without control characters; they may end within a character."""
    if _CONTROLS.search(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data" and len(head) - error.start < 4
    return True


def may_be_shown(mime_type: str) -> bool:
    """Tell whether a browser may show the type by itself: nothing that could run."""
    return _SHOWN.fullmatch(mime_type) is not None
