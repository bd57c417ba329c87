"""Bridges that run inside the hub, over REST: set up, shown, changed, tried, and called by their networks."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.flow.bridge_kinds import BridgeWorld
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld, open_world
from tests.support.scripted_kind import SCRIPTED, scripted_surroundings

HANDLE = "+15550100700"
SETTINGS = {"url": "https://phone.example", "password": "hunter2"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    bridges = BridgeWorld(
        kinds={"scripted": SCRIPTED},
        surroundings=scripted_surroundings,
        machine_values=frozenset({"/dev/allowed"}),
    )
    async with open_world(tmp_path, bridges=bridges) as world:
        yield world


async def added(world: HubWorld, **settings: object) -> dict[str, Any]:
    """Add a scripted bridge with a line; give the answer."""
    wish = {"name": "phone", "kind": "scripted", "settings": {**SETTINGS, **settings}}
    answer = await world.api.post("/v1/bridges", wish)
    assert answer.status == 201, answer.body
    line = await world.api.post("/v1/lines", {"bridge_id": answer.json["id"], "handle": HANDLE})
    assert line.status == 201, line.body
    bridge: dict[str, Any] = answer.json
    return bridge


async def test_kinds_are_listed_with_the_schema_of_their_settings(world: HubWorld) -> None:
    [kind] = (await world.api.get("/v1/bridge-kinds")).json["data"]

    assert (kind["kind"], kind["title"], kind["has_hook"]) == ("scripted", SCRIPTED.title, True)
    assert kind["settings_schema"]["required"] == ["url", "password"]
    assert kind["settings_schema"]["properties"]["poll_seconds"] == {"type": "integer", "default": 5}
    assert kind["secret_settings"] == ["password"]


async def test_a_bridge_keeps_its_settings_and_never_shows_a_secret(world: HubWorld) -> None:
    bridge = await added(world)
    shown = await world.api.get(f"/v1/bridges/{bridge['id']}")

    assert bridge["settings"] == shown.json["settings"] == {**SETTINGS, "password": "********"}
    assert "hunter2" not in shown.body.decode()
    kept = {each.name: each.settings for each in await world.store.bridges.all()}
    assert kept["phone"] == SETTINGS


async def test_settings_change_one_by_one(world: HubWorld) -> None:
    bridge = await added(world)
    changed = await world.api.patch(
        f"/v1/bridges/{bridge['id']}", {"settings": {"poll_seconds": 9, "password": "********"}}
    )
    refused = await world.api.patch(f"/v1/bridges/{bridge['id']}", {"settings": {"poll_seconds": "often"}})

    assert changed.json["settings"]["poll_seconds"] == 9
    assert (refused.status, refused.param) == (400, "settings.poll_seconds")
    kept = {each.name: each.settings for each in await world.store.bridges.all()}
    assert kept["phone"] == {**SETTINGS, "poll_seconds": 9}


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"kind": "scriptd"}, "kind"),
        ({"kind": "scripted"}, "settings.url"),
        ({"kind": "scripted", "settings": {**SETTINGS, "more": 1}}, "settings.more"),
        ({"kind": "scripted", "settings": {**SETTINGS, "device": "/etc/passwd"}}, "settings.device"),
        ({"kind": "push", "settings": {"url": "x"}}, "settings"),
    ],
)
async def test_what_cannot_be_set_up_is_refused(world: HubWorld, wish: dict[str, Any], param: str) -> None:
    refused = await world.api.post("/v1/bridges", {"name": "phone", **wish})

    assert (refused.status, refused.param) == (400, param)


async def test_a_key_does_not_choose_what_is_opened_on_the_machine(world: HubWorld) -> None:
    """A stolen key that may change bridges must not read files, nor run programs."""
    made = await world.api.post("/v1/bridges", {"name": "phone", "kind": "scripted", "settings": SETTINGS})
    path = f"/v1/bridges/{made.json['id']}"
    refused = await world.api.patch(path, {"settings": {"device": "/etc/passwd"}})
    allowed = await world.api.patch(path, {"settings": {"device": "/dev/allowed"}})

    assert (refused.status, refused.param) == (400, "settings.device")
    assert "bridge.machine_values" in refused.json["error"]["message"]
    assert (allowed.status, allowed.json["settings"]["device"]) == (200, "/dev/allowed")


async def test_what_stands_in_the_database_is_no_choice_of_the_owner_either(world: HubWorld) -> None:
    made = await world.api.post("/v1/bridges", {"name": "phone", "kind": "scripted", "settings": SETTINGS})
    (bridge,) = [each for each in await world.store.bridges.all() if each.name == "phone"]
    settings = {**SETTINGS, "device": "/etc/passwd"}
    await world.store.bridges.change(bridge.id, lambda bridge: replace(bridge, settings=settings))
    world.wake_ups.configuration_changed()
    answered = await world.api.post(f"/v1/bridges/{made.json['id']}/examine", {})

    (found,) = [each for each in answered.json["findings"] if each["name"] == "settings"]
    assert found["state"] == "failed"
    assert "only who owns it chooses" in found["detail"]


async def test_settings_of_a_bridge_without_any_are_refused(world: HubWorld) -> None:
    made = await world.api.post("/v1/bridges", {"name": "mac"})
    refused = await world.api.patch(f"/v1/bridges/{made.json['id']}", {"settings": {"url": "x"}})

    assert (refused.status, refused.param) == (400, "settings")
    assert made.json["settings"] is None


@pytest.mark.parametrize(
    ("url", "is_well", "last"),
    [
        ("https://a.example", True, "server"),
        ("http://a.example", False, "server"),
        ("broken", False, "examination"),
    ],
)
async def test_an_examination_tells_what_was_found(
    world: HubWorld, url: str, is_well: bool, last: str
) -> None:
    bridge = await added(world, url=url)
    examined = await world.api.post(f"/v1/bridges/{bridge['id']}/examine", {})

    assert examined.json["is_well"] is is_well
    assert [each["name"] for each in examined.json["findings"]] == ["switch", "heard", last]


async def test_a_push_bridge_is_examined_as_far_as_it_can_be(world: HubWorld) -> None:
    made = await world.api.post("/v1/bridges", {"name": "mac"})
    await world.api.patch(f"/v1/bridges/{made.json['id']}", {"is_enabled": False})
    examined = await world.api.post(f"/v1/bridges/{made.json['id']}/examine", {})

    assert [each["state"] for each in examined.json["findings"]] == ["failed", "warning", "failed"]
    assert examined.json["findings"][2]["detail"] == (
        "The bridge carries none: `hub lines add HANDLE --bridge NAME`, or POST /v1/lines."
    )


def hello(guid: str = "G1", **more: object) -> dict[str, object]:
    """What the network says when a contact writes."""
    return {
        "v": 1,
        "line": HANDLE,
        "kind": "message.received",
        "at": 1_780_000_000_000,
        "chat": {"key": "dm:+15550100001"},
        "actor": "+15550100001",
        "message": {"provider_id": guid, "parts": [{"type": "text", "text": "Hello"}]},
        **more,
    }


async def call(
    world: HubWorld, bridge: dict[str, Any], *events: object, password: str = "hunter2"
) -> Answered:
    """Call as the network does."""
    body = msgspec.json.encode({"events": events})
    sign = hmac.digest(password.encode(), body, hashlib.sha256).hex()
    path = bridge["hook_url"].removeprefix("http://127.0.0.1:8080")
    return await world.api.with_token(None).request("POST", path, body=body, headers={"x-sign": sign})


async def test_what_the_network_signs_is_recorded_before_the_answer(world: HubWorld) -> None:
    bridge = await added(world)
    answers = [await call(world, bridge, hello()) for _ in range(2)]
    told = await world.api.get("/v1/messages?direction=inbound")

    assert [(each.status, each.body, each.headers["content-type"]) for each in answers] == [
        (200, b"<ok/>", "text/xml")
    ] * 2
    assert [each["text"] for each in told.json["data"]] == ["Hello"]


async def test_a_wrong_signature_is_answered_by_the_bridge_and_records_nothing(world: HubWorld) -> None:
    bridge = await added(world)
    refused = await call(world, bridge, hello(), password="guessed")

    assert refused.status == 401
    assert refused.body, "the network shows it to who looks for what went wrong"
    assert (await world.api.get("/v1/messages?direction=inbound")).json["data"] == []


async def test_what_cannot_be_taken_in_does_not_hold_up_the_rest(world: HubWorld) -> None:
    bridge = await added(world)
    answered = await call(world, bridge, hello("G1", at=32_503_680_000_000), hello("G2"))
    told = await world.api.get("/v1/messages?direction=inbound")

    assert answered.status == 200
    assert len(told.json["data"]) == 1


async def test_hooks_that_break_are_asked_again_later(world: HubWorld) -> None:
    bridge = await added(world)
    body = b"no JSON"
    sign = hmac.digest(b"hunter2", body, hashlib.sha256).hex()
    path = bridge["hook_url"].removeprefix("http://127.0.0.1:8080")
    answer = await world.api.with_token(None).request("POST", path, body=body, headers={"x-sign": sign})

    assert (answer.status, answer.code) == (503, "service_unavailable")
    assert answer.headers["retry-after"] == "60"


async def test_a_network_may_ask_for_proof(world: HubWorld) -> None:
    bridge = await added(world)
    path = bridge["hook_url"].removeprefix("http://127.0.0.1:8080")
    answer = await world.api.with_token(None).get(f"{path}?challenge=1234")

    assert (answer.status, answer.body) == (200, b"1234")


async def test_other_addresses_lead_nowhere(world: HubWorld) -> None:
    bridge = await added(world)
    push = (await world.api.post("/v1/bridges", {"name": "mac"})).json
    path = bridge["hook_url"].removeprefix("http://127.0.0.1:8080")
    token = path.rpartition("/")[2]
    wrong = [
        path[:-1],
        path + "/more",
        path + "0",
        f"/v1/bridge/hooks/{push['id']}/{token}",
        "/v1/bridge/hooks/brg_x/" + token,
        "/v1/bridge/hooks/",
    ]

    answers = [await world.api.with_token(None).request("POST", each, body=b"{}") for each in wrong]

    assert {(each.status, each.code) for each in answers} == {(404, "bridge_not_found")}
    assert push["hook_url"] is None


async def test_a_turned_secret_turns_the_address(world: HubWorld) -> None:
    bridge = await added(world)
    turned = await world.api.post(f"/v1/bridges/{bridge['id']}/rotate-secret", {"overlap_hours": 1})

    assert turned.json["hook_url"] != bridge["hook_url"]
    assert (await call(world, bridge, hello())).status == 200
    world.clock.advance(3_600_001)
    assert (await call(world, bridge, hello("G2"))).status == 404
    assert (await call(world, turned.json, hello("G3"))).status == 200


async def test_new_settings_count_for_the_next_call(world: HubWorld) -> None:
    bridge = await added(world)
    await call(world, bridge, hello())
    await world.api.patch(f"/v1/bridges/{bridge['id']}", {"settings": {"password": "better"}})

    assert (await call(world, bridge, hello("G2"))).status == 401
    assert (await call(world, bridge, hello("G3"), password="better")).status == 200


async def test_a_bridge_that_is_switched_off_is_not_called(world: HubWorld) -> None:
    bridge = await added(world)
    await world.api.patch(f"/v1/bridges/{bridge['id']}", {"is_enabled": False})

    assert (await call(world, bridge, hello())).status == 404


# ---- lines with several bridges


async def lines_of(world: HubWorld) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Add two bridges, and a line on the first; give all three."""
    first = await added(world)
    wish = {"name": "sms", "kind": "scripted", "settings": SETTINGS}
    second = (await world.api.post("/v1/bridges", wish)).json
    listed = (await world.api.get("/v1/lines")).json["data"]
    return first, second, next(each for each in listed if each["handle"] == HANDLE)


