"""The queries of contacts, each the range of an index that ends at a limit. Tests look at their plans."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_

from hub.flow.contact_store import ContactFilter, ContactOrder, ContactPlace
from hub.rules.chatkeys import DIRECT_PREFIX
from hub.store.schema import (
    chats,
    contact_group_members,
    contact_handles,
    contact_tags,
    contacts,
    lines,
)

_BY_NAME: Final = frozenset({ContactOrder.NAME_ASC, ContactOrder.NAME_DESC})
_DOWN: Final = frozenset({ContactOrder.RECENT, ContactOrder.NAME_DESC})

#: The direct chat with a handle.
_CHAT_KEY: Final = DIRECT_PREFIX + contact_handles.c.handle


def page(wanted: ContactFilter, after: ContactPlace | None, *, dialect: str) -> Select[Any]:
    """Give ids in order, with what a cursor needs; with lines, also whether each is visible."""
    number, name = _order_columns(wanted)
    columns: list[Any] = [number.label("id"), name.label("sort_name")]
    if wanted.line_ids is not None:
        columns.append(is_on(wanted.line_ids).label("is_visible"))
    query = select(*columns).select_from(_source(wanted)).where(*_conditions(wanted, number, dialect))
    keys = (name, number) if wanted.order in _BY_NAME else (number,)
    if after is not None:
        place = (after.sort_name, after.contact_id) if wanted.order in _BY_NAME else (after.contact_id,)
        left, right = (tuple_(*keys), tuple_(*place)) if len(keys) > 1 else (keys[0], place[0])
        query = query.where(left < right if wanted.order in _DOWN else left > right)
    return query.order_by(*(key.desc() if wanted.order in _DOWN else key.asc() for key in keys))


def page_at(wanted: ContactFilter, offset: int, *, dialect: str) -> Select[Any]:
    """Give a page's ids as `page` does, after so many that are visible."""
    query = page(wanted, None, dialect=dialect).offset(offset)
    return query if wanted.line_ids is None else query.where(is_on(wanted.line_ids))


def count(wanted: ContactFilter, *, dialect: str) -> Select[Any]:
    """Count what is on all pages."""
    number, _ = _order_columns(wanted)
    query = select(func.count()).select_from(_source(wanted)).where(*_conditions(wanted, number, dialect))
    return query if wanted.line_ids is None else query.where(is_on(wanted.line_ids))


def is_on(line_ids: Collection[int]) -> ColumnElement[bool]:
    """Tell whether a contact has a direct chat on one of the lines."""
    return exists(
        select(1)
        .select_from(contact_handles.join(chats, chats.c.chat_key == _CHAT_KEY))
        .where(contact_handles.c.contact_id == contacts.c.id, chats.c.line_id.in_(sorted(line_ids)))
    )


def last_messages(contact_ids: Collection[int], line_ids: Collection[int] | None) -> Select[Any]:
    """Give each contact's latest message, through the index of each line's chats."""
    of_line = (chats.c.line_id == lines.c.id) & (chats.c.chat_key == _CHAT_KEY)
    query = (
        select(contact_handles.c.contact_id, func.max(chats.c.last_message_at))
        .select_from(contact_handles.join(lines, lines.c.id > 0).join(chats, of_line))
        .where(contact_handles.c.contact_id.in_(sorted(contact_ids)))
        .group_by(contact_handles.c.contact_id)
    )
    return query if line_ids is None else query.where(lines.c.id.in_(sorted(line_ids)))


def latest_line(contact_id: int, line_ids: Collection[int]) -> Select[Any]:
    """Give the line on which a contact was last written with."""
    of_line = chats.c.line_id.in_(sorted(line_ids)) & (chats.c.chat_key == _CHAT_KEY)
    return (
        select(chats.c.line_id)
        .select_from(contact_handles.join(chats, of_line))
        .where(contact_handles.c.contact_id == contact_id)
        .order_by(func.coalesce(chats.c.last_message_at, 0).desc(), chats.c.id.desc())
        .limit(1)
    )


def chat_keys(needle: str, *, dialect: str) -> Select[Any]:
    """Give the keys of the direct chats with the contacts that are found."""
    return (
        select(_CHAT_KEY)
        .select_from(contact_handles.join(contacts, contacts.c.id == contact_handles.c.contact_id))
        .where(_holds(needle, dialect))
    )


def _holds(needle: str, dialect: str) -> ColumnElement[bool]:
    # A plain look for a substring: LIKE would cost several times as much.
    position = func.instr if dialect == "sqlite" else func.strpos
    return position(contacts.c.search, needle) > 0


def tags(after: str | None) -> Select[Any]:
    """Count each tag's contacts, by tag."""
    query = select(contact_tags.c.tag, func.count()).group_by(contact_tags.c.tag).order_by(contact_tags.c.tag)
    return query if after is None else query.where(contact_tags.c.tag > after)


def _source(wanted: ContactFilter) -> Any:
    if wanted.tags:
        return contact_tags.join(contacts, contacts.c.id == contact_tags.c.contact_id)
    if wanted.group_id is not None:
        return contact_group_members.join(contacts, contacts.c.id == contact_group_members.c.contact_id)
    return contacts


def _order_columns(wanted: ContactFilter) -> tuple[ColumnElement[int], ColumnElement[str]]:
    """The columns of the index that is walked: the tag's own, or the group's, where there is one."""
    if wanted.tags:
        return contact_tags.c.contact_id, contact_tags.c.sort_name
    if wanted.group_id is not None:
        return contact_group_members.c.contact_id, contacts.c.sort_name
    return contacts.c.id, contacts.c.sort_name


def _conditions(wanted: ContactFilter, number: ColumnElement[int], dialect: str) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.tags:
        found.append(contact_tags.c.tag == wanted.tags[0])
    for index, tag in enumerate(wanted.tags[1:]):
        other = contact_tags.alias(f"tag_{index}")
        found.append(exists(select(1).where(other.c.contact_id == number, other.c.tag == tag)))
    if wanted.group_id is not None:
        members = contact_group_members
        if wanted.tags:
            in_group = select(1).where(members.c.group_id == wanted.group_id, members.c.contact_id == number)
            found.append(exists(in_group))
        else:
            found.append(members.c.group_id == wanted.group_id)
    if wanted.needle:
        found.append(_holds(wanted.needle, dialect))
    return found
