"""`/contacts`: people by their number or address, with tags (contracts: blooio §3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.availability import OneAvailability
from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.contact_shapes import ContactReply, OneContact
from hub.api.contacts import ContactDeleted, TagsReply
from hub.dialects.blooio.errors import Refusal, naming
from hub.dialects.blooio.identifiers import read_handle
from hub.dialects.blooio.natives import page
from hub.dialects.blooio.paging import Paged, PageQuery, paged, read_sort
from hub.dialects.native import ask
from hub.model.errors import InvalidRequest

SORTS: Final[Mapping[str, str]] = {
    "recent": "recent",
    "oldest": "oldest",
    "name_asc": "name_asc",
    "name_desc": "name_desc",
    "created_at:desc": "recent",
    "created_at:asc": "oldest",
}
#: How the id of a contact begins, which the vendor takes beside the number or address.
_INTERNAL: Final = "ct_"
Name = Annotated[str, Meta(max_length=200)]
Kind = Literal["phone", "email"]


class ContactQuery(PageQuery, frozen=True, kw_only=True):
    """Which contacts."""

    q: Annotated[str, Meta(max_length=200)] | None = None
    sort: str = "recent"


class NewContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact to make."""

    identifier: Annotated[str, Meta(min_length=1, max_length=320)]
    name: Name | None = None


class ContactChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change; null clears the name."""

    name: Name | UnsetType | None = UNSET


class NewTags(msgspec.Struct, frozen=True, kw_only=True):
    """Tags to add."""

    tags: Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=100)], ...], Meta(max_length=100)]


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact."""

    id: str
    contact_id: str
    identifier: str
    name: str | None
    type: Kind
    created_at: int
    last_message_time: int | None
    tags: Sequence[str]


class ContactList(Paged[Contact], frozen=True, kw_only=True):
    """A page of contacts."""

    contacts: Sequence[Contact]


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """It is gone."""

    success: bool = True
    deleted_at: int


class Tag(msgspec.Struct, frozen=True, kw_only=True):
    """A tag, and since when."""

    tag: str
    created_at: int


class TagList(msgspec.Struct, frozen=True, kw_only=True):
    """The tags of a contact."""

    tags: list[Tag]


class TagsAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The tags that the contact did not have."""

    success: bool = True
    tags_added: Sequence[str]


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody can be reached; null where the network does not tell."""

    imessage: bool | None
    sms: bool | None
    facetime: bool | None


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody can be reached."""

    contact: str
    type: Kind
    capabilities: Ways
    last_checked: int | None


def contact_shown(contact: ContactReply) -> Contact:
    """Write a contact as the vendor does: by its first number or address."""
    first = contact.handles[0] if contact.handles else None
    identifier = contact.id if first is None else first.handle
    return Contact(
        id=identifier,
        contact_id=contact.id,
        identifier=identifier,
        name=contact.name,
        type="phone" if first is None else first.kind,
        created_at=contact.created_at,
        last_message_time=contact.last_message_at,
        tags=contact.tags,
    )


async def find_contact(call: Call[Any, Any], text: str) -> OneContact:
    """Find a contact by number, address or internal id.

    Raises:
        Refusal: 400 for what is none of these.
        InvalidRequest: contact_not_found.
    """
    known = text if text.startswith(_INTERNAL) else read_handle(text, field="contactId")
    return (await ask(call, "get_contact", OneContact, path={"id": known})).content


async def _list(call: Call[ContactQuery, NoBody]) -> Reply:
    query = call.query
    wanted = {"q": query.q or None, "sort": read_sort(query.sort, SORTS)}
    found, total = await page(
        call, "list_contacts", ContactReply, wanted, limit=query.limit, offset=query.offset
    )
    contacts = [contact_shown(each) for each in found]
    return Reply(content=ContactList(contacts=contacts, **paged(contacts, query, total)))


async def _create(call: Call[NoQuery, NewContact]) -> Reply:
    handle = read_handle(call.body.identifier, field="identifier")
    body = {"handles": [handle], "name": call.body.name or None}
    try:
        with naming(handles="identifier"):
            made = (await ask(call, "create_contact", OneContact, body=body)).content
    except InvalidRequest as error:
        if error.code != "contact_exists" or isinstance(error, Refusal):
            raise
        there = contact_shown(await find_contact(call, error.existing_id or handle))
        message = f"The contact {handle} exists already."
        raise Refusal(409, message, code=error.code, more={"contact": msgspec.to_builtins(there)}) from None
    return Reply(content=contact_shown(made), status=201)


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    return Reply(content=contact_shown(await find_contact(call, call.path["contact_id"])))


async def _change(call: Call[NoQuery, ContactChanges]) -> Reply:
    contact = await find_contact(call, call.path["contact_id"])
    if isinstance(call.body.name, UnsetType):
        return Reply(content=contact_shown(contact))
    # The vendor has one name; what we know of first and last would be shown in its place.
    body = {"name": call.body.name or None, "first_name": None, "last_name": None}
    changed = await ask(call, "change_contact", OneContact, path={"id": contact.id}, body=body)
    return Reply(content=contact_shown(changed.content))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    contact = await find_contact(call, call.path["contact_id"])
    await ask(call, "delete_contact", ContactDeleted, path={"id": contact.id})
    return Reply(content=Deleted(deleted_at=call.now_ms))


async def _capabilities(call: Call[NoQuery, NoBody]) -> Reply:
    text = call.path["contact_id"]
    if text.startswith(_INTERNAL):
        text = contact_shown(await find_contact(call, text)).identifier
    handle = read_handle(text, field="contactId")
    try:
        found = (await ask(call, "get_availability", OneAvailability, query={"handle": handle})).content
    except InvalidRequest as error:
        if error.code not in {"advanced_features_required", "line_not_found"}:
            raise
        raise Refusal(503, "No active device can look that up.", code=error.code) from None
    content = Capabilities(
        contact=found.handle,
        type="email" if "@" in found.handle else "phone",
        capabilities=Ways(imessage=found.imessage, sms=found.sms, facetime=found.facetime),
        last_checked=found.checked_at,
    )
    return Reply(content=content)


async def _tags(call: Call[NoQuery, NoBody]) -> Reply:
    contact = await find_contact(call, call.path["contact_id"])
    found = (await ask(call, "get_contact_tags", TagsReply, path={"id": contact.id})).content
    return Reply(content=TagList(tags=[Tag(tag=each.tag, created_at=each.added_at) for each in found.tags]))


async def _add_tags(call: Call[NoQuery, NewTags]) -> Reply:
    contact = await find_contact(call, call.path["contact_id"])
    body = {"tags": list(call.body.tags)}
    found = (await ask(call, "add_contact_tags", TagsReply, path={"id": contact.id}, body=body)).content
    return Reply(content=TagsAdded(tags_added=found.tags_added), status=201)


async def _remove_tag(call: Call[NoQuery, NoBody]) -> Reply:
    contact = await find_contact(call, call.path["contact_id"])
    if call.path["tag"] not in contact.tags:
        raise Refusal(404, "The contact has no such tag.", code="tag_not_found", field="tag")
    path = {"id": contact.id, "tag": call.path["tag"]}
    await ask(call, "remove_contact_tag", TagsReply, path=path)
    return Reply(content=Deleted(deleted_at=call.now_ms))


_PATH: Final = "/v2/api/contacts"
_ONE: Final = f"{_PATH}/{{contact_id}}"


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=path,
        name=f"blooio_{name}",
        summary=summary,
        tag="contacts",
        scope="contacts:read" if method == "GET" else "contacts:write",
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "GET", _PATH, "list_contacts", "List contacts.", query=ContactQuery, reply=ContactList, handle=_list
    ),
    _endpoint(
        "POST",
        _PATH,
        "create_contact",
        "Make a contact.",
        body=NewContact,
        reply=Contact,
        status=201,
        example={"identifier": "+15551234567", "name": "Ann"},
        handle=_create,
    ),
    _endpoint("GET", _ONE, "get_contact", "Show a contact.", reply=Contact, handle=_get),
    _endpoint(
        "PATCH",
        _ONE,
        "change_contact",
        "Give a contact another name.",
        body=ContactChanges,
        reply=Contact,
        example={"name": "Ann"},
        handle=_change,
    ),
    _endpoint("DELETE", _ONE, "delete_contact", "Delete a contact.", reply=Deleted, handle=_delete),
    _endpoint(
        "GET",
        f"{_ONE}/capabilities",
        "get_capabilities",
        "Ask how somebody can be reached.",
        reply=Capabilities,
        handle=_capabilities,
    ),
    _endpoint("GET", f"{_ONE}/tags", "list_tags", "List a contact's tags.", reply=TagList, handle=_tags),
    _endpoint(
        "POST",
        f"{_ONE}/tags",
        "add_tags",
        "Tag a contact.",
        body=NewTags,
        reply=TagsAdded,
        status=201,
        example={"tags": ["vip"]},
        handle=_add_tags,
    ),
    _endpoint(
        "DELETE", f"{_ONE}/tags/{{tag}}", "remove_tag", "Take a tag off.", reply=Deleted, handle=_remove_tag
    ),
)
