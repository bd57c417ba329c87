"""Tokens for streams: they open a stream for browsers, for a time, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.flow.stream_tokens import StreamGrant, StreamTokens, write_token
from tests.support.hub_world import OTHER_LINE, SANDBOX_LINE, HubWorld, line_id, open_world
from tests.support.served import Served, served
from tests.support.stream_reading import refusal, stream, tell

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


async def make(world: HubWorld, body: Any = None, **more: Any) -> Any:
    caller = await world.caller("events:read", **more)
    answered = await caller.post("/v1/events/stream-token", body)
    assert answered.status == 201, answered.body
    return answered.json


async def test_a_token_opens_the_stream_and_nothing_else(hub: Served) -> None:
    made = await make(hub.world)
    by_header = hub.world.api.with_token(made["token"])
    async with stream(hub, f"?token={made['token']}", token=None) as source:
        await hub.world.say("one")

        assert (await tell(source))["data"]["text"] == "one"
    assert made["url"].endswith(f"/v1/events/stream?token={made['token']}")
    assert made["expires_at"] == hub.world.clock.now_ms() - 1 + 300_000
    assert (await by_header.get("/v1/events")).code == "invalid_api_key"
    assert (await by_header.get(f"/v1/events?token={made['token']}")).code == "invalid_api_key"
    nobody = await hub.world.api.with_token(None).get(f"/v1/events?token={made['token']}")
    assert nobody.code == "missing_api_key"


async def test_a_token_is_over_when_its_time_is(hub: Served) -> None:
    made = await make(hub.world, {"ttl_seconds": 10})
    async with stream(hub, f"?token={made['token']}", token=None) as source:
        hub.world.clock.advance(10_000)
        await hub.world.say("still open")
        assert (await tell(source))["data"]["text"] == "still open"

    assert await refusal(hub, f"?token={made['token']}", token=None) == (401, "invalid_api_key", "token")


async def test_a_token_shows_no_more_than_it_was_made_for(hub: Served) -> None:
    world = hub.world
    await world.say("known", line=world.other_line)
    (known,) = (await world.api.get("/v1/events")).json["data"]
    made = await make(world, {"type": "message.*,typing.*", "line": OTHER_LINE, "chat": known["chat_id"]})
    query = f"?token={made['token']}"
    async with stream(hub, query, token=None) as source, stream(hub, f"{query}&type=*", token=None) as wider:
        await world.say("sandbox")
        await world.say("stranger", line=world.other_line, contact="+15550100077")
        await world.say("mine", line=world.other_line)
        for each in (source, wider):
            assert (await tell(each))["data"]["text"] == "mine"

    elsewhere = f"{query}&from={line_id(world.sandbox_line)}"
    assert await refusal(hub, elsewhere, token=None) == (403, "line_not_accessible", "from")


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"ttl_seconds": 9}, "invalid_parameter_value", "ttl_seconds"),
        ({"ttl_seconds": 3601}, "invalid_parameter_value", "ttl_seconds"),
        ({"type": "nonsense"}, "invalid_parameter_value", "type"),
        ({"chat": "cht_0000000000001"}, "chat_not_found", "chat"),
        ({"from": "+15550199999"}, "line_not_found", "from"),
        ({"from": SANDBOX_LINE, "line": OTHER_LINE}, "invalid_parameter_value", "line"),
        ({"scope": "admin"}, "invalid_parameter_value", "scope"),
    ],
)
async def test_tokens_that_are_refused(world: HubWorld, body: Any, code: str, param: str) -> None:
    answered = await world.api.post("/v1/events/stream-token", body)

    assert (answered.code, answered.param) == (code, param)


async def test_tokens_are_ours_unchanged_and_of_keys_that_live(world: HubWorld) -> None:
    secret, now = world.parts.live.stream_secret, world.clock.now_ms()
    tokens = StreamTokens(secret, world.keys)
    good = write_token(secret, StreamGrant(key_id=0, expires_at=now + 1))

    assert tokens.read(good, now).key_id == 0
    bad = [
        good[:-2] + ("A" if good[-2] != "A" else "B") + good[-1],
        good[:-1],
        good.removeprefix("st_"),
        write_token(b"another", StreamGrant(key_id=0, expires_at=now + 1)),
        write_token(secret, StreamGrant(key_id=0, expires_at=now)),
        write_token(secret, StreamGrant(key_id=77, expires_at=now + 1)),
        "st_",
        "st_%C3%A9",
        "st_" + "A" * 3000,
    ]
    for text in bad:
        answered = await world.api.with_token(None).get(f"/v1/events/stream?token={text}")
        assert (answered.status, answered.code) == (401, "invalid_api_key"), text
