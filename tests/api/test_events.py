"""GET /v1/events: pages, filters, who may see what, and the wait for what comes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.model.ids import Prefix, id_text, id_time_ms, parse_id
from hub.rules.event_patterns import STORED
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id
from tests.worker.time_by_hand import eventually

LONG_AGO = id_text(Prefix.EVENT, 1)
ELSEWHERE = id_text(Prefix.EVENT, 2**62)


async def events(caller: Caller, query: str = "") -> list[dict[str, Any]]:
    answered = await caller.get(f"/v1/events?{query}")
    assert answered.status == 200, answered.body
    found: list[dict[str, Any]] = answered.json["data"]
    return found


def texts(found: list[dict[str, Any]]) -> list[str]:
    return [each["data"]["text"] for each in found]


async def test_newest_first_with_all_that_a_webhook_gets(world: HubWorld) -> None:
    await world.say("one")
    await world.say("two")
    newest, oldest = await events(world.api)

    assert texts([newest, oldest]) == ["two", "one"]
    assert set(newest) == {"id", "type", "line_id", "chat_id", "occurred_at", "recorded_at", "data"}
    assert (newest["type"], newest["line_id"]) == ("message.received", line_id(world.sandbox_line))
    assert newest["chat_id"] == newest["data"]["chat_id"]
    assert newest["recorded_at"] == id_time_ms(parse_id(Prefix.EVENT, newest["id"]))
    assert newest["occurred_at"] == newest["data"]["sent_at"]


async def test_one_event(world: HubWorld) -> None:
    await world.say("one")
    (listed,) = await events(world.api)
    shown = await world.api.get(f"/v1/events/{listed['id']}")

    assert shown.json == {**listed, "request_id": shown.json["request_id"]}


@pytest.mark.parametrize("event_id", [LONG_AGO, ELSEWHERE, "evt_x", "msg_0000000000001"])
async def test_no_such_event(world: HubWorld, event_id: str) -> None:
    answered = await world.api.get(f"/v1/events/{event_id}")

    assert (answered.status, answered.code) == (404, "event_not_found")


@pytest.mark.parametrize("order", ["asc", "desc"])
async def test_pages_lead_through_everything(world: HubWorld, order: str) -> None:
    for number in range(7):
        await world.say(str(number))
    found, path, pages = [], f"/v1/events?order={order}&limit=3", 0
    while path:
        page = (await world.api.get(path)).json
        found += texts(page["data"])
        pages += 1
        cursor = page["next_cursor"]
        path = f"/v1/events?order={order}&limit=3&cursor={cursor}" if page["has_more"] else ""

    assert found == [str(number) for number in (range(7) if order == "asc" else range(6, -1, -1))]
    assert pages == 3
    assert (cursor is None) == (order == "desc")


async def test_whoever_has_read_all_goes_on_from_there(world: HubWorld) -> None:
    empty = (await world.api.get("/v1/events?order=asc")).json
    await world.say("one")
    first = (await world.api.get(f"/v1/events?order=asc&cursor={empty['next_cursor']}")).json
    nothing = (await world.api.get(f"/v1/events?order=asc&cursor={first['next_cursor']}")).json
    await world.say("two")
    second = (await world.api.get(f"/v1/events?order=asc&cursor={nothing['next_cursor']}")).json

    assert [texts(page["data"]) for page in (empty, first, nothing, second)] == [[], ["one"], [], ["two"]]
    assert [page["has_more"] for page in (empty, first, nothing, second)] == [False] * 4


async def test_an_event_of_a_webhook_is_a_cursor(world: HubWorld) -> None:
    for text in ("one", "two", "three"):
        await world.say(text)
    middle = (await events(world.api))[1]["id"]

    assert texts(await events(world.api, f"order=asc&cursor={middle}")) == ["three"]
    assert texts(await events(world.api, f"cursor={middle}")) == ["one"]


async def test_an_event_that_is_gone_stands_for_its_time(world: HubWorld) -> None:
    await world.say("one")
    now = world.clock.now_ms()
    before, after = (id_text(Prefix.EVENT, (now + ms - 1_704_067_200_000) << 21) for ms in (-5, 5))

    assert texts(await events(world.api, f"order=asc&cursor={LONG_AGO}")) == ["one"]
    assert texts(await events(world.api, f"order=asc&cursor={before}")) == ["one"]
    assert texts(await events(world.api, f"order=asc&cursor={after}")) == []


async def test_filters(world: HubWorld) -> None:
    guid = await world.say("here")
    await world.say("there", line=world.other_line)
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    await world.observe(
        world.sandbox_line,
        contacts.react(scene, guid, "love", guid="r1", at=world.clock.now_ms()),
        contacts.edit(scene, guid, "changed", at=world.clock.now_ms() + 1),
    )
    chat = (await events(world.api, "type=message.edited"))[0]["chat_id"]

    async def types(query: str) -> list[str]:
        return sorted(each["type"] for each in await events(world.api, query))

    assert await types("type=message.received") == ["message.received"] * 2
    assert await types("type=reaction.*,message.edited") == ["message.edited", "reaction.added"]
    assert await types("type=*") == await types("")
    assert await types(f"from=%2B{OTHER_LINE[1:]}") == ["message.received"]
    assert await types(f"line={line_id(world.other_line)}") == ["message.received"]
    assert await types(f"chat={chat}") == ["message.edited", "message.received", "reaction.added"]
    assert await types(f"chat={chat}&type=message.*") == ["message.edited", "message.received"]
    assert await types(f"chat={chat}&line={line_id(world.other_line)}") == []


async def test_a_range_of_time_is_that_of_the_recording(world: HubWorld) -> None:
    await world.say("one")
    first = world.clock.now_ms()
    world.clock.advance(10_000)
    await world.say("two")
    second = world.clock.now_ms()
    (recorded,) = {each["recorded_at"] for each in await events(world.api, f"since={second}")}

    assert texts(await events(world.api, f"since={second}")) == ["two"]
    assert texts(await events(world.api, f"since={recorded}&until={recorded}")) == ["two"]
    assert texts(await events(world.api, f"until={first}")) == ["one"]
    assert texts(await events(world.api, f"since={first}&until={second}&order=asc")) == ["one", "two"]
    assert texts(await events(world.api, f"since={second + 1}")) == []
    assert texts(await events(world.api, "since=0&until=32503680000000&order=asc")) == ["one", "two"]


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("type=message.recieved", "invalid_parameter_value", "type"),
        ("type=message.*,", "invalid_parameter_value", "type"),
        ("type=", "invalid_parameter_value", "type"),
        ("type=typing.started", "invalid_parameter_value", "type"),
        ("type=typing.*", "invalid_parameter_value", "type"),
        (f"type={','.join(['*'] * 51)}", "invalid_parameter_value", "type"),
        ("from=%2B15550199999", "line_not_found", "from"),
        ("line=ln_nothing", "line_not_found", "line"),
        ("from=%2B15550100000&line=%2B15550100010", "invalid_parameter_value", "line"),
        ("chat=cht_0000000000001", "chat_not_found", "chat"),
        ("chat=%2B15550100001", "invalid_parameter_value", "chat"),
        ("since=yesterday", "invalid_parameter_value", "since"),
        ("since=-1", "invalid_parameter_value", "since"),
        ("since=10&until=5", "invalid_parameter_value", "since"),
        ("order=up", "invalid_parameter_value", "order"),
        ("wait=5", "invalid_parameter_value", "wait"),
        ("order=asc&wait=31", "invalid_parameter_value", "wait"),
        ("order=asc&wait=-1", "invalid_parameter_value", "wait"),
        ("order=asc&wait=nan", "invalid_parameter_value", "wait"),
        ("limit=0", "invalid_parameter_value", "limit"),
        ("limit=101", "invalid_parameter_value", "limit"),
        ("cursor=eyJhZnRlciI6WzFdfQ", "invalid_parameter_value", "cursor"),
        ("cursor=pos_x", "invalid_parameter_value", "cursor"),
        ("cursor=msg_0000000000001", "invalid_parameter_value", "cursor"),
        ("kind=message.received", "invalid_parameter_value", "kind"),
    ],
)
async def test_what_is_refused(world: HubWorld, query: str, code: str, param: str) -> None:
    answered = await world.api.get(f"/v1/events?{query}")

    assert (answered.code, answered.param) == (code, param)


async def test_the_refusal_says_what_was_meant(world: HubWorld) -> None:
    refused = await world.api.get("/v1/events?type=message.recieved")
    live = await world.api.get("/v1/events?type=typing.*")

    assert "Did you mean message.received?" in refused.json["error"]["message"]
    assert "/v1/events/stream" in live.json["error"]["message"]


# ---- who may see what


async def test_a_scope_is_needed(world: HubWorld) -> None:
    caller = await world.caller("messages:read", "deliveries:read")

    assert (await caller.get("/v1/events")).code == "insufficient_scope"
    assert (await caller.get(f"/v1/events/{LONG_AGO}")).code == "insufficient_scope"


async def test_a_restricted_key_sees_its_lines_only(world: HubWorld) -> None:
    """The sandbox line is open to every key, as everywhere."""
    await world.say("sandbox")
    await world.say("other", line=world.other_line)
    third = await _third_line(world)
    await world.say("third", line=third)
    caller = await world.caller("events:read", lines=(world.other_line,))
    (foreign,) = await events(world.api, f"line={line_id(third)}")

    assert texts(await events(caller)) == ["other", "sandbox"]
    assert texts(await events(caller, "order=asc&limit=100")) == ["sandbox", "other"]
    assert (await caller.get(f"/v1/events?line={line_id(third)}")).code == "line_not_accessible"
    assert (await caller.get(f"/v1/events?chat={foreign['chat_id']}")).code == "line_not_accessible"
    assert (await caller.get(f"/v1/events/{foreign['id']}")).code == "event_not_found"
    assert texts(await events(caller, f"order=asc&cursor={foreign['id']}")) == []


async def test_operational_events_are_for_keys_of_every_line_and_for_admins(world: HubWorld) -> None:
    own = await world.webhook(**{"from": OTHER_LINE})
    every = await world.webhook()
    for each in (own, every):
        await world.api.post(f"/v1/webhooks/{each['id']}/test")
    restricted = await world.caller("events:read", lines=(world.other_line,))
    admin = await world.caller("admin", lines=(world.other_line,))
    test_event = (await events(world.api, f"line={line_id(world.other_line)}"))[0]["id"]

    async def seen(caller: Caller) -> list[str]:
        return [each["data"]["webhook_id"] for each in await events(caller, "order=asc")]

    assert await seen(world.api) == [own["id"], every["id"]]
    assert await seen(restricted) == []
    assert await seen(admin) == [own["id"]]
    assert (await restricted.get(f"/v1/events/{test_event}")).code == "event_not_found"
    assert (await admin.get(f"/v1/events/{test_event}")).status == 200
    assert await events(restricted, "type=webhook.test") == []


async def _third_line(world: HubWorld) -> Any:
    bridge = world.directory.current.bridges_by_name["push"]
    body = {
        "bridge_id": id_text(Prefix.BRIDGE, bridge.id), "handle": "+15550100020", "service": "imessage",
    }  # fmt: skip
    assert (await world.api.post("/v1/lines", body)).status == 201
    return (await world.directory.refresh()).lines_by_handle["+15550100020"]


# ---- waiting


async def test_what_comes_is_answered_at_once(world: HubWorld) -> None:
    """Thirty seconds would be over before the test's own time."""
    start = (await world.api.get("/v1/events?order=asc")).json["next_cursor"]
    waiting = asyncio.ensure_future(world.api.get(f"/v1/events?order=asc&wait=30&cursor={start}"))
    await eventually(lambda: world.parts.live.feed.follower_count)
    await world.say("now")
    answered = await asyncio.wait_for(waiting, 20)

    assert texts(answered.json["data"]) == ["now"]
    assert world.parts.live.feed.follower_count == 0


