"""/v1/contact-groups: named lists of contacts, for sends to many. No chats: nobody in one knows of the others."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply, path_id
from hub.api.contact_shapes import ContactReference, ContactReply, contacts_page
from hub.api.paging import (
    DEFAULT_LIMIT,
    CursorText,
    IncludeTotal,
    Limit,
    Offset,
    read_id_cursor,
    read_offset,
    split_page,
    write_cursor,
)
from hub.flow.contact_store import ContactFilter, ContactOrder
from hub.flow.contacts import REFUSED, require_unrestricted
from hub.model.contact import ContactGroup
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from hub.rules.contacts import read_line
from hub.rules.problems import Problem

LONGEST_NAME: Final = 200
MOST_MEMBERS: Final = 1_000

GroupName = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]
ContactIds = Annotated[
    tuple[ContactReference, ...],
    Meta(max_length=MOST_MEMBERS, description="`ct_` ids or handles of contacts."),
]


class NewContactGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A list to make."""

    name: GroupName
    contact_ids: ContactIds = ()


class GroupChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another name."""

    name: GroupName


class NewMembers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Contacts to add."""

    contact_ids: Annotated[ContactIds, Meta(min_length=1)]


class GroupsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of lists."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class MembersQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of members."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False
    #: `recent`: the contact made last comes first.
    sort: Literal["recent", "oldest", "name_asc", "name_desc"] = "recent"


class ContactGroupReply(msgspec.Struct, frozen=True, kw_only=True):
    """A list of contacts."""

    id: str
    name: str
    contacts: int
    created_at: int
    updated_at: int


class OneContactGroup(ContactGroupReply, frozen=True, kw_only=True):
    """A list, answered alone."""

    request_id: str


class MembersReply(OneContactGroup, frozen=True, kw_only=True):
    """The list after a change of its members."""

    #: How many were not in it before.
    added: int = 0
    removed: int = 0


class GroupDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The list is gone; its contacts stay."""

    id: str
    deleted: Literal[True] = True
    request_id: str


def _fields(group: ContactGroup, contacts: int) -> dict[str, Any]:
    return {
        "id": id_text(Prefix.CONTACT_GROUP, group.id),
        "name": group.name,
        "contacts": contacts,
        "created_at": group.created_at,
        "updated_at": group.updated_at,
    }


async def _one(call: Call[Any, Any], group: ContactGroup) -> OneContactGroup:
    sizes = await call.uses.contact_groups.sizes([group])
    return msgspec.convert(
        {**_fields(group, sizes.get(group.id, 0)), "request_id": call.request_id}, OneContactGroup
    )


async def _find(call: Call[Any, Any]) -> ContactGroup:
    require_unrestricted(call.key)
    return await call.uses.contact_groups.get(path_id(call, Prefix.CONTACT_GROUP, "contact_group"))


def _name(text: str) -> str:
    name = read_line(text, most=LONGEST_NAME)
    if isinstance(name, Problem) or name is None:
        message = f"'name' must be 1 to {LONGEST_NAME} characters, without control characters."
        raise InvalidRequest(REFUSED, message, param="name")
    return name


async def _members(call: Call[Any, Any], references: tuple[str, ...]) -> list[int]:
    """Read which contacts are meant; each must exist."""
    found: dict[int, None] = {}
    for place, text in enumerate(references):
        try:
            contact = await call.uses.contacts.find(call.key, text)
        except InvalidRequest as error:
            raise InvalidRequest(error.code, error.message, param=f"contact_ids[{place}]") from None
        found[contact.id] = None
    return list(found)


async def _list(call: Call[GroupsQuery, NoBody]) -> Reply:
    require_unrestricted(call.key)
    after = read_id_cursor(call.query.cursor)
    found = await call.uses.contact_groups.page(
        after=after, offset=read_offset(call.query), limit=call.query.limit + 1
    )
    groups, has_more = split_page(found, call.query.limit)
    sizes = await call.uses.contact_groups.sizes(groups)
    content = Listed(
        data=[msgspec.convert(_fields(each, sizes.get(each.id, 0)), ContactGroupReply) for each in groups],
        has_more=has_more,
        next_cursor=write_cursor(groups[-1].id) if has_more else None,
        total=await call.uses.contact_groups.count() if call.query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _create(call: Call[NoQuery, NewContactGroup]) -> Reply:
    require_unrestricted(call.key)
    members = await _members(call, call.body.contact_ids)
    group = await call.uses.contact_groups.create(_name(call.body.name))
    if members:
        await call.uses.contact_groups.add_members(group.id, members)
    return Reply(content=await _one(call, group), status=201)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await _one(call, await _find(call)))


async def _rename(call: Call[NoQuery, GroupChanges]) -> Reply:
    group = await _find(call)
    return Reply(
        content=await _one(call, await call.uses.contact_groups.rename(group.id, _name(call.body.name)))
    )


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    group = await _find(call)
    await call.uses.contact_groups.delete(group.id)
    content = GroupDeleted(id=id_text(Prefix.CONTACT_GROUP, group.id), request_id=call.request_id)
    return Reply(content=content)


async def _list_members(call: Call[MembersQuery, NoBody]) -> Reply:
    group = await _find(call)
    return await contacts_page(call, ContactFilter(group_id=group.id, order=ContactOrder(call.query.sort)))


async def _add_members(call: Call[NoQuery, NewMembers]) -> Reply:
    group = await _find(call)
    members = await _members(call, call.body.contact_ids)
    added = await call.uses.contact_groups.add_members(group.id, members)
    return await _members_reply(call, group, added=added)


async def _remove_member(call: Call[NoQuery, NoBody]) -> Reply:
    group = await _find(call)
    contact = await call.uses.contacts.find(call.key, call.path["contact"])
    is_removed = await call.uses.contact_groups.remove_member(group.id, contact.id)
    return await _members_reply(call, group, removed=int(is_removed))


async def _members_reply(call: Call[Any, Any], group: ContactGroup, **moved: int) -> Reply:
    sizes = await call.uses.contact_groups.sizes([group])
    fields = {**_fields(group, sizes.get(group.id, 0)), **moved, "request_id": call.request_id}
    return Reply(content=msgspec.convert(fields, MembersReply))


_ERRORS: Final = ("contact_group_not_found", "line_not_accessible")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/contact-groups",
        name="list_contact_groups",
        summary="List the lists of contacts, newest first.",
        tag="contacts",
        scope="contacts:read",
        query=GroupsQuery,
        body=NoBody,
        reply=Listed[ContactGroupReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/contact-groups",
        name="create_contact_group",
        summary="Make a list of contacts.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NewContactGroup,
        reply=OneContactGroup,
        status=201,
        errors=("contact_not_found", "line_not_accessible", "name_taken"),
        example={"name": "Customers", "contact_ids": ["+15550100001"]},
        handle=_create,
    ),
    Endpoint(
        method="GET",
        path="/v1/contact-groups/{id}",
        name="get_contact_group",
        summary="Show one list.",
        tag="contacts",
        scope="contacts:read",
        query=NoQuery,
        body=NoBody,
        reply=OneContactGroup,
        errors=_ERRORS,
        handle=_get,
    ),
    Endpoint(
        method="PATCH",
        path="/v1/contact-groups/{id}",
        name="rename_contact_group",
        summary="Give a list another name.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=GroupChanges,
        reply=OneContactGroup,
        errors=(*_ERRORS, "name_taken"),
        example={"name": "Friends"},
        handle=_rename,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/contact-groups/{id}",
        name="delete_contact_group",
        summary="Delete a list; its contacts stay.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NoBody,
        reply=GroupDeleted,
        errors=_ERRORS,
        handle=_delete,
    ),
    Endpoint(
        method="GET",
        path="/v1/contact-groups/{id}/members",
        name="list_contact_group_members",
        summary="List the contacts of a list.",
        tag="contacts",
        scope="contacts:read",
        query=MembersQuery,
        body=NoBody,
        reply=Listed[ContactReply],
        errors=_ERRORS,
        handle=_list_members,
    ),
    Endpoint(
        method="POST",
        path="/v1/contact-groups/{id}/members",
        name="add_contact_group_members",
        summary="Add contacts to a list; those that are in it stay as they are.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NewMembers,
        reply=MembersReply,
        errors=(*_ERRORS, "contact_not_found"),
        example={"contact_ids": ["+15550100001"]},
        handle=_add_members,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/contact-groups/{id}/members/{contact}",
        name="remove_contact_group_member",
        summary="Take a contact off a list.",
        description="`contact` is a `ct_` id or one of the contact's handles. One that is not in it is not missed.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NoBody,
        reply=MembersReply,
        errors=(*_ERRORS, "contact_not_found"),
        handle=_remove_member,
    ),
)
