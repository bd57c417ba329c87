"""Pages by time: `before` is the oldest `created_at` received, so a page must not end within a millisecond.

Where more than one thing was made in the millisecond in which a page would end, the page ends before it; a page that
holds nothing else holds all of it, and is then longer than its `limit`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

Thing = TypeVar("Thing")

#: Gives so many things after a cursor, newest first, and the cursor of what follows them.
Fetch = Callable[[int, str | None], Awaitable[tuple[list[Thing], str | None]]]

#: Of one millisecond no more is shown.
MOST_AT_ONCE: Final = 1_000
_MOST_A_FETCH: Final = 100


async def page_by_time(
    fetch: Fetch[Thing], time_of: Callable[[Thing], int], *, limit: int
) -> tuple[list[Thing], bool]:
    """Give a page, and whether there is more."""
    things, cursor = await fetch(limit, None)
    if cursor is None:
        return things, False
    ends_at = time_of(things[-1])
    following, cursor = await fetch(1, cursor)
    if time_of(following[0]) != ends_at:
        return things, True
    earlier = [each for each in things if time_of(each) != ends_at]
    if earlier:
        return earlier, True
    things = [*things, *following]
    while cursor is not None and len(things) < MOST_AT_ONCE:
        following, cursor = await fetch(_MOST_A_FETCH, cursor)
        same = [each for each in following if time_of(each) == ends_at]
        things += same
        if len(same) < len(following):
            return things, True
    return things, cursor is not None
