"""Messages counted by chat or by line: one statement for all of them, answered by an index alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, Select, bindparam, case, func, select

from hub.flow.message_counts import MessageCounts
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.message_pages import IS_VISIBLE
from hub.store.schema import messages

_at, _is_ours = messages.c.sent_at, messages.c.is_from_me
_ENDLESS: Final = 1 << 62


@cache
def counting(owner: str) -> Select[Any]:
    """Give the statement for each owner in `ids`: a row of the fields of MessageCounts, after the owner's id.

    Args:
        owner: `chat_id` or `line_id`.
    """
    column, outbound = messages.c[owner], func.sum(_is_ours)
    return (
        select(
            column,
            func.count() - outbound,
            outbound,
            func.min(_at),
            func.max(_at),
            func.max(case((_is_ours == 0, _at))),
            func.max(case((_is_ours == 1, _at))),
        )
        .where(among(column, "ids"), IS_VISIBLE)
        .where(_at >= bindparam("since", type_=BigInteger), _at < bindparam("until", type_=BigInteger))
        .group_by(column)
    )


async def count_by(
    database: Database, owner: str, ids: Sequence[int], *, since: int | None = None, until: int | None = None
) -> dict[int, MessageCounts]:
    """Count the messages of each owner; one without any has its zeros, too.

    Args:
        database: Where they are.
        owner: `chat_id` or `line_id`.
        ids: Whose.
        since: Unix ms; from then on.
        until: Unix ms; before then.
    """
    values = {"ids": list(ids), "since": since or 0, "until": _ENDLESS if until is None else until}
    found = dict.fromkeys(ids, MessageCounts())
    for number, *counted in await database.look_up(counting(owner), values):
        inbound, outbound, *instants = counted
        found[number] = MessageCounts(
            inbound=int(inbound),
            outbound=int(outbound),
            first_at=instants[0],
            last_at=instants[1],
            last_inbound_at=instants[2],
            last_outbound_at=instants[3],
        )
    return found
