"""The JSON of contacts, and how what a client says becomes what is kept (hub.rules.contacts)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.api.calls import Call, Listed, Reply
from hub.api.contact_paging import read_place, write_place
from hub.api.paging import read_offset
from hub.flow.contact_store import ContactFilter, ContactOrder
from hub.flow.contacts import REFUSED, require_unrestricted
from hub.model.contact import Contact, ContactHandle
from hub.model.errors import InvalidRequest
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.rules import contacts as rules
from hub.rules.contact_rows import sentence
from hub.rules.problems import Problem

#: Tags that contacts are looked for by, at the most: to plan how to look for all of hundreds takes a database minutes.
MOST_WANTED_TAGS: Final = 20

LineText = Annotated[str, Meta(max_length=200)]
HandleText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=rules.LONGEST_HANDLE,
        description="A phone number with its country code, a short code or a mail address.",
    ),
]
TagText = Annotated[
    str, Meta(min_length=1, max_length=rules.LONGEST_TAG, description="No comma, semicolon or slash.")
]
Notes = Annotated[str, Meta(max_length=rules.LONGEST_NOTES)]
ContactReference = Annotated[str, Meta(min_length=1, max_length=rules.LONGEST_HANDLE)]


class NewHandle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A handle with what its owner calls it."""

    handle: HandleText
    #: Told by the handle itself; taken so that an answer can be sent back.
    kind: Literal["phone", "email"] | None = None
    label: Annotated[str, Meta(max_length=rules.LONGEST_LABEL)] | None = None


Handles = Annotated[tuple[HandleText | NewHandle, ...], Meta(max_length=rules.MOST_HANDLES)]
Tags = Annotated[tuple[TagText, ...], Meta(max_length=rules.MOST_TAGS)]


class NewContact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A contact to make: at least a handle, a name or an organization. The first handle is the preferred one."""

    first_name: LineText | None = None
    last_name: LineText | None = None
    #: The name to show; first and last name, if not given.
    name: LineText | None = None
    handles: Handles | None = None
    organization: LineText | None = None
    job_title: LineText | None = None
    notes: Notes | None = None
    tags: Tags | None = None
    #: Your own JSON object of at most 1024 bytes.
    metadata: dict[str, Any] | None = None


class ContactChanges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to change; the rest stays. Null clears; handles and tags are given whole."""

    first_name: LineText | UnsetType | None = UNSET
    last_name: LineText | UnsetType | None = UNSET
    name: LineText | UnsetType | None = UNSET
    handles: Handles | UnsetType | None = UNSET
    organization: LineText | UnsetType | None = UNSET
    job_title: LineText | UnsetType | None = UNSET
    notes: Notes | UnsetType | None = UNSET
    tags: Tags | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET


class HandleReply(msgspec.Struct, frozen=True, kw_only=True):
    """An address of a contact."""

    handle: str
    kind: Literal["phone", "email"]
    label: str | None


class ContactReply(msgspec.Struct, frozen=True, kw_only=True):
    """A contact."""

    id: str
    first_name: str | None
    last_name: str | None
    #: The name given, or first and last name.
    name: str | None
    handles: list[HandleReply]
    organization: str | None
    job_title: str | None
    notes: str | None
    tags: list[str]
    metadata: dict[str, Any] | None
    created_at: int
    updated_at: int
    #: In direct chats of the lines that the key may use.
    last_message_at: int | None


class OneContact(ContactReply, frozen=True, kw_only=True):
    """A contact, answered alone."""

    request_id: str


class ContactBeside(msgspec.Struct, frozen=True, kw_only=True):
    """The contact behind a handle, where something else is told."""

    id: str
    name: str | None


class ContactChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which contacts, and in which order."""

    #: Finds names, handles, organizations and tags that contain it.
    q: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    #: One tag, or up to 20 between commas: contacts that carry all of them.
    tag: Annotated[str, Meta(min_length=1, max_length=400)] | None = None
    #: A `ctg_` id.
    group: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    #: `recent`: made last comes first.
    sort: Literal["recent", "oldest", "name_asc", "name_desc"] = "recent"


def contact_fields(contact: Contact, last_message_at: int | None) -> dict[str, Any]:
    """Give the JSON of a contact."""
    return {
        "id": id_text(Prefix.CONTACT, contact.id),
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.shown_name,
        "handles": [
            {"handle": each.handle, "kind": each.kind.value, "label": each.label} for each in contact.handles
        ],
        "organization": contact.organization,
        "job_title": contact.job_title,
        "notes": contact.notes,
        "tags": [each.tag for each in contact.tags],
        "metadata": None if contact.metadata is None else msgspec.json.decode(contact.metadata),
        "created_at": contact.created_at,
        "updated_at": contact.updated_at,
        "last_message_at": last_message_at,
    }


async def one_contact(call: Call[Any, Any], contact: Contact) -> OneContact:
    """Give the answer that is one contact."""
    last = await call.uses.contacts.last_messages(call.key, [contact.id])
    fields = contact_fields(contact, last.get(contact.id))
    return msgspec.convert({**fields, "request_id": call.request_id}, OneContact)


async def many_contacts(call: Call[Any, Any], contacts: Sequence[Contact]) -> list[ContactReply]:
    """Give the JSON of a page."""
    last = await call.uses.contacts.last_messages(call.key, [each.id for each in contacts])
    return [msgspec.convert(contact_fields(each, last.get(each.id)), ContactReply) for each in contacts]


async def contacts_page(call: Call[Any, Any], wanted: ContactFilter) -> Reply:
    """Answer with the page of contacts that the query asks for."""
    query, contacts = call.query, call.uses.contacts
    after, offset = read_place(query.cursor), read_offset(query)
    page = await contacts.page(call.key, wanted, after=after, offset=offset, limit=query.limit)
    content = Listed(
        data=await many_contacts(call, page.contacts),
        has_more=page.next is not None,
        next_cursor=write_place(page.next),
        total=await contacts.count(call.key, wanted) if query.include_total else UNSET,
        request_id=call.request_id,
    )
    return Reply(content=content)


async def contacts_beside(call: Call[Any, Any], handles: Collection[str]) -> dict[str, ContactBeside]:
    """Give the contacts behind handles of chats that the key sees; none without the scope `contacts:read`."""
    if not handles or not call.key.may("contacts:read"):
        return {}
    found = await call.uses.contacts.of_handles(handles)
    return {
        handle: ContactBeside(id=id_text(Prefix.CONTACT, each.id), name=each.shown_name)
        for handle, each in found.items()
    }


def read_choice(call: Call[Any, Any], choice: ContactChoice) -> ContactFilter:
    """Read which contacts are wanted.

    Raises:
        InvalidRequest: A tag or group that cannot be one; line_not_accessible for groups of a restricted key.
    """
    group_id = None
    if choice.group is not None:
        require_unrestricted(call.key)
        try:
            group_id = parse_id(Prefix.CONTACT_GROUP, choice.group)
        except InvalidId:
            message = f"'group' must be an id that begins with '{Prefix.CONTACT_GROUP}_'."
            raise InvalidRequest(REFUSED, message, param="group") from None
    tags = () if choice.tag is None else read_wanted_tags(choice.tag)
    return ContactFilter(
        order=ContactOrder(choice.sort),
        needle=rules.search_needle(choice.q or ""),
        tags=tags,
        group_id=group_id,
    )


def said_of(call: Call[Any, Any]) -> dict[str, Any]:
    """Read what a NewContact or ContactChanges says: field → value as it is kept, None where it says null.

    Raises:
        InvalidRequest: invalid_parameter_value, with the field and the accepted form.
    """
    said: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(call.body).items():
        if value is None:
            said[name] = () if name in ("handles", "tags") else None
        elif value is not UNSET:
            said[name] = _value(call, name, value)
    return said


def _value(call: Call[Any, Any], name: str, value: Any) -> Any:
    if name == "handles":
        return _handles(value, hint_region=call.uses.settings.contacts_region)
    if name == "tags":
        return read_tags(value)
    if name == "metadata":
        return _read(rules.read_metadata(value), name)
    if name == "notes":
        return _read(rules.read_notes(value), name)
    return _read(rules.read_line(value, most=rules.LINE_FIELDS[name]), name)


def read_wanted_tags(text: str) -> tuple[str, ...]:
    """Read the tags that contacts are to carry, each once.

    Raises:
        InvalidRequest: invalid_parameter_value for what is no tag, and for too many.
    """
    tags = tuple(dict.fromkeys(_read(rules.read_tag(each), "tag") for each in text.split(",")))
    if len(tags) > MOST_WANTED_TAGS:
        message = f"'tag' names {len(tags)} tags; contacts are looked for by {MOST_WANTED_TAGS} at the most."
        raise InvalidRequest(REFUSED, message, param="tag")
    return tags


def read_tags(texts: Sequence[str]) -> tuple[str, ...]:
    """Read tags as they are kept, each once.

    Raises:
        InvalidRequest: invalid_parameter_value, naming the one that cannot be.
    """
    tags = [_read(rules.read_tag(text), f"tags[{place}]") for place, text in enumerate(texts)]
    return tuple(dict.fromkeys(tags))


def _handles(values: Sequence[str | NewHandle], *, hint_region: str) -> tuple[ContactHandle, ...]:
    handles: dict[str, ContactHandle] = {}
    for place, value in enumerate(values):
        text, label = (value, None) if isinstance(value, str) else (value.handle, value.label)
        param = f"handles[{place}]"
        read = _read(rules.read_handle(text, hint_region=hint_region), param)
        if read.handle in handles:
            raise InvalidRequest(REFUSED, f"'{read.handle}' is given twice.", param=param)
        label = None if label is None else _read(rules.read_line(label, most=rules.LONGEST_LABEL), param)
        handles[read.handle] = ContactHandle(handle=read.handle, kind=read.kind, label=label)
    return tuple(handles.values())


def _read(value: Any, param: str) -> Any:
    if isinstance(value, Problem):
        raise InvalidRequest(REFUSED, sentence(value), param=param)
    return value
