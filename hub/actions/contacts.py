"""`contact.tag` and `contact.update`: of the event's contact, or another; who is not known yet is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from hub.actions.built_in import BuiltIn, Output
from hub.actions.content import placed
from hub.actions.desk import Desk
from hub.actions.situation import contact_in, person_in
from hub.model.actions import ActionCall, ActionFailed
from hub.model.contact import Contact, ContactHandle
from hub.model.ids import InvalidId, Prefix, id_text, parse_id
from hub.rules import contacts as rules
from hub.rules.contact_rows import sentence
from hub.rules.problems import Problem

_Who = Annotated[
    str,
    Meta(
        title="Contact",
        description="A `ct_` id, or a handle, whose contact is made if there is none. Absent: the event's.",
        min_length=1,
        max_length=rules.LONGEST_HANDLE,
        examples=["+15550100001"],
    ),
]
_Tags = tuple[Annotated[str, Meta(min_length=1, max_length=rules.LONGEST_TAG)], ...]


class TagInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words on a contact."""

    contact: _Who | None = None
    add: Annotated[
        _Tags,
        Meta(title="Add", description="Tags to put on.", max_length=rules.MOST_TAGS, examples=[["vip"]]),
    ] = ()
    remove: Annotated[
        _Tags,
        Meta(
            title="Remove", description="Tags to take off.", max_length=rules.MOST_TAGS, examples=[["lead"]]
        ),
    ] = ()


class UpdateInputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of a contact. What is absent stays; null clears."""

    contact: _Who | None = None
    first_name: (
        Annotated[str, Meta(title="First name", max_length=200, examples=["Ada"])] | UnsetType | None
    ) = UNSET
    last_name: (
        Annotated[str, Meta(title="Last name", max_length=200, examples=["King"])] | UnsetType | None
    ) = UNSET
    name: (
        Annotated[
            str, Meta(title="Name", description="The name to show.", max_length=200, examples=["Ada King"])
        ]
        | UnsetType
        | None
    ) = UNSET
    organization: (
        Annotated[str, Meta(title="Organization", max_length=200, examples=["Example Ltd."])]
        | UnsetType
        | None
    ) = UNSET
    job_title: (
        Annotated[str, Meta(title="Job title", max_length=200, examples=["Buyer"])] | UnsetType | None
    ) = UNSET
    notes: (
        Annotated[str, Meta(title="Notes", max_length=rules.LONGEST_NOTES, examples=["Prefers mornings"])]
        | UnsetType
        | None
    ) = UNSET
    metadata: (
        Annotated[
            dict[str, Any],
            Meta(
                title="Metadata",
                description="Your own object, at most 1 KB, given whole.",
                examples=[{"crm": "201"}],
            ),
        ]
        | UnsetType
        | None
    ) = UNSET
    add_handles: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=rules.LONGEST_HANDLE)], ...],
        Meta(
            title="Add handles",
            description="Further phone numbers and mail addresses of the same person.",
            max_length=rules.MOST_HANDLES,
            examples=[["ada@example.com"]],
        ),
    ] = ()


async def _tag(desk: Desk, call: ActionCall, inputs: TagInputs) -> Output:
    add, remove = _tags(inputs.add, "add"), _tags(inputs.remove, "remove")
    if not add and not remove:
        raise ActionFailed("invalid", "There is nothing to do: give 'add', 'remove' or both.")
    now_ms = desk.clock.now_ms()

    def work(contact: Contact) -> Contact:
        kept = [each for each in contact.tags if each.tag not in remove]
        return replace(contact, tags=rules.tagged(kept, [tag for tag in add if tag not in remove], at=now_ms))

    return _told(*await _change(desk, call, inputs.contact, work))


async def _update(desk: Desk, call: ActionCall, inputs: UpdateInputs) -> Output:
    said = {
        name: _field(name, value)
        for name in (*rules.LINE_FIELDS, "notes", "metadata")
        if (value := getattr(inputs, name)) is not UNSET
    }
    handles = [_handle(text, "add_handles") for text in inputs.add_handles]
    if not said and not handles:
        raise ActionFailed("invalid", "There is nothing to do: give at least one field of the contact.")

    def work(contact: Contact) -> Contact:
        known = {each.handle for each in contact.handles}
        new = {each.handle: each for each in handles if each.handle not in known}
        return replace(contact, **said, handles=(*contact.handles, *new.values()))

    return _told(*await _change(desk, call, inputs.contact, work))


async def _change(
    desk: Desk, call: ActionCall, named: str | None, work: Callable[[Contact], Contact]
) -> tuple[Contact, bool]:
    """Change the contact that is meant; give it, and whether it is new.

    Raises:
        ActionFailed: `invalid` where neither input nor event names anybody.
        InvalidRequest: contact_not_found for an id, contact_exists for a handle of somebody else.
    """
    who = named or contact_in(call.event) or person_in(call.event)
    if who is None:
        raise ActionFailed("invalid", "The event names nobody. Give 'contact': a handle, or a `ct_` id.")
    if not who.startswith(f"{Prefix.CONTACT}_") or "@" in who:
        return await desk.contacts.ensure(_handle(who, "contact"), work)
    try:
        contact_id = parse_id(Prefix.CONTACT, who)
    except InvalidId:
        raise ActionFailed("not_found", f"There is no contact '{who}'.") from None
    return await desk.contacts.rework(contact_id, work), False


def _told(contact: Contact, is_new: bool) -> Output:
    return {
        "contact_id": id_text(Prefix.CONTACT, contact.id),
        "name": contact.shown_name,
        "tags": [each.tag for each in contact.tags],
        "created": is_new,
    }


def _tags(texts: Sequence[str], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_read(rules.read_tag(text), name) for text in texts))


def _handle(text: str, name: str) -> ContactHandle:
    handle: ContactHandle = _read(rules.read_handle(text), name)
    return handle


def _field(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "metadata":
        return _read(rules.read_metadata(value), name)
    if name == "notes":
        return _read(rules.read_notes(value), name)
    return _read(rules.read_line(value, most=rules.LINE_FIELDS[name]), name)


def _read(value: Any, name: str) -> Any:
    if isinstance(value, Problem):
        raise ActionFailed("invalid", f"'{name}': {sentence(value)}")
    return value


def _whom(call: ActionCall, named: str | None) -> str:
    return named or contact_in(call.event) or person_in(call.event) or "nobody: the event names none"


def _preview_tag(call: ActionCall, inputs: TagInputs) -> str:
    words = " ".join([*(f"+{tag}" for tag in inputs.add), *(f"-{tag}" for tag in inputs.remove)])
    return placed(call, f"{_whom(call, inputs.contact)}: {words or 'nothing'}", {})


def _preview_update(call: ActionCall, inputs: UpdateInputs) -> str:
    given = [
        name
        for name in (*rules.LINE_FIELDS, "notes", "metadata", "add_handles")
        if getattr(inputs, name) not in (UNSET, ())
    ]
    return placed(call, f"{_whom(call, inputs.contact)}: {', '.join(given) or 'nothing'}", {})


_TOLD: Final = {"contact_id": "ct_0f2m4h8x0g001", "name": "Ada King", "tags": ["vip"], "created": False}

TAG: Final = BuiltIn(
    name="contact.tag",
    title="Tag a contact",
    description="Puts tags on a contact and takes others off; a tag that is named in both goes.",
    kind="write",
    repetition="safe",
    inputs=TagInputs,
    example={"add": ["vip"], "remove": ["lead"]},
    sample=_TOLD,
    run=_tag,
    preview=_preview_tag,
)
UPDATE: Final = BuiltIn(
    name="contact.update",
    title="Update a contact",
    description="Writes down what is known of a contact.",
    kind="write",
    repetition="safe",
    inputs=UpdateInputs,
    example={"first_name": "Ada", "last_name": "King"},
    sample=_TOLD,
    run=_update,
    preview=_preview_update,
)
