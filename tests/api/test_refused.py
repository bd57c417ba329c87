"""What bridges brought and could not be taken in: kept, shown, masked, and taken in again."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.bridge_kinds import BridgeWorld
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.observation import Observation
from hub.model.refused import Form, Origin, RefusalCode, Refused
from hub.rules.signing import Secret, StandardSigner
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, HubWorld, open_world
from tests.support.scripted_kind import SCRIPTED, scripted_surroundings

HANDLE = "+15550100700"
SETTINGS = {"url": "https://phone.example", "password": "hunter22"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    bridges = BridgeWorld(kinds={"scripted": SCRIPTED}, surroundings=scripted_surroundings)
    async with open_world(tmp_path, bridges=bridges) as world:
        yield world


async def phone(world: HubWorld) -> dict[str, Any]:
    """Add a bridge whose network calls us, with a line."""
    made = await world.api.post("/v1/bridges", {"name": "phone", "kind": "scripted", "settings": SETTINGS})
    await world.api.post("/v1/lines", {"bridge_id": made.json["id"], "handle": HANDLE})
    bridge: dict[str, Any] = made.json
    return bridge


async def call(world: HubWorld, bridge: dict[str, Any], body: bytes, sign: str = "hunter22") -> Answered:
    signature = hmac.digest(sign.encode(), body, hashlib.sha256).hex()
    path = bridge["hook_url"].partition("8080")[2]
    return await world.api.with_token(None).post(path, body, headers={"x-sign": signature})


async def push(world: HubWorld, line: Line, word: str, body: object) -> Answered:
    """Post as the line's push bridge does."""
    bridge, at = world.directory.current.bridges_by_id[line.bridge_id], world.clock.now_ms() // 1000
    content = msgspec.json.encode(body)
    signature = StandardSigner([Secret(bridge.secrets[0].text)]).sign(b"r1", at, content)
    headers = {
        "content-type": "application/json",
        "x-bridge-id": id_text(Prefix.BRIDGE, bridge.id),
        "webhook-id": "r1",
        "webhook-timestamp": str(at),
        "webhook-signature": signature.decode(),
    }
    return await world.api.with_token(None).post(f"/v1/bridge/{word}", content, headers=headers)


async def refused(world: HubWorld, bridge_id: str) -> list[dict[str, Any]]:
    answer = await world.api.get(f"/v1/bridges/{bridge_id}/refused")
    assert answer.status == 200, answer.body
    data: list[dict[str, Any]] = answer.json["data"]
    return data


def told(line: str, *, at: int, guid: str = "guid-1", text: str = "Hello") -> dict[str, Any]:
    message = {"provider_id": guid, "parts": [{"type": "text", "text": text}], "sent_at": at}
    where = {"chat": {"key": f"dm:{CONTACT}"}, "actor": CONTACT, "message": message}
    return {"v": 1, "line": line, "kind": "message.received", "at": at, **where}


async def test_a_hook_that_cannot_be_read_is_kept_and_shown(world: HubWorld) -> None:
    bridge = await phone(world)
    for _ in range(3):
        await call(world, bridge, b"<xml>hunter22 &amp; more than twelve letters</xml>")
    (row,) = await refused(world, bridge["id"])
    one = (await world.api.get(f"/v1/bridges/{bridge['id']}/refused/{row['id']}")).json

    assert (row["code"], row["origin"], row["count"], row["can_retry"]) == ("unreadable", "hook", 3, True)
    assert row["reason"] == "it is no JSON"
    assert len(row["outline"]) < 20
    assert (one["payload"], one["form"]) == ("<xml>hunter22 &amp; more than twelve letters</xml>", "request")


async def test_what_is_not_believed_is_counted_without_its_bytes(world: HubWorld) -> None:
    bridge = await phone(world)
    for number in range(3):
        assert (await call(world, bridge, b"{%d}" % number, sign="forged")).status == 401
    (row,) = await refused(world, bridge["id"])

    assert (row["code"], row["count"], row["outline"], row["can_retry"]) == ("unbelieved", 3, "", False)


async def test_a_reader_that_breaks_is_told_as_a_fault_of_the_hub(world: HubWorld) -> None:
    bridge = await phone(world)
    assert (await call(world, bridge, b'{"events": 5}')).status == 503
    (row,) = await refused(world, bridge["id"])

    assert (row["code"], row["can_retry"]) == ("reader_broke", False)


async def test_messages_of_another_line_are_one_row(world: HubWorld) -> None:
    bridge, now_ms = await phone(world), world.clock.now_ms()
    for number in range(2):
        events = [told("+15550100788", at=now_ms, guid=f"guid-{number}")]
        await call(world, bridge, msgspec.json.encode({"events": events}))
    (row,) = await refused(world, bridge["id"])

    assert (row["code"], row["count"], row["can_retry"]) == ("other_line", 2, False)
    assert "+15550100788 is none of the bridge's lines" in row["reason"]


