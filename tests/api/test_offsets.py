"""Lists by offset, and counted: the same things in the same order as by cursor, whatever the filters."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, STRANGER, HubWorld

FROM, WHO = f"%2B{SANDBOX_LINE[1:]}", f"%2B{CONTACT[1:]}"
MOST_OFFSET = 100_000
#: `{names}` are ids of the stage.
LISTS = (
    "/v1/bulk?",
    "/v1/bulk/{bulk}/results?",
    "/v1/bulk/{bulk}/results?status=waiting",
    "/v1/bulk/{bulk}/results?status=read",
    "/v1/chats?",
    "/v1/chats?sort=oldest",
    "/v1/chats?q=ada",
    "/v1/chats?sort=created",
    "/v1/chats?sort=name_asc&is_group=true",
    f"/v1/chats?sort=name_desc&is_group=true&participant={WHO}",
    f"/v1/chats?sort=created&participant={WHO}",
    "/v1/chats?is_group=true",
    "/v1/chats?sort=oldest&is_group=false",
    "/v1/chats?q=0001&unread=true",
    f"/v1/chats?participant={WHO}",
    f"/v1/chats?participant={WHO}&sort=oldest",
    f"/v1/chats?from={FROM}",
    "/v1/contact-groups?",
    "/v1/contact-groups/{group}/members?sort=name_desc",
    "/v1/contacts?",
    "/v1/contacts?sort=name_asc",
    "/v1/contacts?q=a&tag=vip",
    "/v1/dead-letters?",
    "/v1/deliveries?",
    "/v1/deliveries?webhook_id={webhook}&event_type=message.received",
    "/v1/events/{event}/deliveries?",
    "/v1/messages?",
    "/v1/messages?sort=oldest",
    "/v1/messages?direction=inbound",
    "/v1/messages?direction=outbound",
    f"/v1/messages?to={WHO}&sort=oldest&direction=inbound",
    f"/v1/messages?from={FROM}&to={WHO}",
    "/v1/messages?job_id={job}",
    "/v1/messages?since=0&until=1",
    "/v1/webhooks?from=*",
    "/v1/webhooks/{webhook}/deliveries?",
    "/v1/webhooks/{webhook}/deliveries?sort=asc&status=pending",
)


async def stage(world: HubWorld) -> dict[str, str]:
    """Let there be some of everything."""
    webhook = await world.webhook()
    for url in ("https://receiver.example/2", "https://receiver.example/3"):
        await world.webhook(url=url)
    for text in ("one", "two", "three"):
        await world.say(text)
        await world.say(text, line=world.other_line)
    await world.say("four", contact=STRANGER)
    for name in ("team", "trip"):
        world.clock.advance(1)
        answered = await world.api.post(
            "/v1/sandbox/group", {"contact": CONTACT, "group": name, "participants": [STRANGER], "name": name}
        )
        assert answered.status == 201, answered.body
    for text in ("five", "six"):
        world.clock.advance(1)
        await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": text})
    ids = []
    for number, name in enumerate(("Ada", "Bob", "Cara", "Dan")):
        contact = {"name": name, "handles": [f"+1555010000{number + 1}"], "tags": ["vip"] if number else []}
        ids.append((await world.api.post("/v1/contacts", contact)).json["id"])
    groups = [
        (await world.api.post("/v1/contact-groups", {"name": name, "contact_ids": ids[:3]})).json
        for name in ("Friends", "Customers", "Others")
    ]
    body = {"from": SANDBOX_LINE, "text": "News", "recipients": [{"to": f"+1555010001{n}"} for n in range(3)]}
    bulks = [(await world.api.post("/v1/bulk", body)).json for _ in range(2)]
    event = (await world.api.get("/v1/events?limit=1")).json["data"][0]
    return {
        "bulk": bulks[0]["id"],
        "job": "job_" + bulks[0]["id"].partition("_")[2],
        "group": groups[0]["id"],
        "webhook": webhook["id"],
        "event": event["id"],
    }


async def page(caller: Caller, path: str) -> dict[str, Any]:
    answered = await caller.get(path)
    assert answered.status == 200, (path, answered.body)
    shown: dict[str, Any] = answered.json
    return shown


async def walk(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Read all pages by cursor."""
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        shown = await page(caller, f"{path}&limit=2{cursor}")
        assert "total" not in shown
        seen += shown["data"]
        if not shown["has_more"]:
            return seen
        cursor = f"&cursor={shown['next_cursor']}"


