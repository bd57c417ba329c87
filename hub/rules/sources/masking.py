"""What is kept of a request that was turned away: enough to see what came, too little to use or to embarrass.

Whoever was turned away may be anybody, and may have sent anything: other people's data, or a secret meant for us.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from hub.rules.sources.bodies import loosely_read, read_form
from hub.rules.sources.model import Refused

MOST_BODY_CHARACTERS: Final = 2_000
MOST_HEADERS: Final = 40
_LONGEST_VALUE: Final = 200
#: Characters of a text that stay.
_SHOWN: Final = 12
_SHOWN_OF_SECRET: Final = 4
_HIDDEN: Final = "***"
#: Headers that say how something was sent, not what; of all others a beginning stays.
_OPEN_HEADERS: Final = frozenset(
    {"accept", "content-encoding", "content-length", "content-type", "date", "host", "user-agent"}
)
_SECRET: Final = re.compile(r"auth|cookie|key|pass|secret|sig|token", re.IGNORECASE)
_TIME: Final = re.compile(r"timestamp|^date$", re.IGNORECASE)
_MOST_ITEMS: Final = 5
_MOST_DEPTH: Final = 8


def masked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Give names and as much of the values as helps."""
    return {_cut(name, 100): _header(name, value) for name, value in sorted(headers.items())[:MOST_HEADERS]}


def _header(name: str, value: str) -> str:
    if name in _OPEN_HEADERS or _TIME.search(name):
        return _cut(value, _LONGEST_VALUE)
    return _cut(value, _SHOWN_OF_SECRET if _SECRET.search(name) else _SHOWN * 4)


def masked_body(body: bytes) -> str:
    """Give the form of a body: names and numbers, and of each text the beginning."""
    found = loosely_read(body)
    if isinstance(found, (dict, list)):
        return _cut(msgspec.json.encode(_masked(found, 0)).decode(), MOST_BODY_CHARACTERS)
    form = read_form(body) if b"=" in body and b"<" not in body[:1] else None
    if form and not isinstance(form, Refused):
        return _cut(msgspec.json.encode(_masked(form, 0)).decode(), MOST_BODY_CHARACTERS)
    return _cut(body[: _SHOWN * 4].decode("utf-8", "replace").replace("\0", "�"), _SHOWN)


def _masked(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _cut(value, _SHOWN)
    if isinstance(value, dict):
        if depth == _MOST_DEPTH:
            return {"…": len(value)}
        return {
            _cut(name, _SHOWN * 4): _HIDDEN
            if _SECRET.search(name) and _is_plain(each)
            else _masked(each, depth + 1)
            for name, each in value.items()
        }
    if isinstance(value, list):
        kept = [] if depth == _MOST_DEPTH else [_masked(each, depth + 1) for each in value[:_MOST_ITEMS]]
        return kept if len(kept) == len(value) else [*kept, f"… {len(value)} items"]
    return value


def _is_plain(value: Any) -> bool:
    return not isinstance(value, (dict, list))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
