"""Texts with a form of their own, in the one spelling that providers are given: phone numbers, instants, addresses."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Final

from hub.rules.phone_numbers import look_up

#: Of 2001; whatever is less is no count of milliseconds that an event has.
_FIRST_MS: Final = 1_000_000_000_000
_LAST_MS: Final = 253_402_300_799_999
_EMAIL: Final = re.compile(r"[^\s@<>,;:\"()]{1,64}@[^\s@<>,;:\"()]{1,190}\.[^\s@.<>,;:\"()]{2,63}")
_URL: Final = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


class Misspelt(ValueError):
    """The text does not have the form; the message says what it is to be."""


def e164(value: str) -> str:
    """Spell a phone number as +14155550123."""
    digits = value.strip()
    written = f"+{digits}" if digits.isascii() and digits.isdigit() and not digits.startswith("0") else digits
    found = look_up(written).e164 if written.startswith("+") else None
    if found is None:
        raise Misspelt('it is no phone number with its country, such as "+14155550123"')
    return found


def email(value: str) -> str:
    """Take an e-mail address as it is, without blanks around it."""
    text = value.strip()
    if len(text) > 254 or _EMAIL.fullmatch(text) is None:
        raise Misspelt("it is no e-mail address, such as ann@example.com")
    return text


def instant(value: str) -> str:
    """Spell an instant as 2026-08-21T10:00:00.000Z; it comes so, or as Unix milliseconds, which events have."""
    text = value.strip()
    is_count = text.isascii() and text.isdigit() and len(text) <= 15 and _FIRST_MS <= int(text) <= _LAST_MS
    moment = datetime.fromtimestamp(int(text) / 1000, UTC) if is_count else _written_instant(text)
    if moment is None or moment.tzinfo is None:
        raise Misspelt("it is no instant, such as 2026-08-21T10:00:00Z or Unix milliseconds")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _written_instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def day(value: str) -> str:
    """Take a day as it is."""
    try:
        return date.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise Misspelt("it is no day, such as 2026-08-21") from None


def uri(value: str) -> str:
    """Take the address of a page as it is."""
    text = value.strip()
    if len(text) > 8_192 or _URL.fullmatch(text) is None:
        raise Misspelt("it is no address, such as https://example.com/page")
    return text


def html(value: str) -> str:
    """Take markup as it is; the word tells people that tags mean something here."""
    return value


#: By the name that schemas use.
SPELLINGS: Final[Mapping[str, Callable[[str], str]]] = {
    "date": day,
    "datetime": instant,
    "e164": e164,
    "email": email,
    "html": html,
    "uri": uri,
}
