"""Handles as the vendor takes them: a phone number in E.164, or a mail address."""

from __future__ import annotations

import re
from typing import Final

from hub.dialects.msgbubbles.errors import Refused

_HANDLE: Final = re.compile(r"\+[1-9][0-9]{6,14}|[^@\s]{1,64}@[^@\s]{1,255}", re.ASCII)


def require_handle(text: str, *, param: str) -> str:
    """Give a handle back.

    Raises:
        Refused: invalid_handle.
    """
    if not _HANDLE.fullmatch(text):
        message = f"'{param}' must be a phone number in E.164 (+15555550123) or an iMessage email."
        raise Refused("invalid_handle", message)
    return text


def with_plus(text: str) -> str:
    """Give a number its `+` back, which a query turns into a blank unless it was written as %2B."""
    return f"+{text[1:]}" if text.startswith(" ") else text
