"""What a search for words means, so that each database finds the same: a substring, whatever the case of its letters.

Databases lower letters by their own tables, if they go beyond ASCII at all. So they lower only ASCII, and are told,
letter by letter of the query, which other spellings stand for the same letter; each is one sign, as is the letter, and
no letter is a spelling of another. Accents, and signs that one table
composes and another does not, stay different. Not here: the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

MOST_QUERY: Final = 100
#: Blocks with letters of two cases; a test scans all the others.
_CASED: Final = (
    *range(0x80, 0x2E00),
    *range(0xA640, 0xAC00),
    *range(0xFF00, 0xFF60),
    *range(0x10400, 0x11900),
    *range(0x16E00, 0x16F00),
    *range(0x1E900, 0x1EA00),
)
_ASCII_LOWER: Final = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Needle:
    """A query ready to be looked for."""

    #: In lower case.
    text: str
    #: (spelling, letter): put the letter in place of each spelling in a text whose ASCII is lowered.
    spellings: tuple[tuple[str, str], ...]


def needle_of(query: str) -> Needle:
    """Prepare a query."""
    text = "".join(map(_folded, query.translate(_ASCII_LOWER)))
    known = _spellings()
    letters = dict.fromkeys(letter for letter in text if letter in known)
    return Needle(
        text=text, spellings=tuple((spelling, letter) for letter in letters for spelling in known[letter])
    )


def is_in(needle: Needle, text: str) -> bool:
    """Tell whether a text holds it: what each database must find."""
    lowered = text.translate(_ASCII_LOWER)
    for spelling, letter in needle.spellings:
        lowered = lowered.replace(spelling, letter)
    return needle.text in lowered


def _folded(letter: str) -> str:
    """Give the letter that stands for all cases of this one; ASCII and what would become longer stay as they are."""
    if letter.isascii():
        return letter
    for folded in (letter.casefold(), letter.lower()):
        if len(folded) == 1 and not folded.isascii():
            return folded
    return letter


@cache
def _spellings() -> Mapping[str, tuple[str, ...]]:
    """For each letter beyond ASCII, its other spellings, found once, at the first search."""
    found: dict[str, tuple[str, ...]] = {}
    for letter in map(chr, _CASED):
        if (folded := _folded(letter)) != letter:
            found[folded] = (*found.get(folded, ()), letter)
    return found