async def test_both_bridges_of_a_line_tell_and_what_both_tell_is_told_once(world: HubWorld) -> None:
    first, second, line = await lines_of(world)
    changed = await world.api.patch(f"/v1/lines/{line['id']}", {"fallback_bridge_id": second["id"]})
    for bridge, guid in [(first, "G1"), (second, "G1"), (second, "SM1"), (first, "SM1")]:
        await call(world, bridge, hello(guid))
    told = await world.api.get("/v1/messages?direction=inbound")
    shown = await world.api.get(f"/v1/bridges/{second['id']}")

    assert changed.json["fallback_bridge_id"] == second["id"]
    assert len(told.json["data"]) == 2
    assert shown.json["line_ids"] == [line["id"]]
    assert (await world.api.delete(f"/v1/bridges/{second['id']}")).code == "bridge_in_use"


async def test_a_line_that_moves_keeps_its_history_and_hears_the_new_bridge_only(world: HubWorld) -> None:
    first, second, line = await lines_of(world)
    await call(world, first, hello("G1"))
    moved = await world.api.patch(f"/v1/lines/{line['id']}", {"bridge_id": second["id"]})
    for bridge, guid in [(second, "G1"), (second, "G2"), (first, "G3")]:
        await call(world, bridge, hello(guid))
    told = await world.api.get("/v1/messages?direction=inbound")

    assert (moved.status, moved.json["bridge_id"]) == (200, second["id"])
    assert len(told.json["data"]) == 2  # G1 once, G2; the bridge before is not believed any more
    assert (await world.api.delete(f"/v1/bridges/{first['id']}")).status == 200


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"bridge_id": "brg_0f2m4h8x0g001"}, "bridge_not_found", "bridge_id"),
        ({"fallback_bridge_id": "brg_0f2m4h8x0g001"}, "bridge_not_found", "fallback_bridge_id"),
        ({"fallback_bridge_id": "{first}"}, "invalid_parameter_value", "fallback_bridge_id"),
        ({"bridge_id": None}, "invalid_parameter_value", "bridge_id"),
    ],
)
async def test_bridges_that_cannot_carry_a_line_are_refused(
    world: HubWorld, change: dict[str, Any], code: str, param: str
) -> None:
    first, _, line = await lines_of(world)
    change = {name: first["id"] if value == "{first}" else value for name, value in change.items()}
    refused = await world.api.patch(f"/v1/lines/{line['id']}", change)

    assert (refused.code, refused.param) == (code, param)


async def test_a_key_of_one_line_does_not_move_it(world: HubWorld) -> None:
    _, second, shown = await lines_of(world)
    await world.directory.refresh()
    line = world.directory.current.lines_by_handle[HANDLE]
    caller = await world.caller("lines:write", lines=(line,))
    refused = await caller.patch(f"/v1/lines/{shown['id']}", {"bridge_id": second["id"]})

    assert (refused.status, refused.code) == (403, "line_not_accessible")


async def test_a_second_bridge_can_be_taken_away(world: HubWorld) -> None:
    _, second, line = await lines_of(world)
    await world.api.patch(f"/v1/lines/{line['id']}", {"fallback_bridge_id": second["id"]})
    changed = await world.api.patch(f"/v1/lines/{line['id']}", {"fallback_bridge_id": None})

    assert changed.json["fallback_bridge_id"] is None
    assert (await world.api.delete(f"/v1/bridges/{second['id']}")).status == 200
