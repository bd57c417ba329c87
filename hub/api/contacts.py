"""/v1/contacts: people we know, found by their id or by any of their handles."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, Listed, NoBody, NoQuery, Reply
from hub.api.contact_paging import read_text, write_text
from hub.api.contact_shapes import (
    ContactChanges,
    ContactChoice,
    ContactReply,
    NewContact,
    OneContact,
    Tags,
    contacts_page,
    one_contact,
    read_choice,
    read_tags,
    said_of,
)
from hub.api.paging import DEFAULT_LIMIT, CursorText, IncludeTotal, Limit, Offset, split_page
from hub.flow.contacts import require_unrestricted
from hub.model.contact import Contact
from hub.model.ids import Prefix, id_text
from hub.rules.contacts import ContactFields


class ContactsQuery(ContactChoice, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of contacts."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None
    offset: Offset | None = None
    include_total: IncludeTotal = False


class ContactDeleted(msgspec.Struct, frozen=True, kw_only=True):
    """The contact is gone."""

    id: str
    deleted: Literal[True] = True
    request_id: str


class NewTags(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tags to add."""

    tags: Annotated[Tags, Meta(min_length=1)]


class TagReply(msgspec.Struct, frozen=True, kw_only=True):
    """A tag of a contact."""

    tag: str
    added_at: int


