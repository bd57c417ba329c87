"""Tapbacks: rows whose `associatedMessageType` says which, and whether they were taken back. Pure.

1.9.9 names the six (`love` … `question`, `-love` …) and gives every other number as text: 2006 is any emoji, which
stands only in the words (`Reacted 🎉 to “…”`), 2007 a sticker; 3006 and 3007 take them back; 4000 is a vote in a poll.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bridge.bluebubbles.shapes import JSON, text
from hub.model.observation import ObservedReaction
from hub.rules.capabilities import STANDARD_REACTIONS

_EMOJI: Final = frozenset({"2006", "3006"})
_STICKER: Final = frozenset({"2007", "3007"})
_TARGET: Final = re.compile(r"(?:p:(?P<part>\d{1,3})/|bp:)?(?P<guid>.{1,512})", re.DOTALL | re.ASCII)
#: A sign with its joiners and modifiers; keycaps begin with a digit.
_SIGNS: Final = re.compile(
    r"[0-9#*]\ufe0f?\u20e3|(?:[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]"
    r"[\u200d\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u2640\u2642\u2695-\u2708\u2764\U0001f000-\U0001faff]*)"
)
_QUOTES: Final = re.compile(r"[\u201c\u201e\u00ab\"]")


class Tapback(NamedTuple):
    """What was put on which message."""

    target: str
    reaction: ObservedReaction
    is_removed: bool


def target_of(of: JSON) -> str | None:
    """The message that a row is on: `p:0/GUID`, `bp:GUID` or GUID."""
    return _target_in(of)[0]


def _target_in(of: JSON) -> tuple[str | None, int]:
    """Give the message, and which part of it."""
    found = _TARGET.fullmatch(text(of, "associatedMessageGuid", most=520) or "")
    return (None, 0) if found is None else (found["guid"], int(found["part"] or 0))


def tapback_of(of: JSON, guid: str) -> Tapback | None:
    """Read a row as a tapback; none if it is something else."""
    named = of.get("associatedMessageType")
    target, part = _target_in(of)
    if not isinstance(named, str) or target is None:
        return None
    name = named.removeprefix("-")
    if name in STANDARD_REACTIONS:
        standard = ObservedReaction(type=name, provider_id=guid, part=part)
        return Tapback(target, standard, named.startswith("-"))
    if named in _EMOJI:
        emoji = emoji_in(text(of, "text") or "")
        shown = ObservedReaction(type="emoji", emoji=emoji, provider_id=guid, part=part)
        return Tapback(target, shown, named == "3006")
    if named in _STICKER:
        sticker = ObservedReaction(type="sticker", provider_id=guid, part=part)
        return Tapback(target, sticker, named == "3007")
    return None


def emoji_in(words: str) -> str | None:
    """Find the emoji of a tapback in its words, whatever their language: the first that stands before the quotation."""
    before = _QUOTES.split(words[:512], maxsplit=1)[0]
    found = _SIGNS.search(before)
    return found[0][:64] if found is not None else None