async def check(caller: Caller, path: str) -> int:
    """Every page by offset is that piece of the whole; give how long that is."""
    whole = await walk(caller, path)
    for offset in range(len(whole) + 2):
        shown = await page(caller, f"{path}&limit=2&offset={offset}&include_total=true")

        assert shown["data"] == whole[offset : offset + 2], (path, offset)
        assert shown["total"] == len(whole), (path, offset)
        assert shown["has_more"] is (len(whole) > offset + 2), (path, offset)
        if shown["has_more"]:
            following = await page(caller, f"{path}&limit=2&cursor={shown['next_cursor']}")
            assert following["data"] == whole[offset + 2 : offset + 4], (path, offset)
            both = await caller.get(f"{path}&offset=0&cursor={shown['next_cursor']}")
            assert (both.status, both.json["error"]["param"]) == (400, "offset"), path
            assert "'offset' and 'cursor'" in both.json["error"]["message"]
    return len(whole)


async def test_by_offset_lists_are_the_same_as_by_cursor(world: HubWorld) -> None:
    ids = await stage(world)
    found = {path: await check(world.api, path.format(**ids)) for path in LISTS}

    empty = {path for path, count in found.items() if not count}
    assert empty == {
        "/v1/bulk/{bulk}/results?status=read",
        "/v1/dead-letters?",
        "/v1/messages?job_id={job}",
        "/v1/messages?since=0&until=1",
    }


async def test_a_restricted_key_counts_what_it_may_see(world: HubWorld) -> None:
    await stage(world)
    mine = await world.caller("admin", lines=(world.other_line,))
    everything = await check(world.api, "/v1/contacts?")
    seen = [await check(mine, path) for path in ("/v1/contacts?", "/v1/contacts?sort=name_asc&tag=vip")]

    assert everything == 4
    assert seen == [1, 0]  # who wrote to it, and to the sandbox


@pytest.mark.parametrize(
    "query",
    [
        "offset=-1",
        f"offset={MOST_OFFSET + 1}",
        "offset=x",
        "include_total=maybe",
        *(f"offset=0&{each}" for each in ("q=x", "status=failed", "service=sms", "has_attachments=true")),
        *(f"include_total=true&{each}" for each in ("q=x", "status=failed", "service=sms")),
    ],
)
async def test_what_cannot_be_counted_or_skipped_is_refused(world: HubWorld, query: str) -> None:
    answered = await world.api.get(f"/v1/messages?{query}")

    assert (answered.status, answered.json["error"]["code"]) == (400, "invalid_parameter_value")
    assert answered.json["error"]["param"] == query.partition("=")[0]


async def test_the_furthest_offset_is_taken(world: HubWorld) -> None:
    await world.say("one")
    shown = await page(world.api, f"/v1/messages?offset={MOST_OFFSET}&include_total=true")

    assert (shown["data"], shown["total"], shown["has_more"]) == ([], 1, False)


# ---- counts


async def test_chats_are_counted_if_that_is_asked_for(world: HubWorld) -> None:
    times = []
    for text in ("one", "two"):
        await world.say(text)
        times.append(world.clock.now_ms())
    world.clock.advance(5)
    await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "three"})
    times.append(world.clock.now_ms())
    await world.say("other", contact=STRANGER)
    listed = (await page(world.api, "/v1/chats?include=counts&sort=oldest"))["data"]
    (plain,) = (await page(world.api, "/v1/chats?limit=1&sort=oldest"))["data"]
    shown = await page(world.api, f"/v1/chats/{plain['id']}?include=counts")

    assert listed[0]["counts"] == {
        "message_count": 3,
        "inbound_count": 2,
        "outbound_count": 1,
        "first_message_at": times[0],
        "last_message_at": times[2],
        "last_inbound_at": times[1],
        "last_outbound_at": times[2],
    }
    assert listed[1]["counts"]["last_outbound_at"] is None
    assert shown["counts"] == listed[0]["counts"]
    assert "counts" not in plain


async def test_a_chat_without_messages_has_zeros(world: HubWorld) -> None:
    await stage(world)
    silent = [
        each
        for each in (await page(world.api, "/v1/chats?include=counts&is_group=true"))["data"]
        if each["last_message"] is None
    ]

    assert {each["counts"]["message_count"] for each in silent} <= {0}
    assert all(each["counts"]["first_message_at"] is None for each in silent)


