"""Names of files as people and programs give them, made harmless; and as headers carry them.

A name is for showing. Nothing is ever stored under it, so it need not be unique; but receivers may save under it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote, unquote_to_bytes

#: In UTF-8: what usual file systems take.
MOST_BYTES: Final = 255
_MOST_EXTENSION: Final = 16
_MOST_HEADER_BYTES: Final = 4_096
_EXTENDED: Final = re.compile(r"(?i)(utf-8|iso-8859-1)'[^']*'(.*)", re.DOTALL)
_ESCAPED: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
#: Characters that make a name look like another one: marks of direction, and what shows nothing.
_UNSEEN: Final = frozenset(
    "\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
#: Not allowed on some file systems, or with a meaning in shells and headers.
_AWKWARD: Final = str.maketrans(dict.fromkeys('<>:"|?*\x7f', "_"))


def clean_name(text: str | None) -> str | None:
    """Make a name harmless: no path, no control characters, no leading dot, not too long. None if nothing is left."""
    if text is None:
        return None
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", text))[-1]
    shown = "".join(" " if each.isspace() else each for each in last if _is_shown(each))
    name = " ".join(shown.translate(_AWKWARD).split()).lstrip(". ").rstrip(". ")
    return _shortened(name) or None


def _is_shown(character: str) -> bool:
    if character in _UNSEEN:
        return False
    return character in "\t\n\r" or unicodedata.category(character) not in {"Cc", "Cs", "Co", "Cn"}


def _shortened(name: str) -> str:
    """Cut the middle out: what a file is called begins a name, and what it is ends it."""
    if len(name.encode()) <= MOST_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension.encode()) > _MOST_EXTENSION:
        stem, dot, extension = name, "", ""
    room = MOST_BYTES - len((dot + extension).encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + extension


def read_name_header(value: bytes) -> str | None:
    """Read a name from a header: plain (UTF-8 or Latin-1), percent-encoded UTF-8, or as RFC 5987 has it."""
    text = value[:_MOST_HEADER_BYTES].strip()
    if len(text) >= 2 and text[:1] == text[-1:] == b'"':
        text = text[1:-1]
    extended = _EXTENDED.fullmatch(text.decode("latin-1"))
    if extended is not None:
        raw = unquote_to_bytes(extended[2].encode("latin-1"))
        return clean_name(_decoded(raw) if extended[1].lower() == "utf-8" else raw.decode("latin-1"))
    if _ESCAPED.search(text) and not _BAD_ESCAPE.search(text):
        try:
            return clean_name(unquote_to_bytes(text).decode())
        except UnicodeDecodeError:
            pass
    return clean_name(_decoded(text))


_DISPOSITION: Final = re.compile(
    rb"""
    ;[ \t]* (?P<key>filename\*?) [ \t]*=[ \t]*
    (?: "(?P<quoted>(?:[^"\\]|\\.){0,1024})" | (?P<plain>[^;"]{0,1024}) )
    """,
    re.IGNORECASE | re.VERBOSE,
)


def read_disposition_name(value: bytes) -> str | None:
    """Read the name out of a Content-Disposition; `filename*` beats `filename`."""
    names: dict[str, bytes] = {}
    for found in _DISPOSITION.finditer(value[:_MOST_HEADER_BYTES]):
        quoted = found["quoted"]
        text = found["plain"] if quoted is None else re.sub(rb"\\(.)", rb"\1", quoted)
        names.setdefault(found["key"].decode("ascii").lower(), text)
    name = names.get("filename*") or names.get("filename")
    return None if name is None else read_name_header(name)


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def content_disposition(kind: str, name: str | None) -> str:
    """Give the header's value, in ASCII: `attachment; filename="a.txt"; filename*=UTF-8''…` where ASCII does not do."""
    if not name:
        return kind
    plain = "".join(each if " " <= each <= "~" and each not in '"\\%' else "_" for each in name)
    value = f'{kind}; filename="{plain}"'
    return value if plain == name else f"{value}; filename*=UTF-8''{quote(name, safe='')}"
