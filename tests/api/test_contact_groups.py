"""Lists of contacts: named once, filled and emptied, and gone without their contacts."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.test_contacts import made, walk
from tests.support.hub_world import HubWorld


async def group(world: HubWorld, name: str, *members: str) -> dict[str, Any]:
    answered = await world.api.post("/v1/contact-groups", {"name": name, "contact_ids": list(members)})
    assert answered.status == 201, answered.body
    made_group: dict[str, Any] = answered.json
    return made_group


async def test_a_list_is_made_with_members_named_by_id_or_handle(world: HubWorld) -> None:
    ann = await made(world, name="Ann")
    await made(world, name="Bob", handles=["+15550100002"])
    made_group = await group(world, " Customers ", ann["id"], "+15550100002", "+1 555 010 0002")
    path = f"/v1/contact-groups/{made_group['id']}"

    assert (made_group["name"], made_group["contacts"]) == ("Customers", 2)
    assert [each["name"] for each in await walk(world.api, f"{path}/members?limit=1&sort=name_asc")] == [
        "Ann",
        "Bob",
    ]
    assert [
        each["name"] for each in await walk(world.api, f"/v1/contacts?group={made_group['id']}&q=bob")
    ] == ["Bob"]


async def test_members_come_and_go(world: HubWorld) -> None:
    ann = await made(world, name="Ann")
    path = f"/v1/contact-groups/{(await group(world, 'g'))['id']}"
    added = [(await world.api.post(f"{path}/members", {"contact_ids": [ann["id"]]})).json for _ in range(2)]
    removed = [(await world.api.delete(f"{path}/members/{ann['id']}")).json for _ in range(2)]

    assert [(each["added"], each["contacts"]) for each in added] == [(1, 1), (0, 1)]
    assert [(each["removed"], each["contacts"]) for each in removed] == [(1, 0), (0, 0)]


async def test_a_forgotten_contact_is_on_no_list(world: HubWorld) -> None:
    ann = await made(world, name="Ann")
    made_group = await group(world, "g", ann["id"])
    await world.api.delete(f"/v1/contacts/{ann['id']}")

    assert (await world.api.get(f"/v1/contact-groups/{made_group['id']}")).json["contacts"] == 0


async def test_names_are_taken_once(world: HubWorld) -> None:
    first, second = await group(world, "one"), await group(world, "two")
    for answered in (
        await world.api.post("/v1/contact-groups", {"name": "one"}),
        await world.api.patch(f"/v1/contact-groups/{second['id']}", {"name": "one"}),
    ):
        assert (answered.status, answered.code, answered.param) == (409, "name_taken", "name")
        assert answered.json["error"]["existing_id"] == first["id"]
    renamed = await world.api.patch(f"/v1/contact-groups/{second['id']}", {"name": "three"})

    assert renamed.json["name"] == "three"


async def test_lists_page_newest_first_and_are_deleted_without_their_contacts(world: HubWorld) -> None:
    ann = await made(world, name="Ann")
    groups = [await group(world, str(number), ann["id"]) for number in range(3)]
    found = await walk(world.api, "/v1/contact-groups?limit=2")
    deleted = await world.api.delete(f"/v1/contact-groups/{groups[0]['id']}")

    assert [each["id"] for each in found] == [each["id"] for each in reversed(groups)]
    assert [each["contacts"] for each in found] == [1, 1, 1]
    assert deleted.json["deleted"] is True
    assert (await world.api.get(f"/v1/contact-groups/{groups[0]['id']}")).code == "contact_group_not_found"
    assert (await world.api.get(f"/v1/contacts/{ann['id']}")).status == 200


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "name"),
        ({"name": " "}, 400, "name"),
        ({"name": "x" * 201}, 400, "name"),
        ({"name": "x", "contact_ids": ["ct_0000000000000"]}, 404, "contact_ids[0]"),
        ({"name": "x", "contact_ids": ["+19"] * 1001}, 400, "contact_ids"),
    ],
)
async def test_bad_input(world: HubWorld, body: dict[str, Any], status: int, param: str) -> None:
    answered = await world.api.post("/v1/contact-groups", body)

    assert (answered.status, answered.param) == (status, param)
    assert (await world.api.get("/v1/contact-groups")).json["data"] == []


@pytest.mark.parametrize("path", ["ctg_0000000000000", "ct_0000000000000", "nonsense"])
async def test_what_is_not_there_is_not_found(world: HubWorld, path: str) -> None:
    for method, rest, body in (
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("GET", "/members", None),
        ("POST", "/members", {"contact_ids": ["+15550100001"]}),
        ("DELETE", "/members/+15550100001", None),
    ):
        answered = await world.api.request(method, f"/v1/contact-groups/{path}{rest}", body=body)
        assert (answered.status, answered.code) == (404, "contact_group_not_found")
