"""Put something else in the place of what people wrote, so that a run can become a test that anybody may read.

A text or a word is kept only where it says nothing of anybody: where the route itself names it, or where it is a word
of the wire such as `imessage`. All else becomes its own shape: `Hi, I am Ada!` is `Xx, X xx Xxx!`. The same text
becomes the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

#: Fields whose values are words of the wire, if they look like one.
_WORDS: Final = frozenset(
    {"channel", "code", "currency", "direction", "effect", "event", "kind", "object", "reaction", "service"}
    | {"source", "state", "status", "timezone", "type"}
)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]{0,40}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_-]{0,60}", re.ASCII)
_PHONE: Final = re.compile(r"\+\d{7,15}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+")
_TOKEN: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"")
#: Larger ones may be numbers of people or of accounts.
_LARGEST: Final = 1_000_000
_TIMES: Final = ("_at", "_ms")


class Mask:
    """The masks of one run."""

    def __init__(self, route: object) -> None:
        """Learn what may stay.

        Args:
            route: The document of the route, as plain values.
        """
        self._kept = {_keyword(each) for each in _literals(route)} - {""}
        self._known: dict[str, str] = {}
        self._counts = {"phone": 0, "email": 0, "url": 0}

    def value(self, value: Any, key: str = "") -> Any:
        """Mask a value, and all that is in it."""
        if isinstance(value, str):
            return value if key in _WORDS and _WORD.fullmatch(value) else self.text(value)
        if isinstance(value, Mapping):
            return {
                name if _NAME.fullmatch(name) else self.text(name): self.value(each, name)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.value(each, key) for each in value]
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return value
        return value if abs(value) < _LARGEST or key.endswith(_TIMES) else _LARGEST

    def text(self, text: str) -> str:
        """Mask a text."""
        if _keyword(text) in self._kept or not text.strip():
            return text
        if text not in self._known:
            self._known[text] = self._masked(text)
        return self._known[text]

    def _masked(self, text: str) -> str:
        if _PHONE.fullmatch(text):
            return f"+1415555{self._next('phone') + 100:04d}"
        if _EMAIL.fullmatch(text):
            return f"person{self._next('email')}@example.com"
        if text.startswith(("http://", "https://")):
            return f"https://example.com/{self._next('url')}"
        return _TOKEN.sub(self._word, text)

    def _word(self, found: re.Match[str]) -> str:
        """Mask one word of a text, unless the route names it."""
        return found[0] if found[0].casefold() in self._kept else "".join(map(_shape, found[0]))

    def _next(self, kind: str) -> int:
        self._counts[kind] += 1
        return self._counts[kind]


def _shape(sign: str) -> str:
    if sign.isalpha():
        return "X" if sign.isupper() else "x"
    return "0" if sign.isnumeric() else sign


def _keyword(text: str) -> str:
    return re.sub(r"^\W+|\W+$", "", text.casefold())


def _literals(value: object) -> Iterator[str]:
    """Give the texts of a document, and those in quotes within its expressions."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _literals(each)
    elif isinstance(value, list):
        for each in value:
            yield from _literals(each)
    elif isinstance(value, str):
        yield value
        for found in _QUOTED.findall(value):
            yield found[0] or found[1]
