"""Answers are compressed for who asks, and for nobody else; streams and files never."""

from __future__ import annotations

import gzip
import json

import pytest

from hub.api.compression import LEAST_BYTES, accepts_gzip
from tests.support.hub_world import HubWorld

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("gzip", True),
        ("GZIP;q=0.5, br", True),
        ("x-gzip", True),
        ("*", True),
        ("br, deflate", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip; q=0, *", False),
        ("identity, *;q=0", False),
        ("", False),
        (";;,=", False),
    ],
)
def test_who_takes_gzip(header: str, is_accepted: bool) -> None:
    assert accepts_gzip(header.encode()) is is_accepted


async def test_a_large_answer_comes_compressed(world: HubWorld) -> None:
    for _ in range(10):
        await world.say("Hello again and again")
    plain = await world.api.get("/v1/messages")
    small = await world.api.get("/v1/messages", headers=GZIP)

    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert int(small.headers["content-length"]) == len(small.body) < len(plain.body) / 3
    assert json.loads(gzip.decompress(small.body))["data"] == plain.json["data"]
    assert "content-encoding" not in plain.headers


async def test_a_small_answer_comes_as_it_is(world: HubWorld) -> None:
    answered = await world.api.get("/v1/jobs", headers=GZIP)

    assert len(answered.body) < LEAST_BYTES
    assert "content-encoding" not in answered.headers


async def test_the_document_comes_compressed(world: HubWorld) -> None:
    answered = await world.api.get("/v1/openapi.json", headers=GZIP)

    assert len(answered.body) < 100_000
    assert json.loads(gzip.decompress(answered.body))["openapi"] == "3.1.0"


async def test_what_is_sent_while_it_is_made_comes_as_it_is(world: HubWorld) -> None:
    world.parts.live.feed.close()
    for path in ("/v1/contacts/export", "/v1/events/stream"):
        assert "content-encoding" not in (await world.api.get(path, headers=GZIP)).headers


async def test_a_compressed_body_is_refused(world: HubWorld) -> None:
    body = gzip.compress(b'{"name": "g"}')
    answered = await world.api.post("/v1/contact-groups", body, headers={"Content-Encoding": "gzip"})

    assert (answered.code, answered.param) == ("unsupported_media_type", "Content-Encoding")
