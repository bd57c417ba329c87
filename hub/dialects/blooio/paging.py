"""Lists: `limit` and `offset`, and both envelopes that the vendor documents, in one body (contracts: blooio §1, §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from hub.api.paging import MOST_OFFSET
from hub.dialects.blooio.errors import Refusal

Thing = TypeVar("Thing")

DEFAULT_LIMIT: Final = 50
MOST_LIMIT: Final = 200

Limit = Annotated[int, Meta(ge=1, le=MOST_LIMIT)]
#: As far as the native lists count.
Offset = Annotated[int, Meta(ge=0, le=MOST_OFFSET)]


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page."""

    limit: Limit = DEFAULT_LIMIT
    offset: Offset = 0


class Pagination(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page stands, as the reference and the SDK have it."""

    limit: int
    offset: int
    total: int


class Paged(msgspec.Struct, Generic[Thing], frozen=True, kw_only=True):
    """What every list answers beside the list under its own name (`chats`, `messages`, …)."""

    pagination: Pagination
    #: From here on as the vendor's guide has it: the list again, and all things counted.
    data: Sequence[Thing]
    count: int
    limit: int
    offset: int


def paged(things: Sequence[Any], query: PageQuery, total: int) -> dict[str, Any]:
    """Give the fields of `Paged`: `ChatList(chats=chats, **paged(chats, call.query, total))`."""
    return {
        "pagination": Pagination(limit=query.limit, offset=query.offset, total=total),
        "data": things,
        "count": total,
        "limit": query.limit,
        "offset": query.offset,
    }


def read_sort(text: str, known: Mapping[str, str]) -> str:
    """Read `sort`.

    Args:
        text: As the caller has it.
        known: The vendor's words → the native ones.

    Raises:
        Refusal: 400 for another word.
    """
    found = known.get(text.lower())
    if found is None:
        raise Refusal(400, f"'sort' must be one of {', '.join(known)}.", field="sort")
    return found