async def test_an_unsound_observation_is_kept_beside_the_sound_ones(world: HubWorld) -> None:
    bridge, now_ms = await phone(world), world.clock.now_ms()
    events = [told(HANDLE, at=now_ms), told(HANDLE, at=now_ms + 10**9, guid="guid-2")]
    await call(world, bridge, msgspec.json.encode({"events": events}))
    (row,) = await refused(world, bridge["id"])
    early = await world.api.post(f"/v1/bridges/{bridge['id']}/refused/{row['id']}/retry")
    world.clock.advance(10**9)
    later = await world.api.post(f"/v1/bridges/{bridge['id']}/refused/{row['id']}/retry")

    assert (row["code"], row["event"], row["can_retry"]) == ("unsound", "message.received", True)
    assert (early.json["status"], early.json["reason"][:4]) == ("refused", "at: ")
    assert (later.json["status"], later.json["reason"]) == ("recorded", None)
    assert await refused(world, bridge["id"]) == []


async def kept(world: HubWorld, line: Line, **said: Any) -> str:
    """Keep a payload of the push bridge; give its id."""
    facts = {"code": RefusalCode.UNREADABLE, "reason": "no", "origin": Origin.FEED, **said}
    world.parts.refused.note(line.bridge_id, Refused(**facts))
    await world.parts.refused.flush(line.bridge_id)
    bridge_id = id_text(Prefix.BRIDGE, line.bridge_id)
    return f"/v1/bridges/{bridge_id}/refused/{(await refused(world, bridge_id))[0]['id']}"


async def test_taken_in_again_nothing_is_recorded_twice(world: HubWorld) -> None:
    line = world.other_line
    event = told(line.handle, at=world.clock.now_ms())
    path = await kept(world, line, raw=msgspec.json.encode(event), form=Form.OBSERVATION)
    await world.observe(line, msgspec.convert(event, Observation))
    again = await world.api.post(f"{path}/retry")
    gone = await world.api.post(f"{path}/retry")

    assert again.json["status"] == "duplicate"
    assert (gone.status, gone.code) == (404, "payload_not_found")


@pytest.mark.parametrize(
    "said",
    [{"raw": b"{}"}, {"form": Form.OBSERVATION}, {"raw": b"{}", "form": Form.OBSERVATION, "size": 10**6}],
    ids=["other", "nothing", "cut"],
)
async def test_what_nobody_reads_is_refused_with_advice(world: HubWorld, said: dict[str, Any]) -> None:
    path = await kept(world, world.other_line, **said)
    answer = await world.api.post(f"{path}/retry")

    assert (answer.status, answer.code) == (409, "payload_not_readable")


@pytest.mark.parametrize("raw", [b"{", b"[]", b'{"v": 2}', b'"\\ud800"', b"\xff", b"[" * 100_000])
async def test_what_is_still_wrong_stays(world: HubWorld, raw: bytes) -> None:
    path = await kept(world, world.other_line, raw=raw[:60_000], form=Form.OBSERVATION)
    answer = await world.api.post(f"{path}/retry")

    assert (answer.status, answer.json["status"]) == (200, "refused")
    assert (await world.api.get(path)).status == 200


async def test_a_hook_is_read_again_without_its_signature(world: HubWorld) -> None:
    bridge = await phone(world)
    await call(world, bridge, b"<xml/>")
    (row,) = await refused(world, bridge["id"])
    again = await world.api.post(f"/v1/bridges/{bridge['id']}/refused/{row['id']}/retry")

    assert (again.json["status"], again.json["reason"]) == ("refused", "it is no JSON")


async def test_the_examination_tells_of_them(world: HubWorld) -> None:
    bridge = await phone(world)
    await call(world, bridge, b"<xml/>")
    findings = (await world.api.post(f"/v1/bridges/{bridge['id']}/examine", {})).json["findings"]

    (found,) = [each for each in findings if each["name"] == "refused"]
    assert found["state"] == "warning"
    assert "1 different payloads" in found["detail"]


async def test_a_push_that_is_wrong_is_kept_by_its_event(world: HubWorld) -> None:
    line, now_ms = world.other_line, world.clock.now_ms()
    wrong = {**told(line.handle, at=now_ms), "kind": "message.sung"}
    for events in ([told(line.handle, at=now_ms), wrong], [wrong]):
        answer = await push(world, line, "events", {"events": events})
        assert answer.status == 400, answer.body
    bridge_id = id_text(Prefix.BRIDGE, line.bridge_id)
    (row,) = await refused(world, bridge_id)

    assert (row["code"], row["origin"], row["event"], row["count"]) == (
        "unknown_type",
        "push",
        "message.sung",
        2,
    )


async def test_an_agent_tells_what_it_cannot_take_in(world: HubWorld) -> None:
    line, content = world.other_line, base64.b64encode(b"\xffno json").decode()
    told = {"code": "unreadable", "reason": "no JSON", "content": content, "count": 4}
    answer = await push(world, line, "refused", told)
    bridge_id = id_text(Prefix.BRIDGE, line.bridge_id)
    (row,) = await refused(world, bridge_id)
    one = (await world.api.get(f"/v1/bridges/{bridge_id}/refused/{row['id']}")).json

    assert answer.json["is_taken"] is True
    assert (row["origin"], row["count"], row["size"]) == ("agent", 4, 8)
    assert one["payload"] == "\ufffdno json"
