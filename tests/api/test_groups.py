"""Groups over the surface: the network decides, the chat follows, events tell."""

from __future__ import annotations

from typing import Any

import pytest

from hub.model.ids import Prefix, parse_id
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker

WAIT = {"Prefer": "wait=5"}
SECOND, THIRD = "+15550100002", "+15550100003"
GROUP = {"from": SANDBOX_LINE, "participants": [CONTACT, SECOND], "name": "Trip"}
MANY = [f"+1555010{number:04}" for number in range(100, 132)]
PNG = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.fixture
def worker(world: HubWorld) -> SandboxWorker:
    worker = SandboxWorker(world)
    worker.attend()
    return worker


async def made(world: HubWorld, **more: Any) -> str:
    """Make a group; give its chat's id."""
    answered = await world.api.post("/v1/chats", {**GROUP, **more}, headers=WAIT)
    assert (answered.status, answered.json["state"]) == (201, "sent"), answered.body
    chat_id: str = answered.json["result"]["chat_id"]
    return chat_id


async def shown(world: HubWorld, chat_id: str) -> dict[str, Any]:
    answered = await world.api.get(f"/v1/chats/{chat_id}")
    assert answered.status == 200, answered.body
    chat: dict[str, Any] = answered.json
    return chat


async def ask(world: HubWorld, method: str, path: str, body: Any = None) -> Answered:
    return await world.api.request(method, path, body=body, headers=WAIT)


async def event_types(world: HubWorld) -> list[str]:
    return [each.type for each in await world.store.events.page(first_id=0, last_id=2**62, limit=100)]


async def picture(world: HubWorld, content: bytes = PNG, kind: str = "image/png") -> str:
    answered = await world.api.request("POST", "/v1/files", body=content, headers={"Content-Type": kind})
    assert answered.status == 201, answered.body
    file_id: str = answered.json["id"]
    return file_id


async def test_a_group_is_made_with_the_networks_verdict(world: HubWorld, worker: SandboxWorker) -> None:
    chat_id = await made(world, text="Hello both")
    before = await shown(world, chat_id)
    await worker.listen()
    after = await shown(world, chat_id)

    assert (before["name"], before["is_group"], before["participants"]) == ("Trip", True, [CONTACT, SECOND])
    assert after["last_message"]["text"] == "Hello both"
    assert await event_types(world) == [
        "chat.member_added",
        "chat.member_added",
        "chat.renamed",
        "message.sent",
        "message.delivered",
    ]


async def test_without_the_wish_to_wait_the_answer_is_at_once(world: HubWorld) -> None:
    answered = await world.api.post("/v1/chats", GROUP)

    assert (answered.status, answered.json["status"]) == (201, "pending")
    assert "result" not in answered.json


async def test_a_group_lives(world: HubWorld, worker: SandboxWorker) -> None:
    path = f"/v1/chats/{await made(world)}"
    file_id = await picture(world)
    answers = [
        await ask(world, "PATCH", path, {"name": "Holiday"}),
        await ask(world, "POST", f"{path}/participants", {"handle": "+1 (555) 010-0003"}),
        await ask(world, "DELETE", f"{path}/participants/%2B{SECOND[1:]}"),
        await ask(world, "PUT", f"{path}/icon", {"file_id": file_id}),
    ]
    stands = (await world.api.get(path)).json
    await worker.listen()
    followed = (await world.api.get(path)).json

    assert [(each.status, each.json["state"]) for each in answers] == [
        (202, "sent"),
        (201, "sent"),
        (202, "sent"),
        (202, "sent"),
    ]
    assert (stands["name"], stands["participants"]) == ("Holiday", [CONTACT, THIRD])
    assert stands["icon_file_id"] == file_id
    for name in ("name", "participants", "icon_file_id", "left_at"):
        assert followed[name] == stands[name]
    assert await world.store.files.lines_of(parse_id(Prefix.FILE, file_id)) == {world.sandbox_line.id}
    gone = await ask(world, "DELETE", f"{path}/icon")
    left = await ask(world, "POST", f"{path}/leave")
    assert [gone.json["state"], left.json["state"]] == ["sent", "sent"]
    assert (await world.api.get(path)).json["icon_file_id"] is None
    again = await ask(world, "PATCH", path, {"name": "x"})
    assert (again.status, again.code) == (409, "chat_left")


