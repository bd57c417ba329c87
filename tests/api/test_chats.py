"""Chats are listed, looked up and shown; marks of reading are kept once the network took them."""

from __future__ import annotations

from typing import Any

import pytest

from hub.api.chat_shapes import PREVIEW_LENGTH
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld
from tests.support.sandbox_worker import SandboxWorker

TEAM = {"contact": CONTACT, "group": "team"}
FROM = f"from=%2B{SANDBOX_LINE[1:]}"


async def chats(world: HubWorld, query: str = "") -> list[dict[str, Any]]:
    answered = await world.api.get(f"/v1/chats?{query}")
    assert answered.status == 200, answered.body
    data: list[dict[str, Any]] = answered.json["data"]
    return data


async def act(world: HubWorld, deed: str, **body: Any) -> dict[str, Any]:
    world.clock.advance(1)
    answered = await world.api.post(f"/v1/sandbox/{deed}", body)
    assert answered.status == 201, answered.body
    acted: dict[str, Any] = answered.json
    return acted


async def test_a_chat_is_shown_with_its_last_message_and_what_is_unread(world: HubWorld) -> None:
    await world.say("One")
    await world.say("Two" * 100)
    (chat,) = await chats(world, FROM)
    shown = (await world.api.get(f"/v1/chats/{chat['id']}")).json

    assert (chat["identifier"], chat["participants"], chat["unread_count"]) == (CONTACT, [CONTACT], 2)
    assert len(chat["last_message"]["text"]) == PREVIEW_LENGTH
    assert (chat["last_message"]["is_from_me"], chat["last_message"]["status"]) == (False, "received")
    counts = (
        shown["message_count"],
        shown["inbound_count"],
        shown["outbound_count"],
        shown["is_count_capped"],
    )
    assert counts == (2, 2, 0, False)
    assert {name: shown[name] for name in chat} == chat


async def test_without_a_line_the_chats_of_all_that_the_key_may_see(world: HubWorld) -> None:
    await world.say("Hi")
    await world.say("Hi", line=world.other_line, contact=STRANGER)
    mine = await world.caller("chats:read", lines=(world.other_line,))
    seen = (await mine.get("/v1/chats")).json["data"]  # the sandbox line is open to every key

    assert [each["identifier"] for each in await chats(world)] == [STRANGER, CONTACT]
    assert [each["identifier"] for each in seen] == [STRANGER, CONTACT]
    assert [each["identifier"] for each in await chats(world, f"from=%2B{OTHER_LINE[1:]}")] == [STRANGER]


async def test_chats_are_looked_up(world: HubWorld) -> None:
    await world.say("Hi")
    await act(world, "group", **TEAM, participants=[STRANGER], name="Trip to Rome")
    ids = {chat["is_group"]: chat["id"] for chat in await chats(world)}
    looked_up = {
        query: [chat["is_group"] for chat in await chats(world, query)]
        for query in (
            "q=rome",
            "q=0001",
            "is_group=true",
            "is_group=false",
            "unread=true",
            "unread=false",
            f"participant=%2B{CONTACT[1:]}",
            f"participant=+{STRANGER[1:]}",
            f"participant=%2B{CONTACT[1:]},%2B{STRANGER[1:]}",
            f"participant=%2B{CONTACT[1:]},%2B15550100077",
        )
    }

    assert len(ids) == 2
    assert list(looked_up.values()) == [
        [True],
        [False, True],
        [True],
        [False],
        [False],
        [True],
        [False, True],
        [True],
        [True],
        [],
    ]


async def test_pages_of_all_lines_neither_skip_nor_repeat(world: HubWorld) -> None:
    for number in range(5):
        line = world.other_line if number % 2 else world.sandbox_line
        await world.say("Hi", line=line, contact=f"+1555010010{number}")
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await world.api.get(f"/v1/chats?limit=2{cursor}")).json
        seen += [chat["identifier"] for chat in page["data"]]
        if not page["has_more"]:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert seen == [f"+1555010010{number}" for number in (4, 3, 2, 1, 0)]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("is_group=maybe", "is_group"),
        ("unread=2", "unread"),
        ("q=", "q"),
        ("participant=,", "participant"),
        ("participant=" + ",".join(f"a{n}@b.example" for n in range(32)), "participant"),
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
    ],
)
async def test_queries_that_are_refused(world: HubWorld, query: str, param: str) -> None:
    answered = await world.api.get(f"/v1/chats?{query}")

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


async def test_marks_of_reading_are_kept_once_the_network_took_them(world: HubWorld) -> None:
    worker = SandboxWorker(world)
    worker.attend()
    await world.say("Hi")
    path = f"/v1/chats/{(await chats(world))[0]['id']}"
    read = await world.api.post(f"{path}/read", headers={"Prefer": "wait=5"})
    after = (await world.api.get(path)).json
    unread = await world.api.post(f"{path}/unread", headers={"Prefer": "wait=5"})
    again = (await world.api.get(path)).json

    assert (read.status, read.json["state"], unread.json["state"]) == (201, "sent", "sent")
    assert (after["unread_count"], after["is_marked_unread"]) == (0, False)
    assert after["own_read_at"] is not None
    assert again["is_marked_unread"] is True


@pytest.mark.parametrize("body", [None, {"state": "off"}, b""])
async def test_typing_in_a_chat(world: HubWorld, body: Any) -> None:
    await world.say("Hi")
    path = f"/v1/chats/{(await chats(world))[0]['id']}/typing"

    assert (await world.api.post(path, body)).status == 201


async def test_what_is_not_a_chat(world: HubWorld) -> None:
    for path in ("cht_0000000000000", "cht_nonsense", "+15550100001", "ln_0000000000000"):
        for method, rest in (("GET", ""), ("POST", "/read"), ("GET", "/background")):
            answered = await world.api.request(method, f"/v1/chats/{path}{rest}")
            assert (answered.status, answered.code) == (404, "chat_not_found"), (path, rest)


async def test_a_chat_of_another_line_is_not_for_a_restricted_key(world: HubWorld) -> None:
    await world.say("Hi", line=world.other_line)
    path = f"/v1/chats/{(await chats(world))[0]['id']}"
    caller = await world.caller("admin", lines=(world.sandbox_line,))

    assert (await caller.get(path)).code == "line_not_accessible"
    assert (await caller.post(f"{path}/read")).code == "line_not_accessible"
    assert (await caller.get("/v1/chats")).json["data"] == []