async def test_usage_is_told_by_line_and_altogether(world: HubWorld) -> None:
    await world.say("one")
    first = world.clock.now_ms()
    await world.say("two", line=world.other_line)
    second = world.clock.now_ms()
    world.clock.advance(1)
    await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "three"})
    third = world.clock.now_ms()
    usage = await page(world.api, "/v1/usage")
    later = await page(world.api, f"/v1/usage?since={second}&until={third}")
    of_line = await page(world.api, f"/v1/usage?from=%2B{OTHER_LINE[1:]}")

    assert (usage["inbound_count"], usage["outbound_count"]) == (2, 1)
    assert (usage["first_message_at"], usage["last_inbound_at"]) == (first, second)
    assert (usage["last_outbound_at"], usage["last_message_at"]) == (third, third)
    by_line = {each["handle"]: (each["inbound_count"], each["outbound_count"]) for each in usage["lines"]}
    assert by_line == {SANDBOX_LINE: (1, 1), OTHER_LINE: (1, 0)}
    assert (later["message_count"], later["last_message_at"]) == (1, second)
    assert [(each["handle"], each["message_count"]) for each in of_line["lines"]] == [(OTHER_LINE, 1)]


# ---- what clients of other services ask for


async def test_times_are_exact_to_the_millisecond(world: HubWorld) -> None:
    """`since` holds its instant, `until` does not: strictly after is one more, strictly before is `until` itself."""
    times = []
    for text in ("one", "two", "three"):
        await world.say(text)
        times.append(world.clock.now_ms())

    async def texts(query: str) -> list[str]:
        return [each["text"] for each in (await page(world.api, f"/v1/messages?sort=oldest&{query}"))["data"]]

    assert times[2] - times[0] == 2
    assert await texts(f"since={times[1]}") == ["two", "three"]
    assert await texts(f"since={times[1] + 1}") == ["three"]
    assert await texts(f"until={times[1]}") == ["one"]


async def test_what_came_in_on_all_lines_is_polled(world: HubWorld) -> None:
    """With what the key may see, of one contact or of all; has_more is true only if there is more."""
    await world.say("before")
    since = world.clock.now_ms() + 1
    await world.say("one")
    await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "ours"})
    await world.say("two", line=world.other_line)
    await world.say("three", contact=STRANGER)
    poll = f"/v1/messages?direction=inbound&sort=oldest&since={since}&offset=0"
    pages = [await page(world.api, f"{poll}&{more}") for more in ("limit=3", "limit=2", f"to={WHO}")]

    assert [[each["text"] for each in shown["data"]] for shown in pages] == [
        ["one", "two", "three"],
        ["one", "two"],
        ["one", "two"],
    ]
    assert [shown["has_more"] for shown in pages] == [False, True, False]


async def test_groups_are_listed_by_name_whatever_the_case(world: HubWorld) -> None:
    for number, name in enumerate(("beta", "Älter", "Alpha", "gamma")):
        world.clock.advance(1)
        group = {"contact": CONTACT, "group": f"g{number}", "participants": [STRANGER], "name": name}
        await world.api.post("/v1/sandbox/group", group)

    async def names(sort: str) -> list[str]:
        return [
            each["name"] for each in (await page(world.api, f"/v1/chats?is_group=true&sort={sort}"))["data"]
        ]

    refused = await world.api.get("/v1/chats?sort=name_asc")

    assert await names("name_asc") == ["Alpha", "beta", "gamma", "Älter"]
    assert await names("name_desc") == ["Älter", "gamma", "beta", "Alpha"]
    assert (refused.status, refused.json["error"]["param"]) == (400, "sort")


async def test_a_chat_is_found_by_its_contact_if_the_key_may_see_contacts(world: HubWorld) -> None:
    await world.say("Hi")
    await world.say("Hi", contact=STRANGER)
    await world.api.post("/v1/contacts", {"name": "Ada Lovelace", "handles": [CONTACT]})
    blind = await world.caller("chats:read")
    seeing = await world.caller("chats:read", "contacts:read")
    found = [(await page(caller, "/v1/chats?q=LOVE&include_total=true")) for caller in (seeing, blind)]

    assert [each["identifier"] for each in found[0]["data"]] == [CONTACT]
    assert (found[0]["total"], found[1]["total"], found[1]["data"]) == (1, 0, [])
