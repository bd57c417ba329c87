"""Messages counted by chat or by line: one statement for all of them, answered by an index alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.sql.selectable import NamedFromClause

from hub.flow.message_counts import MessageCounts
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.message_pages import is_visible
from hub.store.schema import messages

_ENDLESS: Final = 1 << 62
#: A second look at the same messages, for the first and the last of an owner.
_others: Final = messages.alias("others")


@cache
def counting(owner: str) -> Select[Any]:
    """Give the statement for each owner in `ids`: a row of the fields of MessageCounts, after the owner's id.

    Only what must be is gathered from every entry; the ends are looked up, which takes a third of the time.

    Args:
        owner: `chat_id` or `line_id`.
    """
    column, outbound = messages.c[owner], func.sum(messages.c.is_from_me)
    inbound = func.count() - outbound
    last = _others.c.sent_at.desc()
    return (
        select(
            column,
            inbound,
            outbound,
            _end(owner, _others.c.sent_at),
            _end(owner, last),
            case((inbound > 0, _end(owner, last, _others.c.is_from_me == 0))),
            case((outbound > 0, _end(owner, last, _others.c.is_from_me == 1))),
        )
        .where(among(column, "ids"), *_listed(messages))
        .group_by(column)
    )


def _listed(table: NamedFromClause[Any]) -> tuple[ColumnElement[bool], ...]:
    """What a list of messages shows, within a time."""
    since, until = bindparam("since", type_=BigInteger), bindparam("until", type_=BigInteger)
    return is_visible(table.name), table.c.sent_at >= since, table.c.sent_at < until


def _end(owner: str, order: ColumnElement[Any], *more: ColumnElement[bool]) -> ColumnElement[Any]:
    """The instant of an owner's message that comes first in an order."""
    found = select(_others.c.sent_at).where(_others.c[owner] == messages.c[owner], *_listed(_others), *more)
    return found.order_by(order).limit(1).correlate(messages).scalar_subquery()


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
