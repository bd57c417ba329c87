"""Text of a network as the normal form takes it: well-formed Unicode, without NUL, within its limits."""

from __future__ import annotations

from typing import Final

MOST_TEXT: Final = 65_536
_LABEL: Final = 1024


def clean(text: str, *, most: int = MOST_TEXT) -> str:
    """Give the text without NUL and halves of surrogate pairs, cut at `most` characters."""
    if "\0" in text:
        text = text.replace("\0", "")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text[:most]


def label(value: object, *, most: int = _LABEL) -> str | None:
    """Give a name, a title or the like; None for none and for what is no text."""
    return clean(value, most=most) or None if isinstance(value, str) else None


def identifier(value: object, *, most: int = 512) -> str | None:
    """Give a guid or a handle; None for what is none or too long: cut, it would name something else."""
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        return None
    return value.strip() if clean(value) == value else None


def redacted(text: str) -> str:
    """Shorten numbers and addresses, for reports that people pass on."""
    words = []
    for word in text.split(" "):
        digits = sum(character.isdigit() for character in word)
        if "@" in word or (digits >= 7 and not word.replace(".", "").isalpha()):
            words.append(f"{word[:3]}…{word[-2:]}")
        else:
            words.append(word)
    return " ".join(words)
