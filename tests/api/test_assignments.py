"""PUT and DELETE /v1/chats/{id}/assignee: who takes care of a chat, shown and told."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld

SUPPORT = {"team": "support", "note": "Asks for a refund"}


async def chat_id(world: HubWorld) -> str:
    await world.say("Hi")
    listed = await world.api.get("/v1/chats")
    found: str = listed.json["data"][0]["id"]
    return found


async def assign(world: HubWorld, chat: str, **body: Any) -> Answered:
    return await world.api.request("PUT", f"/v1/chats/{chat}/assignee", body=body)


async def told(world: HubWorld) -> list[dict[str, Any]]:
    events = (await world.api.get("/v1/events?type=chat.assigned")).json["data"]
    return [event["data"] for event in events]


async def test_a_chat_is_given_to_somebody_and_shown_with_them(world: HubWorld) -> None:
    chat = await chat_id(world)
    assert (await world.api.get(f"/v1/chats/{chat}")).json["assignee"] is None

    answered = await assign(world, chat, **SUPPORT)

    assert answered.status == 200, answered.body
    assert (answered.json["team"], answered.json["user"], answered.json["changed"]) == ("support", None, True)
    now = world.clock.now_ms()
    expected = {"team": "support", "user": None, "note": "Asks for a refund", "assigned_at": now}
    assert (await world.api.get(f"/v1/chats/{chat}")).json["assignee"] == expected
    assert (await world.api.get("/v1/chats")).json["data"][0]["assignee"] == expected
    (event,) = await told(world)
    assert (event["chat_id"], event["team"], event["previous_team"]) == (chat, "support", None)


async def test_it_is_handed_on_and_let_go(world: HubWorld) -> None:
    chat = await chat_id(world)
    await assign(world, chat, **SUPPORT)

    await assign(world, chat, user="ada")
    released = await world.api.delete(f"/v1/chats/{chat}/assignee")

    assert (released.json["team"], released.json["assigned_at"], released.json["changed"]) == (
        None,
        None,
        True,
    )
    assert (await world.api.get(f"/v1/chats/{chat}")).json["assignee"] is None
    last, middle, _ = await told(world)
    assert (middle["user"], middle["team"], middle["previous_team"]) == ("ada", None, "support")
    assert (last["user"], last["previous_user"]) == (None, "ada")


async def test_who_has_it_already_is_told_once(world: HubWorld) -> None:
    chat = await chat_id(world)

    answers = await asyncio.gather(*(assign(world, chat, **SUPPORT) for _ in range(4)))
    nobody = await world.api.delete(f"/v1/chats/{await chat_id(world)}/assignee")

    assert sorted(answer.json["changed"] for answer in answers) == [False, False, False, True]
    assert nobody.json["changed"] is True
    assert len(await told(world)) == 2


async def test_a_message_leaves_the_assignee_alone(world: HubWorld) -> None:
    chat = await chat_id(world)
    await assign(world, chat, **SUPPORT)

    await world.say("And then?")

    assert (await world.api.get(f"/v1/chats/{chat}")).json["assignee"]["team"] == "support"


async def test_somebody_must_be_named(world: HubWorld) -> None:
    chat = await chat_id(world)

    for body, code in (
        ({}, "missing_required_parameter"),
        ({"note": "x"}, "missing_required_parameter"),
        ({"team": ""}, "invalid_parameter_value"),
        ({"tema": "x"}, "invalid_parameter_value"),
    ):
        assert (await assign(world, chat, **body)).code == code
    assert (await assign(world, "cht_0000000000000", team="a")).code == "chat_not_found"
