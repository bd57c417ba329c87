"""The acceptance checklist of contracts: ava §6, line by line."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.dialects.ava import DIALECT
from hub.dialects.ava.times import iso
from hub.flow.keys import KeyWish
from hub.flow.message_pages import MOST_READ
from hub.flow.rows import MessageRow
from tests.dialects.ava.conftest import WORDS
from tests.store.specimens import MESSAGE
from tests.support.ai_provider import Provider
from tests.support.asgi import Answered, Caller
from tests.support.hub_world import CONTACT, SANDBOX_LINE, STRANGER, HubWorld
from tests.support.sandbox_worker import SandboxWorker

GOLDEN = Path(__file__).parent / "golden"
SEND: dict[str, Any] = {"phone": "+1234567890", "message": "Hello"}
ASK: dict[str, Any] = {"phone": CONTACT, "context": [{"role": "user", "content": "When are you open?"}]}
HERE = f"/api/messages/{CONTACT}"
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
ITEM = {"id", "phone", "message", "direction", "timestamp", "status"}


def golden(name: str, document: Any) -> None:
    """Hold a document against a file, ids without their numbers; with UPDATE_GOLDEN write the file first."""
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    masked = re.sub(r"\b(msg_(?:ai_)?)[0-9a-z]{13}\b", r"\1…", text)
    path = GOLDEN / f"{name}.json"
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(masked, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == masked


def is_error(answered: Answered, status: int) -> bool:
    """Whether an answer is the vendor's envelope with this status."""
    body = answered.json
    is_whole = set(body) == {"success", "error", "message"} and body["success"] is False
    return is_whole and bool(body["error"]) and body["error"] == body["message"] and answered.status == status


def texts(answered: Answered) -> list[str]:
    assert answered.status == 200, answered.body
    return [each["message"] for each in answered.json["messages"]]


async def outbound(api: Caller) -> list[str]:
    shown = (await api.get(HERE)).json["messages"]
    return [each["message"] for each in shown if each["direction"] == "outbound"]


@pytest.mark.parametrize("kind", ["none", "unknown", "malformed", "revoked"])
async def test_01_without_a_good_key_nothing_opens(world: HubWorld, kind: str) -> None:
    made = await world.keys.create(KeyWish(name="old", scopes=DIALECT.scopes, dialect="ava"))
    await world.keys.revoke(made.key.id)
    tokens = {"none": None, "unknown": "ava_live_" + "A" * 32, "malformed": "hello", "revoked": made.text}
    nobody = world.api.with_token(tokens[kind])
    answers = [
        await nobody.request(each.method, each.path.format(phone=CONTACT), body={})
        for each in DIALECT.endpoints
    ]

    assert made.text.startswith("ava_live_")
    assert len(answers) == 4
    assert [each.body for each in answers if not is_error(each, 401)] == []


async def test_02_a_send_is_answered_at_once(api: Caller) -> None:
    answered = await api.post("/api/send", SEND)

    assert answered.status == 200
    assert re.fullmatch(r"msg_[0-9a-z]{13}", answered.json["message_id"])
    assert ISO.fullmatch(answered.json["timestamp"])
    golden("send", answered.json)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({**SEND, "phone": "abc"}, "phone"),
        ({"message": "Hello"}, "phone"),
        ({"phone": CONTACT}, "message"),
        ({**SEND, "message": ""}, "message"),
        ({**SEND, "phone": "cht_05jp19e000406"}, "phone"),
    ],
)
async def test_03_what_is_no_send_is_refused(api: Caller, body: dict[str, Any], named: str) -> None:
    answered = await api.post("/api/send", body)

    assert is_error(answered, 400)
    assert named in answered.json["error"]


async def test_04_a_plus_may_stand_as_it_is(world: HubWorld, api: Caller) -> None:
    await api.post("/api/send", SEND)
    raw = await api.get("/api/messages/+1234567890")
    encoded = await api.get("/api/messages/%2B1234567890")

    assert raw.status == 200
    assert raw.json == encoded.json
    assert (raw.json["total"], raw.json["limit"], raw.json["offset"]) == (1, 50, 0)
    assert set(raw.json) == {"success", "messages", "total", "limit", "offset"}