class TagsReply(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of a contact."""

    contact_id: str
    tags: list[TagReply]
    #: Which were new.
    tags_added: list[str] = []
    request_id: str


class TagsQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A page of tags."""

    limit: Limit = DEFAULT_LIMIT
    cursor: CursorText | None = None


class TagCount(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, and how many contacts carry it."""

    tag: str
    contacts: int


async def _list(call: Call[ContactsQuery, NoBody]) -> Reply:
    return await contacts_page(call, read_choice(call, call.query))


async def _create(call: Call[NoQuery, NewContact]) -> Reply:
    require_unrestricted(call.key)
    contact = await call.uses.contacts.create(ContactFields(**said_of(call)))
    return Reply(content=await one_contact(call, contact), status=201)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=await one_contact(call, await _find(call)))


async def _change(call: Call[NoQuery, ContactChanges]) -> Reply:
    require_unrestricted(call.key)
    found = await _find(call)
    return Reply(content=await one_contact(call, await call.uses.contacts.change(found.id, said_of(call))))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    require_unrestricted(call.key)
    found = await _find(call)
    await call.uses.contacts.delete(found.id)
    content = ContactDeleted(id=id_text(Prefix.CONTACT, found.id), request_id=call.request_id)
    return Reply(content=content)


async def _show_tags(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=_tags_reply(call, await _find(call)))


async def _add_tags(call: Call[NoQuery, NewTags]) -> Reply:
    require_unrestricted(call.key)
    found = await _find(call)
    contact, added = await call.uses.contacts.add_tags(found.id, read_tags(call.body.tags))
    return Reply(content=_tags_reply(call, contact, added))


async def _remove_tag(call: Call[NoQuery, NoBody]) -> Reply:
    require_unrestricted(call.key)
    found = await _find(call)
    contact = await call.uses.contacts.remove_tag(found.id, " ".join(call.path["tag"].split()))
    return Reply(content=_tags_reply(call, contact))


async def _all_tags(call: Call[TagsQuery, NoBody]) -> Reply:
    require_unrestricted(call.key)
    after = read_text(call.query.cursor)
    found = await call.uses.store.contacts.tags(after=after, limit=call.query.limit + 1)
    tags, has_more = split_page(found, call.query.limit)
    content = Listed(
        data=[TagCount(tag=tag, contacts=count) for tag, count in tags],
        has_more=has_more,
        next_cursor=write_text(tags[-1][0]) if has_more else None,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def _find(call: Call[Any, Any]) -> Contact:
    return await call.uses.contacts.find(call.key, call.path["id"])


def _tags_reply(call: Call[Any, Any], contact: Contact, added: tuple[str, ...] = ()) -> TagsReply:
    return TagsReply(
        contact_id=id_text(Prefix.CONTACT, contact.id),
        tags=[TagReply(tag=each.tag, added_at=each.added_at) for each in contact.tags],
        tags_added=list(added),
        request_id=call.request_id,
    )


_BY_HANDLE: Final = (
    "`id` is a `ct_` id or one of the contact's handles; a `+` may stand as it is or as `%2B`."
)
_WRITES: Final = ("contact_not_found", "line_not_accessible")

ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/contact-tags",
        name="list_contact_tags",
        summary="List all tags with their numbers of contacts, by tag.",
        tag="contacts",
        scope="contacts:read",
        query=TagsQuery,
        body=NoBody,
        reply=Listed[TagCount],
        errors=("line_not_accessible",),
        handle=_all_tags,
    ),
    Endpoint(
        method="GET",
        path="/v1/contacts",
        name="list_contacts",
        summary="List contacts; find them by name, handle, organization or tag.",
        description=(
            "A key that is restricted to lines sees the contacts that have a direct chat on one of them; its pages "
            "by `cursor` may be shorter than `limit`, even empty, while `has_more` is true."
        ),
        tag="contacts",
        scope="contacts:read",
        query=ContactsQuery,
        body=NoBody,
        reply=Listed[ContactReply],
        errors=("line_not_accessible",),
        handle=_list,
    ),
    Endpoint(
        method="POST",
        path="/v1/contacts",
        name="create_contact",
        summary="Make a contact.",
        description="A handle belongs to one contact: 409 names the other one in `existing_id`.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NewContact,
        reply=OneContact,
        status=201,
        errors=("contact_exists", "line_not_accessible"),
        example={
            "first_name": "Ann",
            "last_name": "Lee",
            "handles": [{"handle": "+15550100001", "label": "mobile"}, "ann@example.com"],
            "tags": ["vip"],
        },
        handle=_create,
    ),
    Endpoint(
        method="GET",
        path="/v1/contacts/{id}",
        name="get_contact",
        summary="Show one contact.",
        description=_BY_HANDLE,
        tag="contacts",
        scope="contacts:read",
        query=NoQuery,
        body=NoBody,
        reply=OneContact,
        errors=("contact_not_found",),
        handle=_get,
    ),
    Endpoint(
        method="PATCH",
        path="/v1/contacts/{id}",
        name="change_contact",
        summary="Change a contact: null clears, handles and tags are given whole, the rest stays.",
        description=_BY_HANDLE,
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=ContactChanges,
        reply=OneContact,
        errors=(*_WRITES, "contact_exists"),
        example={"job_title": "CEO", "notes": None},
        handle=_change,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/contacts/{id}",
        name="delete_contact",
        summary="Forget a contact for good; chats, messages and opt-outs stay with their handles.",
        description=_BY_HANDLE,
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NoBody,
        reply=ContactDeleted,
        errors=_WRITES,
        handle=_delete,
    ),
    Endpoint(
        method="GET",
        path="/v1/contacts/{id}/tags",
        name="get_contact_tags",
        summary="Show a contact's tags with their times.",
        tag="contacts",
        scope="contacts:read",
        query=NoQuery,
        body=NoBody,
        reply=TagsReply,
        errors=("contact_not_found",),
        handle=_show_tags,
    ),
    Endpoint(
        method="POST",
        path="/v1/contacts/{id}/tags",
        name="add_contact_tags",
        summary="Add tags; those that are there stay as they are.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NewTags,
        reply=TagsReply,
        errors=_WRITES,
        example={"tags": ["vip"]},
        handle=_add_tags,
    ),
    Endpoint(
        method="DELETE",
        path="/v1/contacts/{id}/tags/{tag}",
        name="remove_contact_tag",
        summary="Take a tag off; one that is not there is not missed.",
        tag="contacts",
        scope="contacts:write",
        query=NoQuery,
        body=NoBody,
        reply=TagsReply,
        errors=_WRITES,
        handle=_remove_tag,
    ),
)
