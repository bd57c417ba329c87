"""What may stand in a contact, and by what it is found and ordered. Values in, values or problems out.

Not here: how a contact comes in (hub.api.contacts, hub.rules.contact_sheets), and who may see it (hub.flow.contacts).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import msgspec

from hub.model.contact import Contact, ContactHandle, ContactTag, HandleKind
from hub.rules.chatkeys import normalize_handle
from hub.rules.phone_numbers import completed
from hub.rules.problems import Problem

MOST_HANDLES: Final = 20
MOST_TAGS: Final = 50
LONGEST_HANDLE: Final = 320
LONGEST_TAG: Final = 64
LONGEST_LABEL: Final = 50
LONGEST_NOTES: Final = 10_000
LONGEST_METADATA_BYTES: Final = 1024
#: Text fields of one line, and how long each may be.
LINE_FIELDS: Final[Mapping[str, int]] = {
    "first_name": 200,
    "last_name": 200,
    "name": 200,
    "organization": 200,
    "job_title": 200,
}

#: Short enough that a cursor can carry it.
_LONGEST_SORT_NAME: Final = 64
_PHONE: Final = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SHORT_CODE: Final = re.compile(r"[0-9]{3,6}", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{7,}", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s]{1,255}")
_NUMBER_LIKE: Final = re.compile(r"\+?[0-9][0-9\s().\-]*")
_NOT_IN_NUMBERS: Final = re.compile(r"[\s().\-]+")
_ACCEPTED: Final = (
    "a phone number with its country code (+15550100001), a short code of 3 to 6 digits, or a mail address"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactFields:
    """What somebody says of a contact; None, or nothing in it, says nothing."""

    first_name: str | None = None
    last_name: str | None = None
    name: str | None = None
    organization: str | None = None
    job_title: str | None = None
    handles: tuple[ContactHandle, ...] = ()
    tags: tuple[str, ...] = ()
    #: JSON object.
    metadata: str | None = None
    notes: str | None = None

    def has_identity(self) -> bool:
        """Tell whether anybody could recognise the contact."""
        return bool(self.handles or self.name or self.first_name or self.last_name or self.organization)


def read_handle(text: str, *, hint_region: str = "", region: str = "") -> ContactHandle | Problem:
    """Spell a handle our way, or say why it cannot be one.

    Args:
        text: As written.
        hint_region: Of which country's form a refusal may speak; it completes nothing.
        region: Whose national numbers are to be completed, because the caller said so; empty for none.
    """
    handle = normalize_handle(text[: LONGEST_HANDLE + 1])
    if len(handle) > LONGEST_HANDLE or _controls(handle):
        return _problem("a handle", f"it must be {_ACCEPTED}", "Shorten it, without control characters")
    if "@" not in handle:
        return _read_number(text, handle, region=region, hint_region=hint_region)
    if _EMAIL.fullmatch(handle):
        return ContactHandle(handle=handle, kind=HandleKind.EMAIL)
    return _problem("this is no mail address", "it needs one @ and no blank", f"Give {_ACCEPTED}")


def _read_number(text: str, handle: str, *, region: str, hint_region: str) -> ContactHandle | Problem:
    if region and not text.lstrip().startswith("+") and (full := completed(text, region)):
        return ContactHandle(handle=full, kind=HandleKind.PHONE)
    if _PHONE.fullmatch(handle) or _SHORT_CODE.fullmatch(handle):
        return ContactHandle(handle=handle, kind=HandleKind.PHONE)
    if _DIGITS.fullmatch(handle):
        return _no_country(handle, region or hint_region)
    return _problem(
        "this is no handle", "it is neither a phone number nor a mail address", f"Give {_ACCEPTED}"
    )


def read_tag(text: str) -> str | Problem:
    """Return a tag as it is kept: blanks at its ends go, letters stay as they are."""
    tag = " ".join(text.split())
    if not 1 <= len(tag) <= LONGEST_TAG or _controls(tag) or set(tag) & set(",;/"):
        why = f"a tag has 1 to {LONGEST_TAG} characters, and no comma, semicolon, slash or control character"
        return _problem("this is no tag", why, "Shorten it, or leave those characters out")
    return tag


def read_line(text: str, *, most: int) -> str | Problem | None:
    """Return a text of one line, runs of blanks taken together; None if nothing is left."""
    line = " ".join(text.split())
    if len(line) > most:
        return _problem("this is too long", f"at most {most} characters are kept", "Shorten it")
    if _controls(line):
        return _problem("this cannot be kept", "it holds control characters", "Leave them out")
    return line or None


def read_notes(text: str) -> str | Problem | None:
    """Return notes, which may have several lines."""
    notes = text.replace("\r\n", "\n").strip()
    if len(notes) > LONGEST_NOTES:
        return _problem("this is too long", f"at most {LONGEST_NOTES} characters are kept", "Shorten it")
    if _controls(notes.replace("\n", "").replace("\t", "")):
        return _problem("this cannot be kept", "it holds control characters", "Leave them out")
    return notes or None


def read_metadata(value: Mapping[str, Any]) -> str | Problem:
    """Return an object as the JSON that is kept."""
    text = msgspec.json.encode(value)
    if len(text) > LONGEST_METADATA_BYTES:
        why = f"as JSON it has {len(text)} bytes; at most {LONGEST_METADATA_BYTES} are kept"
        return _problem("this is too large", why, "Keep less in it, such as an id of yours")
    return text.decode()


def new_contact(fields: ContactFields, *, contact_id: int, now_ms: int) -> Contact:
    """Make a contact of what was said."""
    blank = Contact(id=contact_id, created_at=now_ms, updated_at=now_ms)
    return merged(blank, fields, now_ms=now_ms)


def merged(contact: Contact, fields: ContactFields, *, now_ms: int) -> Contact:
    """Add what was said to what is known: what is said wins, handles and tags are added, nothing is taken away."""
    said = {
        name: value
        for name in (*LINE_FIELDS, "metadata", "notes")
        if (value := getattr(fields, name)) is not None
    }
    known = {each.handle for each in contact.handles}
    handles = (*contact.handles, *(each for each in fields.handles if each.handle not in known))
    tags = tagged(contact.tags, fields.tags, at=now_ms)
    changed = replace(contact, **said, handles=handles, tags=tags)
    return contact if changed == contact else replace(changed, updated_at=max(now_ms, contact.updated_at))


def tagged(tags: Iterable[ContactTag], more: Iterable[str], *, at: int) -> tuple[ContactTag, ...]:
    """Add tags; those that are there keep their time."""
    by_tag = {tag: ContactTag(tag=tag, added_at=at) for tag in more} | {each.tag: each for each in tags}
    return tuple(by_tag[tag] for tag in sorted(by_tag))


def excess(contact: Contact) -> tuple[str, str] | None:
    """Name the field that holds too much, and why; None if all is well."""
    if len(contact.handles) > MOST_HANDLES:
        return "handles", f"a contact has at most {MOST_HANDLES} handles"
    if len(contact.tags) > MOST_TAGS:
        return "tags", f"a contact has at most {MOST_TAGS} tags"
    return None


def sort_name(contact: Contact) -> str:
    """Give that by which a list of names is ordered: the name, or what stands for it, without regard to case."""
    first_handle = contact.handles[0].handle if contact.handles else ""
    return (contact.shown_name or contact.organization or first_handle).casefold()[:_LONGEST_SORT_NAME]


def search_text(contact: Contact) -> str:
    """Give that in which a search looks: names, organization, handles and tags."""
    names = (contact.first_name, contact.last_name, contact.name, contact.shown_name, contact.organization)
    handles = (each.handle for each in contact.handles)
    parts = dict.fromkeys(filter(None, (*names, *handles, *(each.tag for each in contact.tags))))
    return "\n".join(parts).casefold()


def search_needle(text: str) -> str:
    """Give that for which a search looks; a number is found however it is written."""
    needle = " ".join(text.split()).casefold()
    return _NOT_IN_NUMBERS.sub("", needle) if _NUMBER_LIKE.fullmatch(needle) else needle


def masked(value: str) -> str:
    """Show enough of a value to find it in one's own file, and no more."""
    text = value if len(value) <= 40 else value[:40]
    if len(text) <= 4:
        return "*" * len(text)
    return f"{text[:2]}{'*' * min(len(text) - 4, 12)}{text[-2:]}"


def _no_country(digits: str, region: str) -> Problem:
    full = completed(digits, region) if region else None
    fix = f"If it is a number of {region}, write {full}" if full else f"Give {_ACCEPTED}"
    return _problem("this number has no country code", "without one it could be anybody's", fix)


def _problem(what: str, why: str, fix: str) -> Problem:
    return Problem(pointer="", what=what, why=why, fix=fix)


def _controls(text: str) -> bool:
    return not text.isprintable() and any(unicodedata.category(each) in ("Cc", "Cs") for each in text)