async def test_05_a_message_has_these_fields(world: HubWorld, worker: SandboxWorker, api: Caller) -> None:
    await world.say("Hi there!")
    await api.post("/api/send", {"phone": CONTACT, "message": "Hello!"})
    await worker.work()
    answered = await api.get(HERE)
    items = answered.json["messages"]

    assert [set(each) for each in items] == [ITEM] * len(items)
    assert {each["status"] for each in items if each["direction"] == "inbound"} == {"received"}
    assert {each["status"] for each in items if each["direction"] == "outbound"} == {"delivered"}
    golden("history", answered.json)


async def test_06_the_oldest_is_first(world: HubWorld, api: Caller) -> None:
    await world.say("one")
    world.clock.advance(60_000)
    await world.say("two")

    assert texts(await api.get(HERE)) == ["one", "two"]


async def test_07_a_part_of_the_history(world: HubWorld, api: Caller) -> None:
    await world.say("one")
    world.clock.advance(60_000)
    await world.say("two")
    answered = await api.get(f"{HERE}?limit=1&offset=1")

    assert texts(answered) == ["two"]
    assert (answered.json["total"], answered.json["limit"], answered.json["offset"]) == (2, 1, 1)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "offset=-1", "limit=x"])
async def test_07_bounds_are_kept(api: Caller, query: str) -> None:
    assert is_error(await api.get(f"{HERE}?{query}"), 400)


async def test_08_who_is_not_known_has_no_messages(api: Caller) -> None:
    answered = await api.get(f"/api/messages/{STRANGER}")

    assert texts(answered) == []
    assert answered.json["total"] == 0


async def test_09_poll_is_no_number(world: HubWorld, api: Caller) -> None:
    await world.say("Hi")
    answered = await api.get("/api/messages/poll")

    assert answered.status == 200
    assert set(answered.json) == {"success", "messages", "count", "has_more"}
    golden("poll", answered.json)


async def test_10_a_poll_goes_on_after_the_last(world: HubWorld, worker: SandboxWorker, api: Caller) -> None:
    await world.say("one")
    (first,) = (await api.get("/api/messages/poll")).json["messages"]
    world.clock.advance(60_000)
    await world.say("two")
    await api.post("/api/send", {"phone": CONTACT, "message": "ours"})
    await worker.perform()
    answered = await api.get(f"/api/messages/poll?since={first['timestamp']}")

    assert texts(answered) == ["two"]
    assert (answered.json["count"], answered.json["has_more"]) == (1, False)
    assert set(texts(await api.get("/api/messages/poll"))) == {"one", "two"}


async def test_10_what_comes_in_late_is_polled(world: HubWorld, api: Caller) -> None:
    """Its phone was away: it was written long before what was polled already. Its time here is that of coming in."""
    await world.say("early")
    (first,) = (await api.get("/api/messages/poll")).json["messages"]
    world.clock.advance(60_000)
    said = contacts.say(contacts.direct(SANDBOX_LINE, CONTACT), "late", guid="late", at=world.clock.now_ms())
    assert said.message is not None
    written = msgspec.structs.replace(said.message, sent_at=world.clock.now_ms() - 3_600_000)
    await world.observe(world.sandbox_line, msgspec.structs.replace(said, message=written))
    (late,) = (await api.get(f"/api/messages/poll?since={first['timestamp']}")).json["messages"]
    (old, _) = (await api.get(HERE)).json["messages"]

    assert (late["message"], late["timestamp"]) == ("late", iso(world.clock.now_ms()))
    assert (old["id"], old["timestamp"]) == (late["id"], iso(world.clock.now_ms() - 3_600_000))
    assert texts(await api.get(f"/api/messages/poll?since={late['timestamp']}")) == []


async def test_10_what_came_in_behind_a_mass_of_others_is_found(world: HubWorld, api: Caller) -> None:
    """More than one page of the hub's looks at."""
    since = iso(world.clock.now_ms())
    world.clock.advance(2_000)
    await world.say("before")
    line = world.sandbox_line
    ours = [
        MessageRow(*MESSAGE)._replace(id=number, guid=f"g{number}", line_id=line.id, is_from_me=1)
        for number in world.new_id.take(MOST_READ + 1)
    ]
    await world.store.hot.write(lambda tx: tx.merge_own_messages(ours))
    world.clock.advance(2_000)
    await world.say("behind")

    assert texts(await api.get(f"/api/messages/poll?since={since}")) == ["before", "behind"]
    assert texts(await api.get("/api/messages/poll")) == ["before", "behind"]


