"""Cursors of contacts and tags: where a page ends, by name or by id. As opaque as all cursors (hub.api.paging)."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.flow.contact_store import ContactPlace
from hub.model.errors import InvalidRequest

_Text = Annotated[str, Meta(max_length=200)]
_PLACE: Final = msgspec.json.Decoder(tuple[Annotated[int, Meta(ge=0, le=2**63 - 1)], _Text])
_TEXT: Final = msgspec.json.Decoder(tuple[_Text])


def write_place(place: ContactPlace | None) -> str | None:
    """Make the cursor of the page after this place."""
    return None if place is None else _written(place)


def read_place(text: str | None) -> ContactPlace | None:
    """Give the place in a cursor; None without one.

    Raises:
        InvalidRequest: It is none of ours.
    """
    return None if text is None else ContactPlace(*_read(text, _PLACE))


def write_text(text: str) -> str:
    """Make the cursor of the page after a word."""
    return _written((text,))


def read_text(text: str | None) -> str | None:
    """Give the word in a cursor; None without one.

    Raises:
        InvalidRequest: It is none of ours.
    """
    return None if text is None else str(_read(text, _TEXT)[0])


def _written(keys: tuple[Any, ...]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(keys)).decode().rstrip("=")


def _read(text: str, decoder: msgspec.json.Decoder[Any]) -> tuple[Any, ...]:
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        keys: tuple[Any, ...] = decoder.decode(raw)
    except (binascii.Error, UnicodeError, msgspec.MsgspecError, ValueError):
        keys = ()
    if not keys or any(isinstance(key, str) and "\0" in key for key in keys):
        message = "'cursor' must be the 'next_cursor' of the page before."
        raise InvalidRequest("invalid_parameter_value", message, param="cursor")
    return keys
