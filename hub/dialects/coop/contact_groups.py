"""/api/v1/contact-groups: lists of contacts and who is on them (contracts: coop §5)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.contact_groups import ContactGroupReply, MembersReply, OneContactGroup
from hub.dialects.coop.errors import in_their_words
from hub.dialects.coop.paging import Paged, PageQuery, ask_page
from hub.dialects.coop.times import iso
from hub.dialects.native import ask


class NewGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A list to make."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]


class NewMember(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Who comes onto a list."""

    contact_id: Annotated[str, Meta(min_length=1, max_length=320)]


class Group(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A list of contacts."""

    id: str
    name: str
    member_count: int
    created_at: str


def _shown(group: ContactGroupReply) -> Group:
    return Group(id=group.id, name=group.name, member_count=group.contacts, created_at=iso(group.created_at))


async def _create(call: Call[NoQuery, NewGroup]) -> Reply:
    made = (await ask(call, "create_contact_group", OneContactGroup, body={"name": call.body.name})).content
    return Reply(content=_shown(made), status=201)


async def _list(call: Call[PageQuery, NoBody]) -> Reply:
    groups, pagination = await ask_page(call, "list_contact_groups", ContactGroupReply, query={}, names={})
    return Reply(content=Paged(data=[_shown(each) for each in groups], pagination=pagination))


async def _add(call: Call[NoQuery, NewMember]) -> Reply:
    wish, path = {"contact_ids": [call.body.contact_id]}, {"id": call.path["id"]}
    with in_their_words({"contact_ids": "contactId"}):
        group = (await ask(call, "add_contact_group_members", MembersReply, path=path, body=wish)).content
    return Reply(content=_shown(group))


async def _remove(call: Call[NoQuery, NoBody]) -> Reply:
    path = {"id": call.path["id"], "contact": call.path["contact_id"]}
    return Reply(
        content=_shown((await ask(call, "remove_contact_group_member", MembersReply, path=path)).content)
    )


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/api/v1/contact-groups{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="contacts",
        scope="contacts:read" if method == "GET" else "contacts:write",
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        reply=more.pop("reply", Group),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "POST",
        "",
        "create_contact_group",
        "Make a list.",
        body=NewGroup,
        status=201,
        example={"name": "Customers"},
        handle=_create,
    ),
    _endpoint(
        "GET", "", "list_contact_groups", "List the lists.", query=PageQuery, reply=Paged[Group], handle=_list
    ),
    _endpoint(
        "POST",
        "/{id}/members",
        "add_contact_group_member",
        "Put a contact onto a list.",
        body=NewMember,
        example={"contactId": "ct_05jp19e000406"},
        handle=_add,
    ),
    _endpoint(
        "DELETE",
        "/{id}/members/{contact_id}",
        "remove_contact_group_member",
        "Take a contact off a list.",
        handle=_remove,
    ),
)
