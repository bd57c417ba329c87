"""/api/v1/contacts: make, list, show, change, delete (contracts: coop §5)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply
from hub.api.contact_shapes import ContactReply, OneContact
from hub.api.contacts import ContactDeleted
from hub.dialects.coop.contact_shapes import (
    FIELDS,
    Contact,
    ContactChanges,
    NewContact,
    contact_shown,
    field_of_handle,
    native_fields,
    native_handles,
    says_handles,
)
from hub.dialects.coop.errors import in_their_words
from hub.dialects.coop.names import handle_in_query
from hub.dialects.coop.paging import Paged, PageQuery, ask_page
from hub.dialects.native import ask, ask_after_reading
from hub.model.errors import InvalidRequest

_PLACE: Final = "handles["


class ContactsQuery(PageQuery, frozen=True, kw_only=True):
    """Which contacts."""

    search: Annotated[str, Meta(max_length=200)] | None = None
    #: With commas between; contacts that carry all of them.
    tags: Annotated[str, Meta(max_length=400)] | None = None


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """It is gone."""

    id: str
    deleted: bool = True


def choice(search: str | None, tags: str | None) -> dict[str, Any]:
    """Give which contacts are wanted, under native names; empty texts say nothing."""
    return {"q": handle_in_query(search) if search else None, "tag": tags or None}


async def _create(call: Call[NoQuery, NewContact]) -> Reply:
    wish = {**native_fields(call.body), "handles": native_handles(call.body)}
    with _naming_handles(call.body), in_their_words(FIELDS):
        made = (await ask(call, "create_contact", OneContact, body=wish)).content
    return Reply(content=contact_shown(made), status=201)


async def _list(call: Call[ContactsQuery, NoBody]) -> Reply:
    query = call.query
    contacts, pagination = await ask_page(
        call, "list_contacts", ContactReply, query=choice(query.search, query.tags), names=FIELDS
    )
    return Reply(content=Paged(data=[contact_shown(each) for each in contacts], pagination=pagination))


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    path = {"id": call.path["id"]}
    return Reply(content=contact_shown((await ask(call, "get_contact", OneContact, path=path)).content))


async def _change(call: Call[NoQuery, ContactChanges]) -> Reply:
    body, path = call.body, {"id": call.path["id"]}

    def wish(known: OneContact) -> dict[str, Any]:
        handles = {"handles": native_handles(body, known.handles)} if says_handles(body) else {}
        return {**native_fields(body), **handles}

    with _naming_handles(body), in_their_words(FIELDS):
        changed = await ask_after_reading(
            call, "change_contact", OneContact, reader="get_contact", path=path, body=wish
        )
    return Reply(content=contact_shown(changed.content))


async def _delete(call: Call[NoQuery, NoBody]) -> Reply:
    path = {"id": call.path["id"]}
    return Reply(
        content=Deleted(id=(await ask(call, "delete_contact", ContactDeleted, path=path)).content.id)
    )


@contextmanager
def _naming_handles(body: NewContact | ContactChanges) -> Iterator[None]:
    """Name the field that a handle stands in."""
    try:
        yield
    except InvalidRequest as error:
        param = error.param
        if param is not None and param.startswith(_PLACE):
            param = field_of_handle(body, int(param.removeprefix(_PLACE).partition("]")[0]))
        raise InvalidRequest(error.code, error.message, param=param, existing_id=error.existing_id) from None


def _endpoint(method: str, path: str, name: str, summary: str, **more: Any) -> AnyEndpoint:
    return Endpoint(
        method=method,
        path=f"/api/v1/contacts{path}",
        name=f"coop_{name}",
        summary=summary,
        tag="contacts",
        scope="contacts:read" if method == "GET" else "contacts:write",
        query=more.pop("query", NoQuery),
        body=more.pop("body", NoBody),
        **more,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    _endpoint(
        "POST",
        "",
        "create_contact",
        "Make a contact.",
        body=NewContact,
        reply=Contact,
        status=201,
        example={"firstName": "Ann", "phoneNumbers": ["+15551234567"], "tags": ["vip"]},
        handle=_create,
    ),
    _endpoint(
        "GET", "", "list_contacts", "List contacts.", query=ContactsQuery, reply=Paged[Contact], handle=_list
    ),
    _endpoint("GET", "/{id}", "get_contact", "Show a contact.", reply=Contact, handle=_get),
    _endpoint(
        "PUT",
        "/{id}",
        "change_contact",
        "Change what is given.",
        body=ContactChanges,
        reply=Contact,
        example={"notes": "Prefers mornings"},
        handle=_change,
    ),
    _endpoint("DELETE", "/{id}", "delete_contact", "Delete a contact.", reply=Deleted, handle=_delete),
)