async def test_what_is_there_is_not_waited_for(world: HubWorld) -> None:
    await world.say("there")

    assert texts(await events(world.api, "order=asc&wait=30")) == ["there"]


async def test_the_wait_ends_with_nothing_and_the_same_place(world: HubWorld) -> None:
    await world.say("before")
    start = (await world.api.get("/v1/events?order=asc")).json["next_cursor"]
    answered = await world.api.get(f"/v1/events?order=asc&wait=0.05&cursor={start}")

    assert (answered.json["data"], answered.json["has_more"]) == ([], False)
    assert answered.json["next_cursor"] == start


async def test_what_does_not_fit_ends_no_wait(world: HubWorld) -> None:
    """Neither another type nor a sign of life; the one that fits comes after them."""
    start = (await world.api.get("/v1/events?order=asc")).json["next_cursor"]
    query = f"order=asc&wait=30&cursor={start}&type=message.edited"
    waiting = asyncio.ensure_future(world.api.get(f"/v1/events?{query}"))
    await eventually(lambda: world.parts.live.feed.follower_count)
    guid = await world.say("one")
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    await world.observe(world.sandbox_line, contacts.typing(scene, at=world.clock.now_ms()))
    await world.observe(world.sandbox_line, contacts.edit(scene, guid, "two", at=world.clock.now_ms() + 1))
    answered = await asyncio.wait_for(waiting, 20)

    assert [each["type"] for each in answered.json["data"]] == ["message.edited"]