@pytest.mark.parametrize(
    "handle", [f"+{SECOND[1:]}", f"%2B{SECOND[1:]}", "ada@example.com", "Ada%40Example.com"]
)
async def test_a_handle_in_the_path_may_be_encoded_or_not(
    world: HubWorld, worker: SandboxWorker, handle: str
) -> None:
    chat_id = await made(world, participants=[CONTACT, SECOND, "ada@example.com"])
    answered = await ask(world, "DELETE", f"/v1/chats/{chat_id}/participants/{handle}")

    assert answered.json["state"] == "sent"
    assert len((await shown(world, chat_id))["participants"]) == 2


@pytest.mark.parametrize(
    ("method", "rest", "body", "error"),
    [
        ("POST", "/participants", {"handle": CONTACT}, "already_member"),
        ("POST", "/participants", {"handle": "+15550100404"}, "not_reachable"),
        ("DELETE", f"/participants/{STRANGER}", None, "not_a_member"),
        ("DELETE", "/icon", None, "no_icon"),
    ],
)
async def test_the_networks_refusal_is_told(  # noqa: PLR0917 - a row of the table
    world: HubWorld, worker: SandboxWorker, method: str, rest: str, body: Any, error: str
) -> None:
    answered = await ask(world, method, f"/v1/chats/{await made(world)}{rest}", body)

    assert (answered.json["state"], answered.json["error"].partition(":")[0]) == ("failed", error)


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("PATCH", "", {"name": "x"}),
        ("PUT", "/icon", {"file_id": "file_0000000000000"}),
        ("DELETE", "/icon", None),
        ("POST", "/participants", {"handle": STRANGER}),
        ("DELETE", f"/participants/{STRANGER}", None),
        ("POST", "/leave", None),
    ],
)
async def test_a_direct_chat_is_no_group(world: HubWorld, method: str, rest: str, body: Any) -> None:
    await world.say("Hi")
    chat_id = (await world.api.get("/v1/chats")).json["data"][0]["id"]
    answered = await world.api.request(method, f"/v1/chats/{chat_id}{rest}", body=body)

    assert (answered.status, answered.code) == (409, "not_a_group")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"participants": [CONTACT, SECOND]}, "missing_required_parameter", "from"),
        ({"from": SANDBOX_LINE}, "missing_required_parameter", "participants"),
        ({**GROUP, "participants": []}, "invalid_parameter_value", "participants"),
        ({**GROUP, "participants": [CONTACT]}, "invalid_parameter_value", "participants"),
        ({**GROUP, "participants": [CONTACT, "+1 555 010 0001"]}, "invalid_parameter_value", "participants"),
        ({**GROUP, "participants": [CONTACT, "nobody"]}, "invalid_parameter_value", "participants[1]"),
        ({**GROUP, "participants": [CONTACT, "5550100002"]}, "invalid_parameter_value", "participants[1]"),
        ({**GROUP, "participants": [SANDBOX_LINE, CONTACT]}, "invalid_parameter_value", "participants[0]"),
        ({**GROUP, "participants": MANY}, "invalid_parameter_value", "participants"),
        ({**GROUP, "participants": [CONTACT, 5]}, "invalid_parameter_value", "participants[1]"),
        ({**GROUP, "name": "x" * 256}, "invalid_parameter_value", "name"),
        ({**GROUP, "text": ""}, "invalid_parameter_value", "text"),
        ({**GROUP, "colour": "red"}, "invalid_parameter_value", "colour"),
        ({**GROUP, "from": "+15550109999"}, "line_not_found", "from"),
        ({**GROUP, "from": OTHER_LINE}, "contact_has_not_messaged", "participants[0]"),
    ],
)  # fmt: skip
async def test_groups_that_are_refused(world: HubWorld, body: dict[str, Any], code: str, param: str) -> None:
    answered = await world.api.post("/v1/chats", body)

    assert (answered.code, answered.param) == (code, param)


