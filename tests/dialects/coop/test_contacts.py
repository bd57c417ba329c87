"""Contacts there and here: handles come back as they were written, and what is not said stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.dialects.coop.test_checklist import error
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, STRANGER, HubWorld

HANDLES = ("phoneNumbers", "emailAddresses", "appleId")


async def make(api: Caller, **fields: Any) -> dict[str, Any]:
    answered = await api.post("/api/v1/contacts", {"firstName": "Ann", **fields})
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def change(api: Caller, contact: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answered = await api.request("PUT", f"/api/v1/contacts/{contact['id']}", body=fields)
    assert answered.status == 200, answered.body
    changed: dict[str, Any] = answered.json
    return changed


@pytest.mark.parametrize(
    "handles",
    [
        ([], [], None),
        ([CONTACT], [], None),
        ([CONTACT, STRANGER], ["a@example.com", "b@example.com"], None),
        ([], [], "a@example.com"),
        ([], ["a@example.com"], "a@example.com"),
        ([CONTACT], [], CONTACT),
        ([], [], CONTACT),
        ([CONTACT], ["b@example.com"], "a@example.com"),
    ],
)
async def test_handles_come_back_as_they_were_written(
    api: Caller, handles: tuple[list[str], list[str], str | None]
) -> None:
    made = await make(api, **dict(zip(HANDLES, handles, strict=True)))
    shown = (await api.get(f"/api/v1/contacts/{made['id']}")).json

    assert tuple(shown[name] for name in HANDLES) == handles


async def test_a_change_of_some_handles_leaves_the_others(world: HubWorld, api: Caller) -> None:
    made = await make(api, phoneNumbers=[CONTACT], emailAddresses=["a@example.com"], appleId="a@example.com")
    await world.api.patch(
        f"/v1/contacts/{made['id']}",
        {
            "handles": [
                {"handle": CONTACT, "label": "work"},
                {"handle": "a@example.com", "label": "also apple id"},
            ]
        },
    )
    added = await change(api, made, emailAddresses=["b@example.com"])
    cleared = await change(api, made, appleId=None, lastName="Lee")
    native = (await world.api.get(f"/v1/contacts/{made['id']}")).json

    assert (added["phoneNumbers"], added["emailAddresses"], added["appleId"]) == (
        [CONTACT], ["b@example.com"], "a@example.com",
    )  # fmt: skip
    assert (cleared["appleId"], cleared["lastName"], cleared["emailAddresses"]) == (
        None,
        "Lee",
        ["b@example.com"],
    )
    assert native["handles"][0]["label"] == "work"


async def test_changes_at_the_same_time_all_count(api: Caller) -> None:
    made = await make(api)
    await asyncio.gather(
        change(api, made, phoneNumbers=[CONTACT]),
        change(api, made, emailAddresses=["a@example.com"]),
        change(api, made, appleId="b@example.com"),
        change(api, made, notes="Called"),
    )
    shown = (await api.get(f"/api/v1/contacts/{made['id']}")).json

    assert [shown[name] for name in HANDLES] == [[CONTACT], ["a@example.com"], "b@example.com"]
    assert shown["notes"] == "Called"


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"phoneNumbers": [CONTACT, "abc"]}, "phoneNumbers[1]"),
        ({"emailAddresses": ["a@example.com", "@"]}, "emailAddresses[1]"),
        ({"appleId": "nobody"}, "appleId"),
        ({"firstName": ""}, "firstName"),
        ({"tags": ["a,b"]}, "tags[0]"),
        ({"jobTitle": "x" * 201}, "jobTitle"),
    ],
)
async def test_a_field_that_is_wrong_is_named(api: Caller, fields: dict[str, Any], named: str) -> None:
    answered = await api.post("/api/v1/contacts", {"firstName": "Ann", "phoneNumbers": [STRANGER], **fields})

    assert error(answered, 400, "validation_error")
    assert named in answered.json["message"]


async def test_a_number_belongs_to_one_contact(api: Caller) -> None:
    await make(api, phoneNumbers=[CONTACT])

    assert error(
        await api.post("/api/v1/contacts", {"firstName": "Bob", "phoneNumbers": [CONTACT]}), 409, "conflict"
    )


async def test_lists_are_searched_and_exported(api: Caller) -> None:
    for number in range(3):
        await make(
            api, firstName=f"Ann {number}", phoneNumbers=[f"+155501011{number:02}"], tags=["vip", str(number)]
        )
    page = (await api.get("/api/v1/contacts?limit=2&page=2&tags=vip")).json
    found = (await api.get("/api/v1/contacts?search=ann+1&tags=")).json["data"]
    exported = await api.get("/api/v1/contacts/export?tags=vip")
    table = await api.get("/api/v1/contacts/export?format=csv&search=ann+2")
    listed = (await api.get("/api/v1/contacts?limit=100")).json["data"]

    assert page["pagination"] == {"page": 2, "limit": 2, "total": 3, "totalPages": 2}
    assert [each["firstName"] for each in found] == ["Ann 1"]
    assert exported.json == listed
    assert exported.headers["content-disposition"].endswith('"contacts.json"')
    assert table.body.count(b"Ann 2") >= 1
    assert b"Ann 1" not in table.body


async def test_what_is_exported_is_known_again(api: Caller) -> None:
    await make(
        api, phoneNumbers=[CONTACT], emailAddresses=["a@example.com"], appleId="a@example.com", tags=["vip"]
    )
    exported = (await api.get("/api/v1/contacts/export")).body
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
        + exported
        + b"\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    again = await api.post("/api/v1/contacts/import", form, headers=headers)

    assert again.json == {"created": 0, "updated": 1, "failed": 0, "errors": []}
    assert (await api.get("/api/v1/contacts/export")).body == exported


async def test_lists_of_contacts(api: Caller) -> None:
    contact = await make(api)
    group = (await api.post("/api/v1/contact-groups", {"name": "Friends"})).json
    path = f"/api/v1/contact-groups/{group['id']}/members"
    added = await api.post(path, {"contactId": contact["id"]})
    listed = (await api.get("/api/v1/contact-groups")).json
    unknown = await api.post(path, {"contactId": "ct_05jp19e000406"})
    removed = await api.delete(f"{path}/{contact['id']}")

    assert (added.status, added.json["memberCount"], removed.json["memberCount"]) == (200, 1, 0)
    assert listed["data"] == [added.json]
    assert error(unknown, 404, "not_found")
    assert error(await api.post("/api/v1/contact-groups", {"name": "Friends"}), 409, "conflict")


async def test_a_deleted_contact_is_gone(api: Caller) -> None:
    contact = await make(api)
    deleted = await api.delete(f"/api/v1/contacts/{contact['id']}")

    assert (deleted.status, deleted.json) == (200, {"id": contact["id"], "deleted": True})
    assert error(await api.get(f"/api/v1/contacts/{contact['id']}"), 404, "not_found")
