"""One spelling for each handle and each chat, so that two bridges, or two services, meet in one row.

`iMessage;-;+1 (555) 010-0001`, `SMS;-;+15550100001` and `any;-;+15550100001` are one conversation:
`dm:+15550100001`.
Not here: guessing a country. A national number stays as it is written, because a wrong `+` is another person.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

DIRECT_PREFIX: Final = "dm:"

#: What people and phone books put between digits, no-break space included.
_SEPARATORS: Final = re.compile(r"[\s().\-\u00a0\u2010-\u2015\u202a-\u202e]+")
_DIGITS: Final = re.compile(r"[0-9]+")
#: E.164 allows 15 digits. Below 11 without a `+`, a number may be a short code or a national one.
_INTERNATIONAL: Final = re.compile(r"[0-9]{11,15}")
#: Apple's chat guids: service, `-` for direct or `+` for a group, then the identifier.
_APPLE_GUID: Final = re.compile(r"(?i:any|iMessage|iMessageLite|SMS|RCS);([-+]);(.+)", re.DOTALL)


@lru_cache(maxsize=16_384)
def normalize_handle(handle: str) -> str:
    """Spell a handle our way: `+` and digits for a phone number, lower case for a mail address.

    Short codes, national numbers, alphanumeric senders and ids of other networks stay as they are.
    """
    text = handle.strip()
    if "@" in text:
        return text.lower()
    digits = _SEPARATORS.sub("", text)
    if digits.startswith("+"):
        return digits if _DIGITS.fullmatch(digits, 1) else text
    if not _DIGITS.fullmatch(digits):
        return text
    if digits.startswith("00") and _INTERNATIONAL.fullmatch(digits, 2):
        return "+" + digits[2:]
    if digits[0] != "0" and _INTERNATIONAL.fullmatch(digits):
        return "+" + digits
    return digits


def direct_chat_key(handle: str) -> str:
    """Give the key of the direct chat with a handle."""
    return DIRECT_PREFIX + normalize_handle(handle)


def handle_of(chat_key: str) -> str | None:
    """Give the other side of a direct chat; None for a group."""
    return chat_key[len(DIRECT_PREFIX) :] if chat_key.startswith(DIRECT_PREFIX) else None


@lru_cache(maxsize=16_384)
def normalize_chat_key(key: str, *, is_group: bool = False) -> str:
    """Spell a chat's key our way: `dm:` and the handle, or the group's own id without the service before it.

    An Apple guid says itself whether it names a group; any other text is believed to be what `is_group` says.
    """
    if key.startswith(DIRECT_PREFIX):
        return direct_chat_key(key[len(DIRECT_PREFIX) :])
    if (guid := _APPLE_GUID.fullmatch(key)) is not None:
        mark, tail = guid.groups()
        return str(tail) if mark == "+" else direct_chat_key(tail)
    return key if is_group else direct_chat_key(key)