async def test_only_so_many_wait(world: HubWorld) -> None:
    """Five of one key, eight of all; a place is free again when its reader has gone."""
    keys = [await world.caller("events:read") for _ in range(3)]

    def wait(caller: Caller) -> asyncio.Future[Any]:
        return asyncio.ensure_future(caller.get("/v1/events?order=asc&wait=30"))

    waiting = [wait(keys[0]) for _ in range(5)] + [wait(keys[1]) for _ in range(3)]
    await eventually(lambda: world.parts.live.feed.follower_count == 8)
    own = await keys[0].get("/v1/events?order=asc&wait=30")
    total = await keys[2].get("/v1/events?order=asc&wait=30")
    unhurried = await keys[2].get("/v1/events?order=asc")
    await world.say("now")
    await asyncio.gather(*waiting)
    again = await keys[2].get("/v1/events?order=asc&wait=30")

    for refused in (own, total):
        assert (refused.status, refused.code) == (429, "too_many_streams")
        assert int(refused.headers["retry-after"]) > 0
    assert "streams.per_key" in own.json["error"]["message"]
    assert "streams.total" in total.json["error"]["message"]
    assert (unhurried.status, again.status) == (200, 200)


async def test_a_hub_that_stops_ends_the_wait(world: HubWorld) -> None:
    waiting = asyncio.ensure_future(world.api.get("/v1/events?order=asc&wait=30"))
    await eventually(lambda: world.parts.live.feed.follower_count)
    world.parts.live.feed.close()
    answered = await asyncio.wait_for(waiting, 20)
    late = await asyncio.wait_for(world.api.get("/v1/events?order=asc&wait=30"), 20)

    assert (answered.json["data"], late.json["data"]) == ([], [])


def test_every_stored_type_can_be_asked_for() -> None:
    assert {"message.received", "webhook.test", "line.status_changed"} <= STORED
    assert not {"typing.started", "receipt.read"} & STORED
