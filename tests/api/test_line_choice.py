"""`from: "auto"`: a send that names no line goes where its contact is known; and groups by their network's id."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from bridge.sandbox import contacts
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld, line_id

GROUP = "chat8812"


@pytest.fixture
async def both_lines(world: HubWorld) -> HubWorld:
    """The push line may write first, as a real line that its owner opened."""
    await world.api.patch(f"/v1/lines/{line_id(world.other_line)}", {"is_contact_first": False})
    return world


async def send(world: HubWorld, to: str, *, line: str = "auto", api: Caller | None = None) -> Answered:
    body = {"from": line, "to": to, "text": "Hi"}
    return await (api or world.api).post("/v1/messages", body)


async def line_of(world: HubWorld, answered: Answered) -> str:
    assert answered.status == 201, answered.body
    shown = await world.api.get(f"/v1/messages/{answered.json['message_id']}")
    handle: str = shown.json["line_handle"]
    return handle


async def talk_in_group(world: HubWorld, key: str) -> None:
    world.clock.advance(1)
    scene = contacts.group(OTHER_LINE, CONTACT, key=key, participants=(STRANGER,))
    said = contacts.say(scene, "All here?", guid=f"g-{world.new_id()}", at=world.clock.now_ms())
    await world.observe(world.other_line, said)


@pytest.mark.parametrize(
    ("wrote", "expected"),
    [
        ((), OTHER_LINE),  # nobody knows them: the sandbox is the last resort
        ((SANDBOX_LINE,), SANDBOX_LINE),
        ((OTHER_LINE, SANDBOX_LINE), SANDBOX_LINE),
        ((SANDBOX_LINE, OTHER_LINE), OTHER_LINE),
    ],
)
async def test_the_line_that_last_spoke_with_the_contact_sends(
    both_lines: HubWorld, wrote: Sequence[str], expected: str
) -> None:
    for handle in wrote:
        line = both_lines.sandbox_line if handle == SANDBOX_LINE else both_lines.other_line
        await both_lines.say("Hello", line=line, contact=STRANGER)

    assert await line_of(both_lines, await send(both_lines, STRANGER)) == expected


async def test_a_chat_is_its_lines(both_lines: HubWorld) -> None:
    await both_lines.say("Hello", contact=STRANGER)
    chat = (await both_lines.api.get("/v1/chats")).json["data"][0]["id"]
    await both_lines.say("Hello", line=both_lines.other_line, contact=STRANGER)

    assert await line_of(both_lines, await send(both_lines, chat)) == SANDBOX_LINE


@pytest.mark.parametrize("key", [GROUP, "120363@g.us"])
@pytest.mark.parametrize("prefix", ["", "iMessage;+;"])
async def test_a_group_is_found_by_its_networks_id(both_lines: HubWorld, key: str, prefix: str) -> None:
    await talk_in_group(both_lines, key)
    chosen = await send(both_lines, prefix + key)
    named = await send(both_lines, prefix + key, line=OTHER_LINE)

    assert await line_of(both_lines, chosen) == OTHER_LINE
    assert await line_of(both_lines, named) == OTHER_LINE


async def test_a_line_that_is_off_is_passed_over(both_lines: HubWorld) -> None:
    await both_lines.say("Hello", line=both_lines.other_line, contact=STRANGER)
    await both_lines.api.patch(f"/v1/lines/{line_id(both_lines.other_line)}", {"is_active": False})

    assert await line_of(both_lines, await send(both_lines, STRANGER)) == SANDBOX_LINE


async def test_a_key_gets_only_lines_of_its_own(both_lines: HubWorld) -> None:
    await both_lines.say("Hello", line=both_lines.other_line, contact=STRANGER)
    api = await both_lines.caller("messages:write", lines=(both_lines.sandbox_line,))

    assert await line_of(both_lines, await send(both_lines, STRANGER, api=api)) == SANDBOX_LINE


async def test_the_outbox_names_the_line_that_was_chosen(world: HubWorld) -> None:
    await world.say("Hello")
    item = (await send(world, CONTACT)).json["id"]

    assert (await world.api.get(f"/v1/outbox?id={item}")).json["payload"]["from"] == SANDBOX_LINE


@pytest.mark.parametrize(
    ("to", "code", "param"),
    [
        ("cht_0000000000000", "chat_not_found", "to"),
        ("cht_nonsense", "chat_not_found", "to"),
        (GROUP, "invalid_parameter_value", "to"),
        ("iMessage;-;nobody", "invalid_parameter_value", "to"),
    ],
)
async def test_what_leads_nowhere_is_refused(world: HubWorld, to: str, code: str, param: str) -> None:
    answered = await send(world, to)

    assert (answered.code, answered.param) == (code, param)


async def test_without_a_line_that_can_send_there_is_none_to_choose(world: HubWorld) -> None:
    for line in (world.sandbox_line, world.other_line):
        await world.api.patch(f"/v1/lines/{line_id(line)}", {"is_active": False})
    answered = await send(world, CONTACT)

    assert (answered.code, answered.param) == ("line_not_found", "from")


async def test_a_bulk_send_takes_the_first_line_that_can_send(both_lines: HubWorld) -> None:
    body: dict[str, Any] = {"from": "auto", "text": "Hi", "recipients": [{"to": CONTACT}]}
    made = await both_lines.api.post("/v1/bulk", body)

    assert (made.status, made.json["from"]) == (201, OTHER_LINE)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chats", {"participants": [CONTACT, STRANGER]}),
        ("/v1/polls", {"to": CONTACT, "title": "Lunch?", "options": ["Soup", "Salad"]}),
        ("/v1/typing", {"to": CONTACT}),
    ],
)
async def test_whatever_begins_a_conversation_may_leave_the_line_to_us(
    world: HubWorld, path: str, body: dict[str, Any]
) -> None:
    await world.say("Hello")
    sandbox_alone = await world.caller("admin", lines=(world.sandbox_line,))
    answered = await sandbox_alone.post(path, {"from": "auto", **body})
    assert answered.status == 201, answered.body
    item = (await world.api.get(f"/v1/outbox?id={answered.json['id']}")).json

    assert item["line_id"] == line_id(world.sandbox_line)
    assert item["payload"]["from"] == SANDBOX_LINE
