"""GET /v1/events/stream over the real server: resumed without loss, bounded, ended clearly, opened by whom it may."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.flow.keys import KeyWish
from hub.model.ids import id_text
from tests.support.event_source import event_source
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id, open_world
from tests.support.served import Served, served
from tests.support.stream_reading import key, refusal, stream, tell
from tests.worker.time_by_hand import eventually

pytestmark = pytest.mark.slow

BEAT_SECONDS = 0.05


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path, requests_per_hour=0, stream_beat_seconds=BEAT_SECONDS) as world:
        yield world


@pytest.fixture
async def hub(world: HubWorld) -> AsyncIterator[Served]:
    async with served(world) as serving:
        yield serving


async def test_an_event_is_told_when_it_is_recorded(hub: Served) -> None:
    async with stream(hub) as source:
        await hub.world.say("one")
        block = await source.told()
    (listed,) = (await hub.world.api.get("/v1/events")).json["data"]

    assert block is not None
    assert block.json == listed
    assert block.id == "pos_" + listed["id"].removeprefix("evt_")
    assert source.headers["content-type"] == "text/event-stream"
    assert source.headers["cache-control"] == "no-store"
    assert "x-request-id" in source.headers


async def test_without_a_last_id_it_begins_now(hub: Served) -> None:
    await hub.world.say("before")
    async with stream(hub) as source:
        await hub.world.say("after")

        assert (await tell(source))["data"]["text"] == "after"


async def test_it_goes_on_after_the_last_id_even_if_nothing_was_told(hub: Served) -> None:
    """The first block already says where it began."""
    async with stream(hub) as source:
        last = source.last_id
    await hub.world.say("meanwhile")
    url = f"{hub.url}/v1/events/stream"
    async with event_source(url, token=await key(hub.world), headers={"Last-Event-ID": last}) as again:
        assert (await tell(again))["data"]["text"] == "meanwhile"


@pytest.mark.parametrize("way", ["header", "query", "event", "both"])
async def test_it_is_resumed_from_wherever_the_reader_was(hub: Served, way: str) -> None:
    for text in ("one", "two", "three"):
        await hub.world.say(text)
    two = (await hub.world.api.get("/v1/events")).json["data"][1]
    place = (await hub.world.api.get("/v1/events?order=asc&limit=2")).json["next_cursor"]
    query, headers = {
        "header": ("", {"Last-Event-ID": place}),
        "query": (f"?after={place}", {}),
        "event": (f"?after={two['id']}", {}),
        "both": (f"?after={id_text('pos', 1)}", {"Last-Event-ID": place}),
    }[way]
    url = f"{hub.url}/v1/events/stream{query}"
    async with event_source(url, token=await key(hub.world), headers=headers) as source:
        assert (await tell(source))["data"]["text"] == "three"
        await hub.world.say("four")
        assert (await tell(source))["data"]["text"] == "four"


async def test_filters_choose(hub: Served) -> None:
    world = hub.world
    await world.say("known")
    (known,) = (await world.api.get("/v1/events")).json["data"]
    async with (
        stream(hub, "?type=message.edited,typing.*") as by_type,
        stream(hub, f"?from=%2B{OTHER_LINE[1:]}") as by_line,
        stream(hub, f"?chat={known['chat_id']}") as by_chat,
    ):
        await world.say("elsewhere", line=world.other_line)
        guid = await world.say("here")
        scene = contacts.direct(SANDBOX_LINE, CONTACT)
        now = world.clock.now_ms()
        await world.observe(world.sandbox_line, contacts.edit(scene, guid, "changed", at=now + 1))
        await world.observe(world.sandbox_line, contacts.typing(scene, at=now + 2))

        # A sign of life may be faster than what was recorded before it.
        assert {(await tell(by_type))["type"] for _ in range(2)} == {"message.edited", "typing.started"}
        assert (await tell(by_line))["data"]["text"] == "elsewhere"
        assert {(await tell(by_chat))["data"].get("text") for _ in range(3)} == {"here", "changed", None}


async def test_signs_of_life_are_told_live_without_an_id(hub: Served) -> None:
    world = hub.world
    async with stream(hub, "?type=typing.*,receipt.read") as source:
        scene = contacts.direct(SANDBOX_LINE, CONTACT)
        await world.observe(world.sandbox_line, contacts.typing(scene, at=5))
        started = await source.told()
        await world.observe(world.sandbox_line, contacts.typing(scene, at=6, is_typing=False))
        stopped = await source.told()
        await world.observe(world.sandbox_line, contacts.read(scene, "our-message", at=7))
        read = await source.told()
    listed = (await world.api.get("/v1/events?type=message.*&order=asc")).json["data"]

    assert started is not None
    assert stopped is not None
    assert read is not None
    assert (started.id, stopped.id, read.id) == ("", "", "")
    assert started.json == {
        "id": None,
        "type": "typing.started",
        "line_id": line_id(world.sandbox_line),
        "chat_id": started.json["data"]["chat_id"],
        "occurred_at": 5,
        "recorded_at": None,
        "data": {
            "chat_id": started.json["chat_id"],
            "line_id": line_id(world.sandbox_line),
            "line_handle": SANDBOX_LINE,
            "handle": CONTACT,
            "is_typing": True,
        },
    }
    assert stopped.json["data"]["is_typing"] is False
    assert (read.json["type"], read.json["data"]["handle"]) == ("receipt.read", CONTACT)
    assert read.json["data"]["last_read_at"] == 7
    assert [each["type"] for each in listed] == ["message.read"]


async def test_who_types_is_shown_and_forgotten(world: HubWorld) -> None:
    """Whether anybody follows or not."""
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    await world.say("Hello")
    path = f"/v1/typing?from=%2B{SANDBOX_LINE[1:]}&to=%2B{CONTACT[1:]}"

    async def typists() -> list[str]:
        return [each["handle"] for each in (await world.api.get(path)).json["data"]]

    await world.observe(world.sandbox_line, contacts.typing(scene, at=world.clock.now_ms()))
    assert await typists() == [CONTACT]
    world.clock.advance(61_000)
    assert await typists() == []
    await world.observe(world.sandbox_line, contacts.typing(scene, at=world.clock.now_ms()))
    await world.observe(
        world.sandbox_line, contacts.typing(scene, at=world.clock.now_ms() + 1, is_typing=False)
    )
    assert await typists() == []


async def test_a_repeated_reading_is_told_once_and_not_to_nobody(hub: Served) -> None:
    """The same receipt in another request is nothing new."""
    world = hub.world
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    async with stream(hub, "?type=receipt.read,message.received") as source:
        for _ in range(2):
            await world.observe(world.sandbox_line, contacts.read(scene, "our-message", at=7))
        await world.say("end")

        assert {(await tell(source))["type"] for _ in range(2)} == {"receipt.read", "message.received"}


async def test_a_silent_stream_says_that_it_lives(hub: Served) -> None:
    async with stream(hub) as source:
        beat = await source.block()

    assert beat is not None
    assert (beat.comment, beat.data, beat.id) == ("here", "", source.last_id)


async def test_a_line_break_in_a_document_breaks_no_block(hub: Served) -> None:
    world = hub.world
    async with stream(hub) as source:
        await world.say("two\nlines\r\nthree\u2028")

        assert (await tell(source))["data"]["text"] == "two\nlines\r\nthree\u2028"


async def test_head_says_what_a_stream_would_be(hub: Served) -> None:
    token = await key(hub.world)
    for _ in range(9):  # more than there are places
        async with event_source(f"{hub.url}/v1/events/stream", token=token, method="HEAD") as source:
            assert (source.status, source.headers["content-type"]) == (200, "text/event-stream")


# ---- how it ends


async def test_a_slow_reader_is_cut_off_told_so_and_misses_nothing(hub: Served) -> None:
    """A hundred events may wait in memory; the socket holds some more."""
    world = hub.world
    text = "x" * 15_000
    async with stream(hub) as source:
        for number in range(700):
            await world.say(f"{number} {text}")
        cut = hub.world.parts.live.metrics.streams_ended.labels("too_slow")
        told = []
        while (block := await asyncio.wait_for(source.told(), 20)) is not None and not block.event:
            told.append(int(block.json["data"]["text"].split()[0]))
    assert block is not None
    assert (block.event, block.json["reason"]) == ("stream.end", "too_slow")
    assert "streams.buffer_events" in block.json["message"]
    assert await source.block() is None
    assert told == list(range(len(told)))
    assert 100 <= len(told) < 700
    assert cut._value.get() == 1

    async with event_source(
        f"{hub.url}/v1/events/stream", token=await key(world), headers={"Last-Event-ID": source.last_id}
    ) as again:
        for number in range(len(told), 700):
            assert int((await tell(again))["data"]["text"].split()[0]) == number


async def test_a_reader_who_takes_nothing_is_cut_off_and_frees_the_place(tmp_path: Path) -> None:
    """Though its connection stands: closing would wait for it for ever."""
    async with open_world(tmp_path, stream_beat_seconds=BEAT_SECONDS, stream_stall_seconds=0.3) as world:
        streams, text = world.parts.live.metrics.streams, "x" * 15_000
        async with served(world) as hub, stream(hub) as source:
            for number in range(700):
                await world.say(f"{number} {text}")
            await eventually(lambda: streams._value.get() == 0)
            await eventually(lambda: not hub.server.server_state.connections)
            while await source.block() is not None:
                pass
        assert world.parts.live.feed.follower_count == 0


async def test_a_stopping_server_ends_streams_and_waits_quickly(world: HubWorld) -> None:
    """Long before it would cut connections off."""
    async with served(world) as hub, stream(hub) as source:
        waiting = asyncio.ensure_future(world.api.get("/v1/events?order=asc&wait=30"))
        await eventually(lambda: world.parts.live.feed.follower_count == 2)
        hub.stop()
        end = await asyncio.wait_for(source.told(), 10)
        after = await asyncio.wait_for(source.block(), 10)
        await asyncio.wait_for(waiting, 10)

    assert end is not None
    assert (end.event, end.json["reason"], after) == ("stream.end", "stopping", None)


async def test_a_revoked_key_ends_its_streams(hub: Served) -> None:
    world = hub.world
    made = await world.keys.create(KeyWish(name="reader", scopes=frozenset({"events:read"})))
    opened = await world.api.with_token(made.text).post("/v1/events/stream-token")
    async with (
        stream(hub, token=made.text) as by_key,
        stream(hub, f"?token={opened.json['token']}", token=None) as by_token,
    ):
        await world.keys.revoke(made.key.id)
        world.clock.advance(1000)
        ends = [await asyncio.wait_for(source.told(), 20) for source in (by_key, by_token)]

    assert [end.json["reason"] for end in ends if end is not None] == ["key_ended"] * 2


async def test_a_reader_who_leaves_frees_the_place(hub: Served) -> None:
    feed = hub.world.parts.live.feed
    async with stream(hub):
        assert feed.follower_count == 1
    await eventually(lambda: feed.follower_count == 0)
    streams = hub.world.parts.live.metrics.streams

    await eventually(lambda: streams._value.get() == 0)


async def test_only_so_many_streams(hub: Served) -> None:
    token = await key(hub.world)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(stream(hub, token=token))
        assert await refusal(hub, token=token) == (429, "too_many_streams", None)
        for _ in range(3):
            await stack.enter_async_context(stream(hub))
        assert await refusal(hub) == (429, "too_many_streams", None)
    await eventually(lambda: hub.world.parts.live.feed.follower_count == 0)
    async with stream(hub, token=token) as source:
        assert source.status == 200


# ---- who may open it


async def test_a_restricted_key_is_told_of_its_lines_only(hub: Served) -> None:
    world = hub.world
    own = await world.webhook(**{"from": OTHER_LINE})
    token = await key(world, line_ids=frozenset({world.other_line.id}))
    admin = await key(world, "admin", line_ids=frozenset({world.other_line.id}))
    async with stream(hub, token=token) as restricted, stream(hub, token=admin) as operator:
        await world.api.post(f"/v1/webhooks/{own['id']}/test")
        await world.webhook()
        await world.say("mine", line=world.other_line)

        assert (await tell(restricted))["data"]["text"] == "mine"
        assert [(await tell(operator))["type"] for _ in range(2)] == ["webhook.test", "message.received"]


@pytest.mark.parametrize(
    ("query", "more", "expected"),
    [
        ("", {"token": None}, (401, "missing_api_key", None)),
        ("", {"token": "sk_live_nobody"}, (401, "invalid_api_key", None)),
        ("?token=st_nonsense", {"token": None}, (401, "invalid_api_key", "token")),
        ("?token=sk_live_nobody", {"token": None}, (401, "invalid_api_key", "token")),
        ("?after=yesterday", {}, (400, "invalid_parameter_value", "after")),
        ("?after=msg_0000000000001", {}, (400, "invalid_parameter_value", "after")),
        ("", {"headers": {"Last-Event-ID": "17"}}, (400, "invalid_parameter_value", "Last-Event-ID")),
        ("?type=message.recieved", {}, (400, "invalid_parameter_value", "type")),
        ("?from=%2B15550199999", {}, (404, "line_not_found", "from")),
        ("?chat=cht_0000000000001", {}, (404, "chat_not_found", "chat")),
        ("?since=1", {}, (400, "invalid_parameter_value", "since")),
    ],
)
async def test_what_is_refused(hub: Served, query: str, more: Any, expected: Any) -> None:
    """As everywhere: an answer with a code, not a stream."""
    assert await refusal(hub, query, **more) == expected


async def test_a_scope_is_needed(hub: Served) -> None:
    caller = await hub.world.caller("messages:read")

    assert await refusal(hub, token=await key(hub.world, "messages:read")) == (
        403,
        "insufficient_scope",
        None,
    )
    assert (await caller.post("/v1/events/stream-token")).code == "insufficient_scope"