@pytest.mark.parametrize(
    ("method", "rest", "body", "code", "param"),
    [
        ("PATCH", "", {}, "missing_required_parameter", "name"),
        ("PATCH", "", {"name": 5}, "invalid_parameter_value", "name"),
        ("PATCH", "", {"title": "x"}, "missing_required_parameter", "name"),
        ("POST", "/participants", {"handle": "nobody"}, "invalid_parameter_value", "handle"),
        ("POST", "/participants", {"handle": SANDBOX_LINE}, "invalid_parameter_value", "handle"),
        ("DELETE", "/participants/nobody", None, "invalid_parameter_value", "handle"),
        ("PUT", "/icon", {"file_id": "file_0000000000000"}, "file_not_found", "file_id"),
        ("PUT", "/icon", {"file_id": "msg_0000000000000"}, "invalid_parameter_value", "file_id"),
        ("PUT", "/icon", {}, "missing_required_parameter", "file_id"),
    ],
)
async def test_changes_that_are_refused(  # noqa: PLR0917 - a row of the table
    world: HubWorld, worker: SandboxWorker, method: str, rest: str, body: Any, code: str, param: str
) -> None:
    answered = await world.api.request(method, f"/v1/chats/{await made(world)}{rest}", body=body)

    assert (answered.code, answered.param) == (code, param)


async def test_only_a_picture_is_an_icon(world: HubWorld, worker: SandboxWorker) -> None:
    file_id = await picture(world, b"just words", "text/plain")
    answered = await world.api.request(
        "PUT", f"/v1/chats/{await made(world)}/icon", body={"file_id": file_id}
    )

    assert (answered.status, answered.param) == (400, "file_id")


async def test_a_picture_is_kept_while_it_is_shown_and_let_go_then(
    world: HubWorld, worker: SandboxWorker
) -> None:
    path = f"/v1/chats/{await made(world)}/icon"
    first, second = await picture(world), await picture(world, PNG + b"x")
    for file_id in (first, second):
        await ask(world, "PUT", path, {"file_id": file_id})
    freed = await world.api.delete(f"/v1/files/{first}")
    kept = await world.api.delete(f"/v1/files/{second}")
    await ask(world, "DELETE", path)

    assert (freed.status, kept.code) == (200, "file_in_use")
    assert (await world.api.delete(f"/v1/files/{second}")).status == 200


async def test_the_same_key_for_another_chat_is_another_request(
    world: HubWorld, worker: SandboxWorker
) -> None:
    first, second = await made(world), await made(world, name="Other")
    headers = {"Idempotency-Key": "k1"}
    body = {"handle": THIRD}
    one = await world.api.post(f"/v1/chats/{first}/participants", body, headers=headers)
    repeated = await world.api.post(f"/v1/chats/{first}/participants", body, headers=headers)
    other = await world.api.post(f"/v1/chats/{second}/participants", body, headers=headers)

    assert one.json["id"] == repeated.json["id"]
    assert (other.status, other.code) == (409, "idempotency_key_conflict")


async def test_what_a_line_cannot_do_to_a_group_is_refused_by_name(
    world: HubWorld, worker: SandboxWorker
) -> None:
    chat_id = await made(world)
    path = f"/v1/lines/{line_id(world.sandbox_line)}"
    await world.api.patch(path, {"capabilities_off": ["group_rename", "group_create"]})
    renamed = await world.api.patch(f"/v1/chats/{chat_id}", {"name": "x"})
    again = await world.api.post("/v1/chats", GROUP)

    assert [each.code for each in (renamed, again)] == ["advanced_features_required"] * 2
    assert "'group_rename'" in renamed.json["error"]["message"]


