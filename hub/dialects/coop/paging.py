"""Pages by number: `page` and `limit` in, `{"data", "pagination"}` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Meta

from hub.api.calls import Call, Listed
from hub.dialects.coop.errors import in_their_words
from hub.dialects.native import ask

Item = TypeVar("Item")
Shape = TypeVar("Shape")

PageNumber = Annotated[int, Meta(ge=1, le=1_000_000_000)]
PageLimit = Annotated[int, Meta(ge=1, le=100)]
DEFAULT_LIMIT: Final = 20


class PageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which page."""

    page: PageNumber = 1
    limit: PageLimit = DEFAULT_LIMIT


class Pagination(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a page is among all."""

    page: int
    limit: int
    total: int
    total_pages: int


class Paged(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """A page of things."""

    data: list[Item]
    pagination: Pagination


class Found(msgspec.Struct, Generic[Item], frozen=True, kw_only=True):
    """All there is, where there are few."""

    data: list[Item]


async def ask_page(
    call: Call[Any, Any],
    name: str,
    shape: type[Shape],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any],
    names: Mapping[str, str],
) -> tuple[list[Shape], Pagination]:
    """Ask a native list for the page that a query names.

    Args:
        call: Its query has `page` and `limit`.
        name: The native endpoint.
        shape: Of the things in the list.
        path: The names in its path.
        query: What restricts the list, under native names.
        names: Native query parameters → theirs.

    Raises:
        InvalidRequest: As the native endpoint says, in their words.
    """
    page, limit = call.query.page, call.query.limit
    wanted = {**query, "limit": limit, "offset": (page - 1) * limit, "include_total": True}
    with in_their_words({**names, "offset": "page"}):
        content = (await ask(call, name, Listed, path=path, query=wanted)).content
    total = content.total if isinstance(content.total, int) else 0
    return [read(each, shape) for each in content.data], pagination_of(page, limit, total)


def pagination_of(page: int, limit: int, total: int) -> Pagination:
    """Say where a page is."""
    return Pagination(page=page, limit=limit, total=total, total_pages=-(-total // limit))


def read(thing: Any, shape: type[Shape]) -> Shape:
    """Read a thing of a native list, which may be written already."""
    if isinstance(thing, msgspec.Raw):
        return msgspec.json.decode(thing, type=shape)
    return msgspec.convert(thing, shape, from_attributes=True)
