"""Pages: `limit`, and an opaque `cursor` that says after which row the next page begins; or a plain `offset`.

A cursor is base64url of JSON. It is not signed: it names rows, and what a caller may see is checked on each page.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Final, Protocol, TypeVar

import msgspec
from msgspec import Meta

from hub.model.errors import InvalidRequest

Row = TypeVar("Row")

DEFAULT_LIMIT: Final = 50
MOST_LIMIT: Final = 100
MOST_OFFSET: Final = 100_000

Limit = Annotated[int, Meta(ge=1, le=MOST_LIMIT, description="How many at the most, 1 to 100.")]
CursorText = Annotated[
    str, Meta(min_length=1, max_length=512, description="`next_cursor` of the page before.")
]
Offset = Annotated[
    int,
    Meta(
        ge=0,
        le=MOST_OFFSET,
        description="Begin after so many, instead of at a `cursor`. What arrives meanwhile shifts such pages.",
    ),
]
IncludeTotal = Annotated[bool, Meta(description="Count all that there are, on all pages: `total`.")]

#: No id is as large; so what comes after a key still fits into 63 bits.
_Keys = tuple[Annotated[int, Meta(ge=0, le=2**63 - 2)], ...]
_decoder: Final = msgspec.json.Decoder(dict[str, _Keys])


def write_cursor(*keys: int) -> str:
    """Make the cursor of the page after the row with these keys."""
    return base64.urlsafe_b64encode(msgspec.json.encode({"after": keys})).decode().rstrip("=")


def read_cursor(text: str | None, *, count: int) -> tuple[int, ...] | None:
    """Give the keys in a cursor; None without one.

    Raises:
        InvalidRequest: It is none of ours.
    """
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        keys = _decoder.decode(raw)["after"]
    except (binascii.Error, UnicodeError, msgspec.MsgspecError, KeyError, ValueError):
        keys = ()
    if len(keys) != count:
        raise InvalidRequest(
            "invalid_parameter_value",
            "'cursor' must be the 'next_cursor' of the page before.",
            param="cursor",
        )
    return keys


def read_id_cursor(text: str | None) -> int | None:
    """Give the id in a cursor of one key."""
    keys = read_cursor(text, count=1)
    return None if keys is None else keys[0]


class Places(Protocol):
    """A query that may name a place by a cursor or by an offset."""

    @property
    def cursor(self) -> str | None: ...
    @property
    def offset(self) -> int | None: ...


def read_offset(query: Places) -> int | None:
    """Give how many rows come before the page; None where no offset is asked for.

    Raises:
        InvalidRequest: A cursor is given, too.
    """
    if query.offset is not None and query.cursor is not None:
        raise InvalidRequest(
            "invalid_parameter_value",
            "'offset' and 'cursor' each say where the page begins: give one of them.",
            param="offset",
        )
    return query.offset


def split_page(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], bool]:
    """Cut off the one row that was fetched to see whether there is more."""
    return rows[:limit], len(rows) > limit
