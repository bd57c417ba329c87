"""Contacts over REST: made, found by any handle, changed in part, forgotten; and who may see which."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld

ANN = {
    "first_name": " Ann ",
    "last_name": "Lee",
    "handles": [{"handle": "+1 (555) 010-0001", "label": "mobile"}, "Ann@Example.com"],
    "organization": "Acme",
    "job_title": "CEO",
    "notes": "likes\ntea",
    "tags": ["vip", "b", "vip"],
    "metadata": {"crm": [1, {"a": None}]},
}


async def made(world: HubWorld, **fields: Any) -> dict[str, Any]:
    answered = await world.api.post("/v1/contacts", fields)
    assert answered.status == 201, answered.body
    contact: dict[str, Any] = answered.json
    return contact


async def walk(api: Caller, path: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.get(f"{path}{cursor}")).json
        found += page["data"]
        if not page["has_more"]:
            assert page["next_cursor"] is None
            return found
        cursor = f"&cursor={page['next_cursor']}"


async def test_a_contact_comes_back_as_it_was_said(world: HubWorld) -> None:
    contact = await made(world, **ANN)
    again = (await world.api.get(f"/v1/contacts/{contact['id']}")).json

    assert contact["id"].startswith("ct_")
    assert {**contact, "request_id": None} == {**again, "request_id": None}
    assert again | {"request_id": None} == {
        "id": contact["id"],
        "first_name": "Ann",
        "last_name": "Lee",
        "name": "Ann Lee",
        "handles": [
            {"handle": "+15550100001", "kind": "phone", "label": "mobile"},
            {"handle": "ann@example.com", "kind": "email", "label": None},
        ],
        "organization": "Acme",
        "job_title": "CEO",
        "notes": "likes\ntea",
        "tags": ["b", "vip"],
        "metadata": {"crm": [1, {"a": None}]},
        "created_at": world.clock.now_ms(),
        "updated_at": world.clock.now_ms(),
        "last_message_at": None,
        "request_id": None,
    }


@pytest.mark.parametrize(
    "reference",
    ["+15550100001", "%2B15550100001", "+1%20555%20010%200001", "ann@example.com", "ANN%40example.com"],
)
async def test_a_contact_is_found_by_any_handle_however_it_is_written(
    world: HubWorld, reference: str
) -> None:
    contact = await made(world, **ANN)
    answered = await world.api.get(f"/v1/contacts/{reference}")

    assert answered.json["id"] == contact["id"]


@pytest.mark.parametrize(
    "reference", ["ct_0000000000000", "ct_nonsense", "cht_0000000000000", "+19", "x@y.z", "x"]
)
async def test_what_is_not_there_is_not_found(world: HubWorld, reference: str) -> None:
    for method in ("GET", "DELETE"):
        answered = await world.api.request(method, f"/v1/contacts/{reference}")

        assert (answered.status, answered.code) == (404, "contact_not_found")


async def test_a_taken_handle_is_a_conflict_that_names_its_contact(world: HubWorld) -> None:
    contact = await made(world, **ANN)
    other = await made(world, name="Bob")
    body = {"handles": ["+15550100009", "ann@example.com"]}
    for answered in (
        await world.api.post("/v1/contacts", body),
        await world.api.patch(f"/v1/contacts/{other['id']}", body),
    ):
        assert (answered.status, answered.code, answered.param) == (409, "contact_exists", "handles[1]")
        assert answered.json["error"]["existing_id"] == contact["id"]
        assert contact["id"] in answered.json["error"]["message"]
    assert (await world.api.get("/v1/contacts/+15550100009")).status == 404


async def test_of_two_at_once_one_gets_the_handle(world: HubWorld) -> None:
    answers = await asyncio.gather(
        *(world.api.post("/v1/contacts", {"handles": ["+15550100001"]}) for _ in range(5))
    )

    assert sorted(each.status for each in answers) == [201, 409, 409, 409, 409]


async def test_a_change_leaves_the_rest_and_null_clears(world: HubWorld) -> None:
    contact = await made(world, **ANN)
    world.clock.advance(5)
    path = f"/v1/contacts/{contact['id']}"
    changed = (await world.api.patch(path, {"job_title": None, "notes": "new", "metadata": None})).json
    named = (await world.api.patch(path, {"name": "A. Lee", "tags": None, "handles": ["+15550100007"]})).json

    assert {name for name in contact if changed[name] != contact[name]} == {
        "job_title", "notes", "metadata", "updated_at", "request_id",
    }  # fmt: skip
    assert (changed["job_title"], changed["notes"], changed["metadata"]) == (None, "new", None)
    assert changed["updated_at"] == contact["updated_at"] + 5
    assert (named["name"], named["tags"], len(named["handles"])) == ("A. Lee", [], 1)
    assert (await world.api.get("/v1/contacts/+15550100001")).status == 404
    assert (await world.api.patch(path, {"name": None})).json["name"] == "Ann Lee"


async def test_a_contact_must_be_somebody(world: HubWorld) -> None:
    nobody = await world.api.post("/v1/contacts", {"notes": "x"})
    contact = await made(world, name="Ann")
    emptied = await world.api.patch(f"/v1/contacts/{contact['id']}", {"name": None})

    for answered in (nobody, emptied):
        assert (answered.status, answered.code) == (400, "missing_required_parameter")


async def test_a_forgotten_contact_is_gone_and_its_handles_are_free(world: HubWorld) -> None:
    contact = await made(world, **ANN)
    deleted = await world.api.delete(f"/v1/contacts/{contact['id']}")

    assert deleted.json | {"request_id": None} == {"id": contact["id"], "deleted": True, "request_id": None}
    assert (await world.api.get("/v1/contacts")).json["data"] == []
    assert (await made(world, **ANN))["id"] != contact["id"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a national number": ({"handles": ["0170 1234567"]}, "handles[0]"),
    "no handle at all": ({"handles": ["+15550100001", "Ann"]}, "handles[1]"),
    "the same handle twice": ({"handles": ["+15550100001", "+1 555 010 0001"]}, "handles[1]"),
    "too many handles": ({"handles": [f"+1555010{n:04}" for n in range(21)]}, "handles"),
    "a handle of another type": ({"handles": [5]}, "handles[0]"),
    "an unknown part of a handle": ({"handles": [{"handle": "+15550100001", "x": 1}]}, "handles[0].x"),
    "a tag with a comma": ({"name": "A", "tags": ["a,b"]}, "tags[0]"),
    "an empty tag": ({"name": "A", "tags": [" "]}, "tags[0]"),
    "too many tags": ({"name": "A", "tags": [str(n) for n in range(51)]}, "tags"),
    "a long name": ({"name": "x" * 201}, "name"),
    "a name with a control character": ({"name": "a\x07"}, "name"),
    "long notes": ({"name": "A", "notes": "x" * 10_001}, "notes"),
    "large metadata": ({"name": "A", "metadata": {"a": "x" * 1024}}, "metadata"),
    "metadata that is no object": ({"name": "A", "metadata": [1]}, "metadata"),
    "an unknown field": ({"name": "A", "colour": "red"}, "colour"),
}


@pytest.mark.parametrize(("body", "param"), BAD.values(), ids=BAD.keys())
async def test_bad_input_names_the_field(world: HubWorld, body: dict[str, Any], param: str) -> None:
    contact = await made(world, name="Somebody")
    for answered in (
        await world.api.post("/v1/contacts", body),
        await world.api.patch(f"/v1/contacts/{contact['id']}", body),
    ):
        assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


async def test_too_much_together_is_refused(world: HubWorld) -> None:
    contact = await made(world, name="A", tags=[str(n) for n in range(50)])
    answered = await world.api.post(f"/v1/contacts/{contact['id']}/tags", {"tags": ["more"]})

    assert (answered.status, answered.param) == (400, "tags")


async def test_tags_are_added_once_and_taken_off(world: HubWorld) -> None:
    contact = await made(world, **ANN)
    path = f"/v1/contacts/{contact['id']}/tags"
    at = world.clock.now_ms()
    world.clock.advance(5)
    added = (await world.api.post(path, {"tags": ["vip", "new one"]})).json
    again = (await world.api.post(path, {"tags": ["vip"]})).json
    removed = (await world.api.delete(f"{path}/new%20one")).json
    missed = await world.api.delete(f"{path}/nobody")

    assert added["tags_added"] == ["new one"]
    assert [(each["tag"], each["added_at"] - at) for each in added["tags"]] == [
        ("b", 0),
        ("new one", 5),
        ("vip", 0),
    ]
    assert again["tags_added"] == []
    assert [each["tag"] for each in removed["tags"]] == ["b", "vip"]
    assert missed.status == 200
    assert (await world.api.get(path)).json["tags"] == removed["tags"]


async def test_all_tags_are_counted_a_page_at_a_time(world: HubWorld) -> None:
    await made(world, name="A", tags=["b", "vip"])
    await made(world, name="B", tags=["vip"])

    assert await walk(world.api, "/v1/contact-tags?limit=1") == [
        {"tag": "b", "contacts": 1},
        {"tag": "vip", "contacts": 2},
    ]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Cleo", "Bob", "ann"]),
        ("sort=oldest", ["ann", "Bob", "Cleo"]),
        ("sort=name_asc", ["ann", "Bob", "Cleo"]),
        ("sort=name_desc", ["Cleo", "Bob", "ann"]),
        ("q=O", ["Cleo", "Bob"]),
        ("q=%2B1%20555%20020%200001", ["Bob"]),
        ("q=+15550200001", ["Bob"]),
        ("q=acme", ["ann"]),
        ("q=friend", ["Cleo", "Bob"]),
        ("tag=friend", ["Cleo", "Bob"]),
        ("tag=friend,%20vip", ["Cleo"]),
        ("tag=none", []),
        ("q=bob&tag=friend&sort=name_desc", ["Bob"]),
        ("q=%25", []),
    ],
)
async def test_lists_find_order_and_page(world: HubWorld, query: str, names: list[str]) -> None:
    await made(world, name="ann", organization="ACME")
    await made(world, name="Bob", handles=["+15550200001"], tags=["friend"])
    await made(world, name="Cleo", tags=["friend", "vip"])

    for limit in (1, 2, 50):
        found = await walk(world.api, f"/v1/contacts?limit={limit}&{query}")
        assert [each["name"] for each in found] == names


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("sort=newest", "sort"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=WzEsMl0", "cursor"),
        ("cursor=Wy0xLCIiXQ", "cursor"),
        ("q=", "q"),
        ("tag=a/b", "tag"),
        ("tag=,", "tag"),
        ("tag=" + ",".join(map(str, range(21))), "tag"),
        ("group=cht_0000000000000", "group"),
        ("colour=red", "colour"),
    ],
)
async def test_bad_queries_name_the_parameter(world: HubWorld, query: str, param: str) -> None:
    answered = await world.api.get(f"/v1/contacts?{query}")

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


async def test_the_last_message_is_that_of_any_handle(world: HubWorld) -> None:
    contact = await made(world, handles=["x@y.z", CONTACT])
    await world.say("Hi")
    at = world.clock.now_ms()

    assert (await world.api.get(f"/v1/contacts/{contact['id']}")).json["last_message_at"] == at
    assert (await world.api.get("/v1/contacts")).json["data"][0]["last_message_at"] == at


async def test_a_direct_chat_shows_its_contact_to_keys_that_may_read_contacts(world: HubWorld) -> None:
    contact = await made(world, name="Ann", handles=[CONTACT])
    await world.say("Hi")
    await world.say("Hi", contact="+15550100009")
    path = f"/v1/chats?from={SANDBOX_LINE}"
    shown = [each["contact"] for each in (await world.api.get(path)).json["data"]]
    blind = await (await world.caller("chats:read")).get(path)

    assert shown == [None, {"id": contact["id"], "name": "Ann"}]
    assert [each["contact"] for each in blind.json["data"]] == [None, None]


async def _refused(answered: Answered) -> bool:
    return (answered.status, answered.code) == (403, "line_not_accessible")


async def test_a_restricted_key_sees_those_whom_its_lines_write_with(world: HubWorld) -> None:
    seen = await made(world, name="Seen", handles=["+15550100005"])
    await made(world, name="Unseen", handles=["+15550100006"])
    await made(world, name="Elsewhere", handles=["+15550100007"])
    await world.say("Hi", line=world.other_line, contact="+15550100005")
    api = await world.caller("contacts:read", "contacts:write", lines=(world.other_line,))

    assert [each["name"] for each in await walk(api, "/v1/contacts?limit=1")] == ["Seen"]
    assert [each["name"] for each in await walk(api, "/v1/contacts?q=seen&sort=name_asc")] == ["Seen"]
    assert (await api.get(f"/v1/contacts/{seen['id']}")).json["last_message_at"] is not None
    assert (await api.get("/v1/contacts/+15550100005/tags")).status == 200
    for path in ("/v1/contacts/+15550100006", "/v1/contacts/+15550100007/tags"):
        assert (await api.get(path)).code == "contact_not_found"
    assert [each["name"] for each in (await api.get("/v1/contacts/export")).json] == ["Seen"]


async def test_the_sandbox_is_open_to_every_key(world: HubWorld) -> None:
    await made(world, name="Seen", handles=[CONTACT])
    await world.say("Hi")
    api = await world.caller("contacts:read", lines=(world.other_line,))

    assert [each["name"] for each in await walk(api, "/v1/contacts?limit=1")] == ["Seen"]


async def test_a_restricted_key_changes_nothing(world: HubWorld) -> None:
    contact = await made(world, name="Seen", handles=[CONTACT])
    await world.say("Hi")
    group = (await world.api.post("/v1/contact-groups", {"name": "g"})).json
    api = await world.caller("contacts:read", "contacts:write", lines=(world.sandbox_line,))
    path, list_path = f"/v1/contacts/{contact['id']}", f"/v1/contact-groups/{group['id']}"
    answers = [
        await api.post("/v1/contacts", {"name": "x"}),
        await api.patch(path, {"name": "x"}),
        await api.delete(path),
        await api.post(f"{path}/tags", {"tags": ["x"]}),
        await api.delete(f"{path}/tags/x"),
        await api.post("/v1/contacts/import", b"Phone\n+15550100009\n"),
        await api.get("/v1/contact-tags"),
        await api.get(f"/v1/contacts?group={group['id']}"),
        await api.get("/v1/contact-groups"),
        await api.post("/v1/contact-groups", {"name": "x"}),
        await api.get(list_path),
        await api.patch(list_path, {"name": "x"}),
        await api.delete(list_path),
        await api.get(f"{list_path}/members"),
        await api.post(f"{list_path}/members", {"contact_ids": [contact["id"]]}),
        await api.delete(f"{list_path}/members/{contact['id']}"),
    ]

    assert [await _refused(each) for each in answers] == [True] * len(answers)
    assert (await world.api.get(path)).json["name"] == "Seen"


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/contacts", "contacts:read"),
        ("POST", "/v1/contacts", "contacts:write"),
        ("GET", "/v1/contacts/export", "contacts:read"),
        ("POST", "/v1/contacts/import", "contacts:write"),
        ("GET", "/v1/contact-tags", "contacts:read"),
        ("POST", "/v1/contact-groups", "contacts:write"),
        ("GET", f"/v1/availability?handle=x@y.z&from={SANDBOX_LINE}", "contacts:read"),
        ("GET", "/v1/phone-numbers?number=1", "contacts:read"),
    ],
)
async def test_scopes(world: HubWorld, method: str, path: str, scope: str) -> None:
    other = {"contacts:read": "contacts:write", "contacts:write": "contacts:read"}[scope]
    api = await world.caller(other)

    answered = await api.request(method, path, body={})
    assert (answered.status, answered.code) == (403, "insufficient_scope")
    assert scope in answered.json["error"]["message"]
