"""Announced uploads: bytes that come without a key, once, to an address that expires."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.asgi import Answered
from tests.support.file_parts import MOST_BYTES
from tests.support.hub_world import HubWorld
from tests.support.uploading import PNG, path_of, read, upload


async def announce(world: HubWorld, **fields: Any) -> dict[str, Any]:
    body = {"filename": "cat.png", "content_type": "image/png", **fields}
    answered = await world.api.post("/v1/files/presign", body)
    assert answered.status == 201, answered.body
    promised: dict[str, Any] = answered.json
    return promised


async def put(world: HubWorld, url: str, content: bytes) -> Answered:
    return await world.api.with_token(None).request("PUT", path_of(url), body=content)


async def test_an_announced_file_is_uploaded_without_a_key(world: HubWorld) -> None:
    promised = await announce(world)
    assert (promised["method"], promised["headers"]) == ("PUT", {"content-type": "image/png"})
    waiting = (await world.api.get(f"/v1/files/{promised['id']}")).json
    assert (waiting["state"], waiting["url"], waiting["size"]) == ("awaited", None, None)
    assert waiting["expires_at"] == promised["expires_at"] == world.clock.now_ms() + 3_600_000

    answered = await put(world, promised["upload_url"], PNG)

    assert (answered.status, answered.json["id"]) == (201, promised["id"])
    assert (answered.json["state"], answered.json["filename"]) == ("stored", "cat.png")
    assert (await read(world, answered.json["url"])).body == PNG


async def test_an_announced_file_is_not_there_before_its_bytes(world: HubWorld) -> None:
    promised = await announce(world)

    located = await world.api.get(f"/v1/files?id={promised['id']}")

    assert (located.status, located.code, located.param) == (409, "file_not_ready", "id")


async def test_announced_bytes_come_once(world: HubWorld) -> None:
    promised = await announce(world)
    await put(world, promised["upload_url"], PNG)

    assert (await put(world, promised["upload_url"], PNG)).code == "file_already_uploaded"


async def test_announced_bytes_must_be_as_many_as_announced(world: HubWorld) -> None:
    promised = await announce(world, size=len(PNG))

    wrong = await put(world, promised["upload_url"], PNG + b"x")
    right = await put(world, promised["upload_url"], PNG)

    assert (wrong.status, wrong.param) == (400, "size")
    assert right.status == 201


@pytest.mark.parametrize(
    ("fields", "code", "param"),
    [
        ({"filename": None}, "missing_required_parameter", "filename"),
        ({"filename": ""}, "invalid_parameter_value", "filename"),
        ({"content_type": 5}, "invalid_parameter_value", "content_type"),
        ({"size": 0}, "empty_file", "size"),
        ({"size": -1}, "invalid_parameter_value", "size"),
        ({"size": MOST_BYTES + 1}, "payload_too_large", None),
        ({"colour": "red"}, "invalid_parameter_value", "colour"),
    ],
)
async def test_a_bad_announcement_is_refused(
    world: HubWorld, fields: dict[str, Any], code: str, param: str | None
) -> None:
    body = {"filename": "cat.png", "content_type": "image/png", **fields}
    answered = await world.api.post("/v1/files/presign", body)

    assert (answered.code, answered.param) == (code, param)


async def test_an_address_for_uploading_expires_and_cannot_be_used_for_reading(world: HubWorld) -> None:
    promised = await announce(world)
    assert (await read(world, promised["upload_url"])).code == "link_refused"
    stored = await upload(world)
    assert (await put(world, stored["url"], PNG)).code == "link_refused"

    world.clock.advance(3_600_000)

    assert (await put(world, promised["upload_url"], PNG)).code == "link_refused"
