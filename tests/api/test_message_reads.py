"""Messages are listed, searched, read and explained; what a key may not see is refused or left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.api.paging import write_cursor
from hub.model.observation import ObservedMessage, Part
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld

NO_SUCH = "0000000000000"


async def listed(caller: Caller, **query: Any) -> Answered:
    if "from_" in query:
        query["from"] = query.pop("from_")
    return await caller.get(f"/v1/messages?{urlencode(query)}")


async def texts(caller: Caller, **query: Any) -> list[str]:
    """The texts of one page."""
    answered = await listed(caller, **query)
    assert answered.status == 200, answered.body
    return [message["text"] for message in answered.json["data"]]


@dataclass(frozen=True)
class Said:
    """What was said before each test, oldest first: one, two (to the other line), three (by a stranger), Ünd vier."""

    times: tuple[int, ...]


@pytest.fixture
async def said(world: HubWorld) -> Said:
    times = []
    for text, line, contact in (
        ("one", world.sandbox_line, CONTACT),
        ("two", world.other_line, CONTACT),
        ("three", world.sandbox_line, STRANGER),
        ("Ünd vier", world.sandbox_line, CONTACT),
    ):
        await world.say(text, line=line, contact=contact)
        times.append(world.clock.now_ms())
        world.clock.advance(1000)
    return Said(tuple(times))


async def test_a_chat_as_the_native_contract_has_it(world: HubWorld, said: Said) -> None:
    answered = await listed(world.api, from_=SANDBOX_LINE, to=CONTACT)

    assert [message["text"] for message in answered.json["data"]] == ["Ünd vier", "one"]
    assert (answered.json["has_more"], answered.json["next_cursor"]) == (False, None)
    assert all(type(message["sent_at"]) is int for message in answered.json["data"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["Ünd vier", "three", "two", "one"]),
        ({"sort": "oldest"}, ["one", "two", "three", "Ünd vier"]),
        ({"from_": OTHER_LINE}, ["two"]),
        ({"to": CONTACT}, ["Ünd vier", "two", "one"]),
        ({"from_": SANDBOX_LINE, "to": STRANGER}, ["three"]),
        ({"direction": "inbound", "from_": OTHER_LINE}, ["two"]),
        ({"direction": "outbound"}, []),
        ({"status": "received", "to": STRANGER}, ["three"]),
        ({"status": "failed"}, []),
        ({"service": "IMESSAGE", "to": STRANGER}, ["three"]),
        ({"service": "sms"}, []),
        ({"has_attachments": "false", "from_": OTHER_LINE}, ["two"]),
        ({"has_attachments": "true"}, []),
        ({"q": "üND"}, ["Ünd vier"]),
        ({"q": "e", "sort": "oldest"}, ["one", "three", "Ünd vier"]),
        ({"job_id": f"job_{NO_SUCH}"}, []),
    ],
)
async def test_filters(world: HubWorld, said: Said, query: dict[str, str], expected: list[str]) -> None:
    assert await texts(world.api, **query) == expected


async def test_a_range_of_time_holds_its_beginning_but_not_its_end(world: HubWorld, said: Said) -> None:
    assert await texts(world.api, since=said.times[1], until=said.times[3]) == ["three", "two"]


async def test_what_came_in_late_is_found_by_when_it_was_stored(world: HubWorld, said: Said) -> None:
    """It was written before all others, and stands there in any other list."""
    world.clock.advance(60_000)
    late = ObservedMessage(
        provider_id="late", parts=(Part(type="text", text="late"),), sent_at=said.times[0] - 1
    )
    seen = contacts.say(contacts.direct(SANDBOX_LINE, CONTACT), "", guid="late", at=world.clock.now_ms())
    await world.observe(world.sandbox_line, msgspec.structs.replace(seen, message=late))
    stored_at = world.clock.now_ms()

    assert await texts(world.api, sort="oldest") == ["late", "one", "two", "three", "Ünd vier"]
    assert await texts(world.api, synced_since=said.times[3]) == ["late", "Ünd vier"]
    assert await texts(world.api, synced_since=said.times[2] + 1, sort="oldest") == ["Ünd vier", "late"]
    assert await texts(world.api, synced_since=stored_at) == ["late"]
    assert await texts(world.api, synced_since=stored_at + 1) == []
    assert await texts(world.api, synced_before=said.times[1]) == ["one"]
    assert await texts(world.api, synced_since=0, to=STRANGER) == ["three"]
    assert await texts(world.api, synced_since=0, from_=OTHER_LINE, direction="inbound") == ["two"]
    assert await texts(world.api, synced_since=0, direction="outbound") == []
    assert (await listed(world.api, synced_since=stored_at)).json["data"][0]["synced_at"] == stored_at


async def test_what_was_stored_is_paged_while_more_comes(world: HubWorld, said: Said) -> None:
    first = (await listed(world.api, synced_since=0, sort="oldest", limit=3)).json
    await world.say("five")
    more = {"synced_since": 0, "sort": "oldest", "limit": 3, "cursor": first["next_cursor"]}
    rest = (await listed(world.api, **more)).json

    assert [message["text"] for message in first["data"] + rest["data"]] == [
        "one", "two", "three", "Ünd vier", "five",
    ]  # fmt: skip
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)


async def test_pages_go_on_where_the_last_one_ended(world: HubWorld, said: Said) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(2):
        answered = await listed(world.api, limit=2, **cursor)
        await world.say("new", contact=CONTACT)
        seen += [message["text"] for message in answered.json["data"]]
        cursor = {"cursor": answered.json["next_cursor"]}

    assert seen == ["Ünd vier", "three", "two", "one"]
    assert answered.json["has_more"] is False


async def test_a_chat_id_alone_is_enough(world: HubWorld, said: Said) -> None:
    chat_id = (await listed(world.api, from_=OTHER_LINE)).json["data"][0]["chat_id"]

    assert await texts(world.api, to=chat_id) == ["two"]


async def test_what_waits_is_listed(world: HubWorld, said: Said) -> None:
    await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"})
    queued = (await listed(world.api, status="queued")).json["data"]

    assert [(message["text"], message["status"], message["is_from_me"]) for message in queued] == [
        ("Hello", "queued", True)
    ]
    assert type(queued[0]["sent_at"]) is int
    assert await texts(world.api, from_=SANDBOX_LINE, to=CONTACT, limit=1) == ["Hello"]


async def test_a_restricted_key_sees_its_lines_only(world: HubWorld, said: Said) -> None:
    """And the sandbox, which is open to every key."""
    other = await world.caller("messages:read", lines=(world.other_line,))
    sandbox = await world.caller("messages:read", lines=(world.sandbox_line,))
    chat_id = (await listed(world.api, from_=OTHER_LINE)).json["data"][0]["chat_id"]
    message_id = (await listed(world.api, from_=OTHER_LINE)).json["data"][0]["id"]

    assert await texts(other) == ["Ünd vier", "three", "two", "one"]
    assert await texts(sandbox) == ["Ünd vier", "three", "one"]
    assert await texts(sandbox, to=CONTACT) == ["Ünd vier", "one"]
    for path in (
        f"/v1/messages?from=%2B{OTHER_LINE[1:]}",
        f"/v1/messages?to={chat_id}",
        f"/v1/messages/{message_id}",
        f"/v1/messages/{message_id}/timeline",
        f"/v1/reactions?message_id={message_id}",
    ):
        caller = await world.caller("messages:read", "reactions:read", lines=(world.sandbox_line,))
        answered = await caller.get(path)

        assert (answered.status, answered.code) == (403, "line_not_accessible"), path


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ({"from_": "+15550109999"}, (404, "line_not_found", "from")),
        ({"from_": SANDBOX_LINE, "to": "+15550109999"}, (404, "chat_not_found", "to")),
        ({"to": "+15550109999"}, (404, "chat_not_found", "to")),
        ({"to": f"cht_{NO_SUCH}"}, (404, "chat_not_found", "to")),
        ({"to": "cht_x"}, (404, "chat_not_found", "to")),
        ({"to": "nobody"}, (400, "invalid_parameter_value", "to")),
        ({"to": ""}, (400, "invalid_parameter_value", "to")),
        ({"direction": "up"}, (400, "invalid_parameter_value", "direction")),
        ({"status": "lost"}, (400, "invalid_parameter_value", "status")),
        ({"has_attachments": "perhaps"}, (400, "invalid_parameter_value", "has_attachments")),
        ({"since": "yesterday"}, (400, "invalid_parameter_value", "since")),
        ({"since": "-1"}, (400, "invalid_parameter_value", "since")),
        ({"until": "1e99"}, (400, "invalid_parameter_value", "until")),
        ({"synced_since": "yesterday"}, (400, "invalid_parameter_value", "synced_since")),
        ({"synced_before": "-1"}, (400, "invalid_parameter_value", "synced_before")),
        ({"synced_since": "0", "offset": "0"}, (400, "invalid_parameter_value", "offset")),
        ({"synced_before": "0", "include_total": "true"}, (400, "invalid_parameter_value", "include_total")),
        ({"q": ""}, (400, "invalid_parameter_value", "q")),
        ({"q": "x" * 101}, (400, "invalid_parameter_value", "q")),
        ({"sort": "random"}, (400, "invalid_parameter_value", "sort")),
        ({"job_id": "nonsense"}, (400, "invalid_parameter_value", "job_id")),
        ({"cursor": "nonsense"}, (400, "invalid_parameter_value", "cursor")),
        (
            {"sort": "oldest", "cursor": write_cursor(0, 2**63 - 1)},
            (400, "invalid_parameter_value", "cursor"),
        ),
        ({"limit": "101"}, (400, "invalid_parameter_value", "limit")),
    ],
)  # fmt: skip
async def test_bad_questions(
    world: HubWorld, said: Said, query: dict[str, str], refused: tuple[int, str, str]
) -> None:
    answered = await listed(world.api, **query)

    assert (answered.status, answered.code, answered.param) == refused


async def test_one_message_by_its_id_and_by_its_guid(world: HubWorld, said: Said) -> None:
    message = (await listed(world.api, q="one")).json["data"][0]
    by_id = await world.api.get(f"/v1/messages/{message['id']}")
    by_guid = await world.api.get(f"/v1/messages/{message['guid']}")

    assert by_id.status == 200
    assert by_id.json == {**message, "request_id": by_id.json["request_id"]}
    assert by_guid.json == {**message, "request_id": by_guid.json["request_id"]}


async def test_a_list_with_its_reactions(world: HubWorld, said: Said) -> None:
    """As GET /v1/reactions tells them: oldest first, taken back ones included, each with its own message."""
    for contact, target, is_removed in ((CONTACT, "Ünd vier", False), (STRANGER, "three", True)):
        message = (await listed(world.api, q=target)).json["data"][0]
        scene = contacts.direct(SANDBOX_LINE, contact)
        at = world.clock.now_ms()
        reaction = contacts.react(
            scene, message["guid"], "love", guid=f"r-{target}", at=at, is_removed=is_removed
        )
        await world.observe(world.sandbox_line, reaction)
    plain = await listed(world.api)
    full = await listed(world.api, include="reactions")
    without = await listed(await world.caller("messages:read"), include="reactions")

    assert all("reactions" not in each for each in plain.json["data"])
    shown = {each["text"]: each["reactions"] for each in full.json["data"]}
    assert {text: [each["added"] for each in found] for text, found in shown.items()} == {
        "one": [],
        "two": [],
        "three": [False],
        "Ünd vier": [True],
    }
    for message in full.json["data"]:
        alone = await world.api.get(f"/v1/reactions?message_id={message['id']}")
        assert alone.json["data"] == message["reactions"]
    assert (without.status, without.code) == (403, "insufficient_scope")


async def test_a_new_reaction_takes_the_place_of_the_old_one(world: HubWorld, said: Said) -> None:
    """Each person has one on each part, under the id that its event told; late words change nothing."""
    guid = await world.say("Say something")
    words = [  # who, what, on which part, when
        (CONTACT, "love", 0, 10),
        (STRANGER, "like", 0, 11),
        (CONTACT, "🎉", 0, 13),
        (CONTACT, "laugh", 1, 14),
        (CONTACT, "question", 0, 12),
    ]
    for place, (who, kind, part, at) in enumerate(words):
        reaction = contacts.react(contacts.direct(SANDBOX_LINE, who), guid, kind, guid=f"r-{place}", at=at)
        assert reaction.reaction is not None
        shown = msgspec.structs.replace(reaction.reaction, part=part)
        chat = contacts.direct(SANDBOX_LINE, CONTACT).chat
        await world.observe(world.sandbox_line, msgspec.structs.replace(reaction, reaction=shown, chat=chat))
    listed_now = (await world.api.get(f"/v1/reactions?message_id={guid}")).json["data"]
    told = (await world.api.get("/v1/events?type=reaction.*&limit=100")).json["data"]

    assert [(each["sender"], each["type"], each["added"]) for each in listed_now] == [
        (STRANGER, "like", True),
        (CONTACT, "🎉", True),
        (CONTACT, "laugh", True),
    ]
    assert {each["id"] for each in listed_now} < {each["data"]["id"] for each in told}
    assert [each["type"] for each in told] == ["reaction.added"] * 5


@pytest.mark.parametrize("name", [f"msg_{NO_SUCH}", "msg_nonsense", "nonsense", f"cht_{NO_SUCH}"])
@pytest.mark.parametrize("more", ["", "/timeline"])
async def test_a_message_that_is_not_there(world: HubWorld, name: str, more: str) -> None:
    answered = await world.api.get(f"/v1/messages/{name}{more}")

    assert (answered.status, answered.code) == (404, "message_not_found")


async def entries(world: HubWorld, message_id: str) -> list[tuple[str, int | None, str | None]]:
    answered = await world.api.get(f"/v1/messages/{message_id}/timeline")
    assert answered.status == 200, answered.body
    return [(each["state"], each["at"], each["actor"]) for each in answered.json["entries"]]


async def test_the_timeline_of_what_came_in(world: HubWorld, said: Said) -> None:
    message = (await listed(world.api, q="one")).json["data"][0]
    edited_at = world.clock.now_ms()
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    await world.observe(world.sandbox_line, contacts.edit(scene, message["guid"], "one!", at=edited_at))

    assert await entries(world, message["id"]) == [
        ("received", said.times[0], None),
        ("edited", edited_at, None),
    ]


async def test_the_timeline_of_our_message_in_a_group(world: HubWorld) -> None:
    """Each member's receipts stand beside those of the message."""
    scene = contacts.group(SANDBOX_LINE, CONTACT, key="chat7", participants=(CONTACT, STRANGER))
    at = world.clock.now_ms()
    await world.observe(world.sandbox_line, contacts.say(scene, "Hi", guid="in", at=at))
    ours = ObservedMessage(provider_id="OURS", is_from_me=True, parts=(Part(type="text", text="Hello"),))
    sent = contacts.say(scene, "Hello", guid="OURS", at=at + 10)
    sent = msgspec.structs.replace(sent, kind="message.sent", actor=None, message=ours)
    receipts = [
        msgspec.structs.replace(sent, kind=kind, actor=actor, at=at + after, message=None, target="OURS")
        for kind, actor, after in (
            ("status.delivered", STRANGER, 20),
            ("status.read", STRANGER, 30),
            ("status.delivered", CONTACT, 40),
        )
    ]
    await world.observe(world.sandbox_line, sent, *receipts)
    found = await world.api.get("/v1/messages/OURS/timeline")

    assert [(each["state"], each["at"] - at, each["actor"]) for each in found.json["entries"]] == [
        ("sent", 10, None),
        ("delivered", 20, None),
        ("delivered", 20, STRANGER),
        ("read", 30, None),
        ("read", 30, STRANGER),
        ("delivered", 40, CONTACT),
    ]
    assert (found.json["status"], found.json["attempts"], found.json["last_error"]) == ("read", 0, None)