async def test_a_group_of_contacts_is_known_to_the_network(world: HubWorld, worker: SandboxWorker) -> None:
    """What contacts do and what we do meet in one group."""
    await world.api.post("/v1/sandbox/group", {"contact": CONTACT, "group": "team", "participants": [SECOND]})
    (chat,) = (await world.api.get("/v1/chats")).json["data"]
    world.clock.advance(1)
    renamed = await ask(world, "PATCH", f"/v1/chats/{chat['id']}", {"name": "Ours"})
    world.clock.advance(1)
    await world.api.post("/v1/sandbox/add", {"contact": CONTACT, "group": chat["id"], "member": THIRD})
    removed = await ask(world, "DELETE", f"/v1/chats/{chat['id']}/participants/{THIRD}")
    world.clock.advance(1)
    await world.api.post("/v1/sandbox/say", {"contact": SECOND, "group": chat["id"], "text": "Hi"})
    await worker.listen()
    stands = await shown(world, chat["id"])

    assert [renamed.json["state"], removed.json["state"]] == ["sent", "sent"]
    assert (stands["name"], stands["participants"]) == ("Ours", [CONTACT, SECOND])


async def test_a_line_that_was_put_out_can_come_back(world: HubWorld, worker: SandboxWorker) -> None:
    chat_id = await made(world)
    await worker.listen()
    body = {"contact": CONTACT, "group": chat_id, "member": SANDBOX_LINE}
    await world.api.post("/v1/sandbox/remove", body)
    out = await ask(world, "PATCH", f"/v1/chats/{chat_id}", {"name": "x"})
    world.clock.advance(1)
    await world.api.post("/v1/sandbox/add", body)
    back = await ask(world, "PATCH", f"/v1/chats/{chat_id}", {"name": "x"})

    assert (out.code, back.json["state"]) == ("chat_left", "sent")


async def test_groups_that_were_left_are_listed_apart(world: HubWorld, worker: SandboxWorker) -> None:
    left, kept = await made(world), await made(world, participants=[CONTACT, THIRD])
    await ask(world, "POST", f"/v1/chats/{left}/leave")

    async def listed(wanted: str) -> list[str]:
        answered = await world.api.get(f"/v1/chats?is_group=true&left={wanted}&include_total=true")
        ids = [each["id"] for each in answered.json["data"]]
        assert answered.json["total"] == len(ids)
        return ids

    assert (await listed("true"), await listed("false")) == ([left], [kept])


async def test_who_is_in_a_chat_is_told_with_contacts(world: HubWorld, worker: SandboxWorker) -> None:
    path = f"/v1/chats/{await made(world)}/participants"
    contact = (await world.api.post("/v1/contacts", {"name": "Ann", "handles": [SECOND]})).json
    without = await world.caller("chats:read")

    assert (await world.api.get(path)).json["data"] == [
        {"handle": CONTACT, "contact": None, "joined_at": None},
        {"handle": SECOND, "contact": {"id": contact["id"], "name": "Ann"}, "joined_at": None},
    ]
    assert [each["contact"] for each in (await without.get(path)).json["data"]] == [None, None]
    assert (await world.api.get("/v1/chats/cht_0000000000001/participants")).code == "chat_not_found"


async def test_who_joins_is_told_with_the_time(world: HubWorld, worker: SandboxWorker) -> None:
    path = f"/v1/chats/{await made(world)}/participants"
    began = world.clock.now_ms()
    await worker.listen()
    world.clock.advance(60_000)
    joined = world.clock.now_ms()
    await ask(world, "POST", path, {"handle": THIRD})
    await worker.listen()
    people = {each["handle"]: each["joined_at"] for each in (await world.api.get(path)).json["data"]}

    assert set(people) == {CONTACT, SECOND, THIRD}
    assert people[CONTACT] == people[SECOND] <= began
    assert joined <= people[THIRD] <= world.clock.now_ms()


async def test_scopes(world: HubWorld, worker: SandboxWorker) -> None:
    chat_id = await made(world)
    reader = await world.caller("chats:read")
    writer = await world.caller("chats:write")

    assert (await reader.get(f"/v1/chats/{chat_id}")).status == 200
    assert (await reader.patch(f"/v1/chats/{chat_id}", {"name": "x"})).code == "insufficient_scope"
    assert (await writer.patch(f"/v1/chats/{chat_id}", {"name": "x"})).status == 202
    assert (await writer.get(f"/v1/chats/{chat_id}")).code == "insufficient_scope"