async def test_10_a_page_never_ends_within_a_second(world: HubWorld, api: Caller) -> None:
    for number in range(98):
        await world.say(str(number))
        world.clock.advance(2_000)
    # All within one second: the page of a hundred would end among them.
    for number in range(98, 103):
        await world.say(str(number))
    world.clock.advance(2_000)
    await world.say("103")
    seen: list[str] = []
    pages: list[int] = []
    since, has_more = "2000-01-01T00:00:00Z", True
    while has_more:
        page = (await api.get(f"/api/messages/poll?since={since}")).json
        seen += [each["message"] for each in page["messages"]]
        since, has_more = page["messages"][-1]["timestamp"], page["has_more"]
        pages.append(page["count"])

    assert seen == [str(number) for number in range(104)]
    assert pages == [103, 1]


async def test_11_a_poll_for_one_number(world: HubWorld, api: Caller) -> None:
    await world.say("from one")
    await world.say("from another", contact=STRANGER)
    answered = await api.get(f"/api/messages/poll?phone=%2B{CONTACT[1:]}")

    assert texts(answered) == ["from one"]
    assert texts(await api.get(f"/api/messages/poll?phone={CONTACT}")) == ["from one"]


@pytest.mark.parametrize("since", ["2000-01-01T00:00:00+00:00", "2000-01-01T00:00:00%2B00:00"])
async def test_11_a_zone_may_be_written_out(world: HubWorld, api: Caller, since: str) -> None:
    await world.say("Hi")

    assert texts(await api.get(f"/api/messages/poll?since={since}")) == ["Hi"]


async def test_11_nothing_is_after_a_time_that_is_far_ahead(world: HubWorld, api: Caller) -> None:
    await world.say("Hi")

    assert texts(await api.get("/api/messages/poll?since=9999-12-31T23:59:59Z")) == []


@pytest.mark.parametrize("since", ["yesterday", "2026-01-25T12:00:00", "1900-01-01T00:00:00Z", ""])
async def test_11_what_is_no_time_is_refused(api: Caller, since: str) -> None:
    assert is_error(await api.get(f"/api/messages/poll?since={since}"), 400)


async def test_11_who_writes_from_a_mail_address_can_be_answered(world: HubWorld, api: Caller) -> None:
    await world.say("Hi", contact="ann@example.com")
    (message,) = (await api.get("/api/messages/poll?phone=ann@example.com")).json["messages"]
    sent = await api.post("/api/send", {"phone": message["phone"], "message": "Hello, Ann"})

    assert message["phone"] == "ann@example.com"
    assert sent.status == 200
    assert texts(await api.get("/api/messages/ann%40example.com")) == ["Hi", "Hello, Ann"]


async def test_12_a_draft_is_not_sent(world: HubWorld, api: Caller, provider: Provider) -> None:
    answered = await api.post("/api/generate", {**ASK, "instructions": "Be brief"})

    assert answered.status == 200
    assert re.fullmatch(r"msg_ai_[0-9a-z]{13}", answered.json["message_id"])
    golden("generate", answered.json)
    assert "Be brief" in json.dumps(provider.asked)
    assert await outbound(api) == []


async def test_13_a_draft_is_sent_if_wished(world: HubWorld, worker: SandboxWorker, api: Caller) -> None:
    answered = await api.post("/api/generate", {**ASK, "auto_send": True})
    await worker.perform()

    assert (answered.status, answered.json["sent"]) == (200, True)
    assert await outbound(api) == [WORDS]


async def test_14_who_asks_too_often_is_told(world: HubWorld) -> None:
    wish = KeyWish(name="few", scopes=DIALECT.scopes, dialect="ava", requests_per_hour=1)
    api = world.api.with_token((await world.keys.create(wish)).text)
    answers = [await api.get(HERE), await api.get(HERE)]

    assert answers[0].status == 200
    assert is_error(answers[1], 429)
