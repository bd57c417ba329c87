"""Groups of the vendor's surface against its checklist (contracts: blooio §3, §10 line 17)."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from bridge.sandbox import contacts
from tests.dialects.blooio.asking import sent
from tests.dialects.blooio.goldens import check
from tests.dialects.blooio.test_official_client import PNG
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

PATH = "/v2/api/groups"
MAIL = "ann@example.com"
TRIP = {"name": "Trip", "members": [CONTACT, MAIL]}
FORM = {"Content-Type": "multipart/form-data; boundary=xx"}


@pytest.fixture
def attended(worker: SandboxWorker) -> SandboxWorker:
    """A network that answers whoever waits for it."""
    worker.attend()
    return worker


async def made(api: Caller, **more: Any) -> str:
    answered = await api.post(PATH, {**TRIP, **more})
    assert answered.status == 201, answered.body
    group_id: str = answered.json["group_id"]
    return group_id


async def listed(api: Caller, query: str = "") -> list[str]:
    answered = await api.get(f"{PATH}{query}")
    assert answered.status == 200, answered.body
    return [each["name"] for each in answered.json["groups"]]


def form(name: str = "icon", content: bytes = PNG) -> bytes:
    head = f'--xx\r\nContent-Disposition: form-data; name="{name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    return head.encode() + content + b"\r\n--xx--\r\n"


#: A form with the picture twice.
TWICE = form().removesuffix(b"--xx--\r\n") + form()


async def put_icon(api: Caller, group_id: str, body: bytes) -> Answered:
    return await api.request("POST", f"{PATH}/{group_id}/icon", body=body, headers=FORM)


async def test_17_a_group_is_made_once(both: Caller, attended: SandboxWorker) -> None:
    first = await both.post(PATH, {**TRIP, "from_number": SANDBOX_LINE})
    again = await both.post(PATH, {"name": "Other", "members": [MAIL, CONTACT], "from_number": SANDBOX_LINE})
    known = (await both.get("/v2/api/contacts")).json["contacts"]

    assert first.status == 201, first.body
    assert re.fullmatch(r"grp_[a-zA-Z0-9]+", first.json["group_id"])
    assert first.json["added_members"] == first.json["created_contacts"] == [CONTACT, MAIL]
    assert {each["identifier"] for each in known} == {CONTACT, MAIL}
    assert (first.json["name"], first.json["internal_id"]) == ("Trip", SANDBOX_LINE)
    assert (again.status, again.json["error"], again.json["code"]) == (409, "conflict", "group_exists")
    assert again.json["group_id"] == first.json["group_id"]
    assert again.headers["x-should-retry"] == "false"


async def test_17_who_is_a_contact_is_not_made_one(both: Caller, attended: SandboxWorker) -> None:
    await both.post("/v2/api/contacts", {"identifier": CONTACT, "name": "Carl"})
    answered = await both.post(PATH, TRIP, headers={"X-From-Number": SANDBOX_LINE})

    assert answered.json["created_contacts"] == [MAIL]


async def test_17_a_key_with_one_number_makes_no_contacts(one: Caller, attended: SandboxWorker) -> None:
    answered = await one.post(PATH, TRIP)

    assert (answered.status, answered.json["created_contacts"]) == (201, [])


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("POST", "", {"contact_id": "+15550100003"}),
        ("DELETE", f"/{CONTACT}", None),
        ("DELETE", f"/{MAIL}", None),
    ],
)
async def test_17_members_neither_join_nor_leave(
    one: Caller, attended: SandboxWorker, method: str, rest: str, body: Any
) -> None:
    group_id = await made(one)
    answered = await one.request(method, f"{PATH}/{group_id}/members{rest}", body=body)
    members = (await one.get(f"{PATH}/{group_id}/members")).json["members"]

    assert answered.status == 501
    assert answered.json["error"] == "Coming soon"
    assert answered.json["message"]
    assert answered.headers["x-should-retry"] == "false"
    assert [each["id"] for each in members] == [CONTACT, MAIL]


async def test_17_two_at_once_make_one(one: Caller, attended: SandboxWorker) -> None:
    answers = await asyncio.gather(one.post(PATH, TRIP), one.post(PATH, {**TRIP, "name": "Other"}))

    assert sorted(each.status for each in answers) == [201, 409]
    assert len({each.json["group_id"] for each in answers}) == 1
    assert len(await listed(one)) == 1


async def test_a_group_that_is_not_made_yet(one: Caller, worker: SandboxWorker) -> None:
    """Nobody performs while the first waits; what it asked for is there for who asks again."""
    waiting = await one.post(PATH, TRIP)
    await worker.perform()
    again = await one.post(PATH, TRIP)

    assert (waiting.status, waiting.headers["retry-after"]) == (503, "5")
    assert (again.status, again.json["code"]) == (409, "group_exists")
    assert await listed(one) == ["Trip"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256, "members": [CONTACT, MAIL]}, "name"),
        ({"name": "Trip"}, "members"),
        ({"name": "Trip", "members": [CONTACT]}, "members"),
        ({"name": "Trip", "members": [CONTACT, CONTACT]}, "members"),
        ({"name": "Trip", "members": [CONTACT, "nobody"]}, "members"),
        ({"name": "Trip", "members": [f"+1555010{number:04}" for number in range(32)]}, "members"),
        ({"name": "Trip", "members": [CONTACT, SANDBOX_LINE]}, "members[1]"),
        ({"name": "Trip", "members": [CONTACT, MAIL], "from_number": "me"}, "from_number"),
        ({"name": "Trip", "chat_guid": "iMessage;+;chat1"}, "chat_guid"),
    ],
)
async def test_what_is_no_group(
    one: Caller, attended: SandboxWorker, body: dict[str, Any], field: str
) -> None:
    answered = await one.post(PATH, body)

    assert (answered.status, answered.json["details"]) == (400, {"field": field}), answered.body
    assert await listed(one) == []


async def test_a_chat_that_a_number_is_in_is_a_group_already(one: Caller, attended: SandboxWorker) -> None:
    group_id = await made(one)
    guid = (await one.get(f"{PATH}/{group_id}")).json["chat_guid"]
    answered = await one.post(PATH, {"name": "Linked", "chat_guid": guid})

    assert guid.startswith("iMessage;+;chat")
    assert (answered.status, answered.json["group_id"]) == (409, group_id)


async def test_what_the_device_refuses(one: Caller, attended: SandboxWorker) -> None:
    """Not on iMessage, so in no group."""
    answered = await one.post(PATH, {"name": "Trip", "members": [CONTACT, "+15550100302"]})

    assert (answered.status, answered.json["error"]) == (502, "device_error")
    assert answered.json["code"] == "not_reachable"


async def test_a_number_that_may_only_answer(both: Caller, attended: SandboxWorker) -> None:
    answered = await both.post(PATH, {**TRIP, "from_number": OTHER_LINE})

    assert (answered.status, answered.json["code"]) == (403, "inbound_only_no_prior_inbound")
    assert re.fullmatch(r"alloc_\w+", answered.json["allocation_id"])


async def test_groups_are_listed_by_name_and_time(one: Caller, attended: SandboxWorker) -> None:
    oldest = await made(one, name="Berlin")
    await made(one, name="athens", members=[CONTACT, "+15550100002"])
    await made(one, name="Cairo", members=[CONTACT, "+15550100003"])
    await sent(one, oldest)
    await attended.work()
    page = (await one.get(f"{PATH}?limit=1&offset=1&sort=name_asc")).json

    assert await listed(one, "?sort=name_asc") == ["athens", "Berlin", "Cairo"]
    assert await listed(one, "?sort=name_desc") == ["Cairo", "Berlin", "athens"]
    assert (await listed(one))[0] == "Berlin"
    assert (await listed(one, "?sort=oldest"))[-1] == "Berlin"
    assert await listed(one, "?q=air") == ["Cairo"]
    assert [each["name"] for each in page["groups"]] == [each["name"] for each in page["data"]] == ["Berlin"]
    assert page["pagination"] == {"limit": 1, "offset": 1, "total": 3}
    assert (await one.get(f"{PATH}?sort=size")).json["details"] == {"field": "sort"}


async def test_a_group_is_renamed(one: Caller, attended: SandboxWorker) -> None:
    path = f"{PATH}/{await made(one)}"
    renamed = (await one.patch(path, {"name": "Holiday"})).json
    same = (await one.patch(path, {})).json
    unnamed = (await one.patch(path, {"name": None})).json

    assert (renamed["name"], same["name"], unnamed["name"]) == ("Holiday", "Holiday", None)
    assert renamed["device_sync"] == {"chat_guid": renamed["chat_guid"], "synced": True, "error": None}
    assert "device_sync" not in same


async def test_a_number_that_cannot_rename_says_so_beside_the_group(
    world: HubWorld, one: Caller, attended: SandboxWorker
) -> None:
    path = f"{PATH}/{await made(one)}"
    line = f"/v1/lines/{line_id(world.sandbox_line)}"
    await world.api.patch(line, {"capabilities_off": ["group_rename", "group_icon", "group_leave"]})
    renamed = await one.patch(path, {"name": "Holiday"})
    icon = await put_icon(one, path.rpartition("/")[2], form())
    gone = await one.delete(path)

    assert (renamed.status, renamed.json["name"]) == (200, "Trip")
    assert renamed.json["device_sync"]["synced"] is False
    assert renamed.json["device_sync"]["error"]
    assert (icon.status, gone.status) == (502, 502)


async def test_a_device_that_takes_long_has_not_synced(
    one: Caller, worker: SandboxWorker, world: HubWorld
) -> None:
    worker.attend()
    group_id = await made(one)
    world.naps.meanwhile = world.clock.sleep  # nobody performs
    renamed = await one.patch(f"{PATH}/{group_id}", {"name": "Holiday"})

    assert (renamed.status, renamed.json["name"]) == (200, "Trip")
    assert (renamed.json["device_sync"]["synced"], renamed.json["device_sync"]["error"]) == (False, None)


async def test_an_icon_comes_and_goes(one: Caller, attended: SandboxWorker) -> None:
    group_id = await made(one)
    put = await put_icon(one, group_id, form())
    shown = (await one.get(f"{PATH}/{group_id}")).json
    members = (await one.get(f"{PATH}/{group_id}/members")).json
    taken = await one.delete(f"{PATH}/{group_id}/icon")

    assert (put.status, put.json["success"], put.json["group_id"]) == (200, True, group_id)
    assert put.json["chat_guid"] == shown["chat_guid"]
    assert put.json["device_sync"]["synced"] is True
    for url in (put.json["icon_url"], shown["icon_url"], members["icon_url"]):
        path = "/" + url.split("/", 3)[3]
        assert (await one.with_token(None).get(path)).body == PNG
    assert (taken.status, taken.json["device_sync"]["synced"]) == (200, True)
    assert "icon_url" not in taken.json
    assert (await one.get(f"{PATH}/{group_id}")).json["icon_url"] is None


@pytest.mark.parametrize("body", [form(name="photo"), form(content=b"no picture"), TWICE, b"nonsense"])
async def test_what_is_no_icon(one: Caller, attended: SandboxWorker, body: bytes) -> None:
    answered = await put_icon(one, await made(one), body)

    assert (answered.status, answered.json["error"]) == (400, "invalid_request"), answered.body


async def test_a_group_is_left(one: Caller, attended: SandboxWorker) -> None:
    group_id = await made(one)
    gone = await one.delete(f"{PATH}/{group_id}")
    asked = [
        await one.get(f"{PATH}/{group_id}"),
        await one.patch(f"{PATH}/{group_id}", {"name": "x"}),
        await one.delete(f"{PATH}/{group_id}"),
        await one.get(f"{PATH}/{group_id}/members"),
        await one.delete(f"{PATH}/{group_id}/icon"),
    ]

    assert (gone.json["success"], isinstance(gone.json["deleted_at"], int)) == (True, True)
    assert {(each.status, each.json["code"]) for each in asked} == {(404, "group_not_found")}
    assert await listed(one) == []
    assert (await one.post(PATH, TRIP)).status == 201


@pytest.mark.parametrize("name", ["grp_0000000000001", "grp_", "x", CONTACT, MAIL, f"{CONTACT},{MAIL}"])
async def test_what_names_no_group(one: Caller, attended: SandboxWorker, name: str) -> None:
    """Also where the people named have one: a group has an id."""
    await sent(one, CONTACT)
    await made(one)

    assert (await one.get(f"{PATH}/{name}")).status == 404


async def test_a_direct_chat_is_no_group(world: HubWorld, one: Caller) -> None:
    await world.say("Hello")
    chat_id: str = (await world.api.get("/v1/chats")).json["data"][0]["id"]

    assert (await one.get(f"{PATH}/grp_{chat_id.removeprefix('cht_')}")).status == 404


async def test_members_page(one: Caller, attended: SandboxWorker, both: Caller) -> None:
    await both.post("/v2/api/contacts", {"identifier": MAIL, "name": "Ann"})
    group_id = await made(one, members=["+15550100003", MAIL, CONTACT])
    page = (await one.get(f"{PATH}/{group_id}/members?limit=1&offset=1")).json
    (member,) = page["members"]
    beyond = (await one.get(f"{PATH}/{group_id}/members?offset=3")).json

    assert page["pagination"] == {"limit": 1, "offset": 1, "total": 3}
    assert (page["group_id"], page["group_name"]) == (group_id, "Trip")
    assert (beyond["members"], beyond["count"]) == ([], 3)
    everyone = (await one.get(f"{PATH}/{group_id}/members")).json["members"]
    assert everyone[1] == member
    assert {each["identifier"]: each["name"] for each in everyone} == {
        "+15550100003": None,
        MAIL: "Ann",
        CONTACT: None,
    }


async def test_a_group_of_a_number_of_somebody_else_is_not_there(
    world: HubWorld, one: Caller, both: Caller
) -> None:
    scene = contacts.group(OTHER_LINE, CONTACT, key="chat7", participants=(MAIL,), name="Theirs")
    await world.observe(world.other_line, contacts.say(scene, "Hello", guid="g7", at=world.clock.now_ms()))
    (group,) = (await both.get(PATH)).json["groups"]
    path = f"{PATH}/{group['group_id']}"
    asked = [
        await one.get(path),
        await one.patch(path, {"name": "x"}),
        await one.delete(path),
        await put_icon(one, group["group_id"], form()),
        await one.delete(f"{path}/icon"),
        await one.get(f"{path}/members"),
        await one.post(f"{path}/members", {"contact_id": MAIL}),
        await one.delete(f"{path}/members/{MAIL}"),
        await one.post(PATH, {"name": "Linked", "chat_guid": group["chat_guid"]}),
    ]

    assert (await both.get(path)).json["name"] == "Theirs"
    assert [each.status for each in asked] == [404] * 8 + [400]
    assert await listed(one) == []
    assert [each for each in asked if b"Theirs" in each.body] == []


async def test_golden(both: Caller, attended: SandboxWorker) -> None:
    answered = await both.post(PATH, {**TRIP, "from_number": SANDBOX_LINE})
    path = f"{PATH}/{answered.json['group_id']}"
    await sent(both, answered.json["group_id"], text="Hello both")
    await attended.work()

    check("group_made", unguided(answered.json))
    check("groups", unguided((await both.get(PATH)).json))
    check("group", unguided((await both.get(path)).json))
    check("group_members", unguided((await both.get(f"{path}/members")).json))
    check("group_renamed", unguided((await both.patch(path, {"name": "Holiday"})).json))
    check("group_icon", unguided((await put_icon(both, path.rpartition("/")[2], form())).json))
    check("group_501", (await both.post(f"{path}/members", {"contact_id": CONTACT})).json)
    check("group_409", (await both.post(PATH, {**TRIP, "from_number": SANDBOX_LINE})).json)


def unguided(document: Any) -> Any:
    """Give a document with the network's ids of groups as one that never changes."""
    if isinstance(document, dict):
        return {name: unguided(value) for name, value in document.items()}
    if isinstance(document, list):
        return [unguided(each) for each in document]
    return (
        re.sub(r"chat\d{18}", "chat000000000000000000", document) if isinstance(document, str) else document
    )
