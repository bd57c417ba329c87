"""Foreign JSON, tamed: each look gives a value of the type asked for, or none.

Not here: what the values mean (bridge.bluebubbles.reading).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

JSON = Mapping[str, Any]
NOTHING: Final[JSON] = {}
#: What no store can hold, or what stands for an attachment in the words.
_DROPPED: Final = {ord("\0"): None}
DAY_MS: Final = 86_400_000


_decode: Final = msgspec.json.Decoder().decode


def read_json(raw: bytes) -> Any:
    """Read JSON, halves of surrogate pairs and all (JavaScript writes them); None for what is none or bottomless."""
    try:
        return _decode(raw)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        pass
    try:
        return json.loads(raw.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def mapping(value: object) -> JSON:
    """The object, or an empty one."""
    return value if isinstance(value, Mapping) else NOTHING


def mappings(value: object) -> list[JSON]:
    """The objects of a list."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def text(of: JSON, name: str, *, most: int = 65_536) -> str | None:
    """A text that can be stored; none if it is empty or longer than `most`."""
    value = of.get(name)
    if not isinstance(value, str) or not value or len(value) > most:
        return None
    return clean(value) or None


def cut(of: JSON, name: str, *, most: int) -> str | None:
    """As `text`, but what is too long is cut."""
    value = of.get(name)
    return (clean(value[:most]) or None) if isinstance(value, str) else None


def clean(value: str) -> str:
    """Without NUL and halves of surrogate pairs."""
    value = value.translate(_DROPPED)
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode()
    return value


def number(of: JSON, name: str) -> int | None:
    """A whole number, as such or as text."""
    value = of.get(name)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) < 19 and value.lstrip("-").isdecimal() and value.isascii():
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else None


def date(of: JSON, name: str, *, now_ms: int) -> int | None:
    """A date in Unix ms; none where it cannot be true (chat.db holds absurd ones)."""
    value = number(of, name)
    return value if value is not None and 0 < value < now_ms + DAY_MS else None


def numbers(value: object, *, most: int) -> tuple[int, ...]:
    """The small whole numbers of a list, sorted, each once; text or not."""
    if not isinstance(value, list):
        return ()
    found = {number({"n": each}, "n") for each in value[:1024]}
    return tuple(sorted(each for each in found if each is not None and 0 <= each < most))
