"""/v1/bridges and /v1/lines: a bridge that pushes can be registered with its lines, and speaks at once."""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as StandardWebhook

from hub.model.ids import Prefix, id_text
from hub.model.webhook import StoredSecret
from hub.rules.signing import Secret
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld, line_id
from tests.support.push_bridge import add_push_bridge

HANDLE = "+15550100020"


async def push(world: HubWorld, bridge: dict[str, Any], secret: str, *, name: str = "r1") -> Any:
    """Tell one message as a registered bridge does."""
    at = world.clock.now_ms()
    observation = {
        "v": 1, "line": HANDLE, "kind": "message.received", "at": at, "chat": {"key": f"dm:{CONTACT}"},
        "actor": CONTACT, "message": {"provider_id": name, "parts": [{"type": "text", "text": "Hi"}]},
    }  # fmt: skip
    body = json.dumps({"events": [observation]})
    signature = StandardWebhook(secret).sign(name, datetime.fromtimestamp(at / 1000, UTC), body)
    headers = {
        "X-Bridge-Id": bridge["id"], "webhook-id": name, "webhook-timestamp": str(at // 1000),
        "webhook-signature": signature,
    }  # fmt: skip
    return await world.api.post("/v1/bridge/events", body.encode(), headers=headers)


async def registered(world: HubWorld) -> dict[str, Any]:
    bridge: dict[str, Any] = (await world.api.post("/v1/bridges", {"name": "mac-mini"})).json
    body = {"bridge_id": bridge["id"], "handle": HANDLE, "is_contact_first": False}
    assert (await world.api.post("/v1/lines", body)).status == 201
    return bridge


async def test_a_registered_bridge_speaks_at_once(world: HubWorld) -> None:
    bridge = await registered(world)
    answered = await push(world, bridge, bridge["secret"])

    assert answered.status == 202
    assert [result["status"] for result in answered.json["results"]] == ["recorded"]
    assert answered.headers["x-request-id"] == answered.json["request_id"]


async def test_rotation_believes_both_secrets_until_the_overlap_is_over(world: HubWorld) -> None:
    bridge = await registered(world)
    rotated = (await world.api.post(f"/v1/bridges/{bridge['id']}/rotate-secret", {"overlap_hours": 1})).json
    during = [
        (await push(world, bridge, secret, name=f"d{number}")).status
        for number, secret in enumerate((bridge["secret"], rotated["secret"]))
    ]
    world.clock.advance(3_600_000)
    after = [
        (await push(world, bridge, secret, name=f"a{number}")).status
        for number, secret in enumerate((bridge["secret"], rotated["secret"]))
    ]

    assert (during, after) == ([202, 202], [401, 202])


async def test_a_disabled_bridge_is_not_believed(world: HubWorld) -> None:
    bridge = await registered(world)
    await world.api.patch(f"/v1/bridges/{bridge['id']}", {"is_enabled": False, "name": "old mac"})
    shown = (await world.api.get(f"/v1/bridges/{bridge['id']}")).json

    assert (shown["name"], shown["is_enabled"], shown["kind"]) == ("old mac", False, "push")
    assert (await push(world, bridge, bridge["secret"])).code == "invalid_signature"


async def test_a_bridge_with_lines_is_kept(world: HubWorld) -> None:
    bridge = await registered(world)
    empty = (await world.api.post("/v1/bridges", {"name": "empty"})).json
    deleted = await world.api.delete(f"/v1/bridges/{empty['id']}")

    assert (await world.api.delete(f"/v1/bridges/{bridge['id']}")).code == "bridge_in_use"
    assert (deleted.status, deleted.json["deleted"]) == (200, True)
    assert (await world.api.get(f"/v1/bridges/{empty['id']}")).code == "bridge_not_found"


async def test_lists_never_show_secrets(world: HubWorld) -> None:
    bridge = await registered(world)
    listed = await world.api.get("/v1/bridges")

    assert [each["name"] for each in listed.json["data"]] == ["sandbox", "push", "mac-mini"]
    assert bridge["secret"].encode() not in listed.body


@pytest.mark.parametrize(
    ("path", "body", "code", "param"),
    [
        ("/v1/bridges", {"name": "push"}, "name_taken", "name"),
        ("/v1/bridges", {"name": " x"}, "invalid_parameter_value", "name"),
        ("/v1/bridges", {}, "missing_required_parameter", "name"),
        ("/v1/lines", {"bridge_id": "brg_0000000000000", "handle": HANDLE}, "bridge_not_found", "bridge_id"),
        ("/v1/lines", {"bridge_id": "wh_1", "handle": HANDLE}, "invalid_parameter_value", "bridge_id"),
        ("/v1/lines", {"handle": HANDLE}, "missing_required_parameter", "bridge_id"),
    ],
)
async def test_what_is_refused(
    world: HubWorld, path: str, body: dict[str, Any], code: str, param: str
) -> None:
    answered = await world.api.post(path, body)

    assert (answered.code, answered.param) == (code, param)


@pytest.mark.parametrize("handle", [OTHER_LINE, "+1 (555) 010-0010"])
async def test_a_handle_is_one_line(world: HubWorld, handle: str) -> None:
    bridge_id = id_text(Prefix.BRIDGE, world.other_line.bridge_id)
    answered = await world.api.post("/v1/lines", {"bridge_id": bridge_id, "handle": handle})

    assert (answered.status, answered.code) == (409, "name_taken")


async def test_two_at_once_make_one_line(world: HubWorld) -> None:
    body = {"bridge_id": id_text(Prefix.BRIDGE, world.other_line.bridge_id), "handle": HANDLE}
    answers = await asyncio.gather(*(world.api.post("/v1/lines", body) for _ in range(5)))

    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409]


async def test_two_at_once_make_one_bridge(world: HubWorld) -> None:
    answers = await asyncio.gather(*(world.api.post("/v1/bridges", {"name": "mac"}) for _ in range(3)))
    other = (await world.api.post("/v1/bridges", {"name": "other"})).json
    renamed = await asyncio.gather(
        world.api.patch(f"/v1/bridges/{other['id']}", {"name": "new"}),
        world.api.post("/v1/bridges", {"name": "new"}),
    )

    assert sorted(answer.status for answer in answers) == [201, 409, 409]
    assert sorted(answer.code or "" for answer in renamed) == ["", "name_taken"]


async def test_change_a_line(world: HubWorld) -> None:
    path = f"/v1/lines/{line_id(world.other_line)}"
    changed = await world.api.patch(path, {"label": "Shop", "is_active": False, "pace_ms": 5})
    sent = await world.api.post("/v1/messages", {"from": OTHER_LINE, "to": CONTACT, "text": "Hi"})
    shown = (await world.api.get(path)).json

    assert (changed.json["label"], changed.json["is_active"], changed.json["pace_ms"]) == ("Shop", False, 5)
    assert shown == {**changed.json, "request_id": shown["request_id"]}
    assert sent.status in {403, 409}


async def test_changes_of_a_line_at_once_all_count(world: HubWorld) -> None:
    """Each changes what it names, and leaves what the others change."""
    path = f"/v1/lines/{line_id(world.other_line)}"
    wishes: list[dict[str, Any]] = [
        {"label": "Shop"},
        {"is_active": False},
        {"pace_ms": 5},
        {"safety": {"messages_per_day": 7}},
        {"safety": {"new_conversations_per_hour": 3}},
    ]
    await asyncio.gather(*(world.api.patch(path, wish) for wish in wishes))
    shown = (await world.api.get(path)).json

    assert (shown["label"], shown["is_active"], shown["pace_ms"]) == ("Shop", False, 5)
    assert shown["safety"] == {"messages_per_day": 7, "new_conversations_per_hour": 3}


async def test_changes_of_a_bridge_at_once_all_count(world: HubWorld) -> None:
    """A secret that was shown is believed."""
    made = await registered(world)
    path = f"/v1/bridges/{made['id']}"
    answers = await asyncio.gather(
        world.api.post(f"{path}/rotate-secret", {}),
        world.api.post(f"{path}/rotate-secret", {}),
        world.api.patch(path, {"name": "renamed"}),
    )
    pushed = [
        await push(world, made, answer.json["secret"], name=f"r{place}")
        for place, answer in enumerate(answers[:2])
    ]

    assert [each.status for each in pushed] == [202, 202]
    assert (await world.api.get(path)).json["name"] == "renamed"


async def test_an_inactive_line_sends_nothing(world: HubWorld) -> None:
    await world.api.patch(f"/v1/lines/{line_id(world.sandbox_line)}", {"is_active": False})
    sent = await world.api.post("/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hi"})

    assert (sent.status, sent.code, sent.param) == (409, "line_inactive", "from")


async def test_a_bridge_that_another_process_added_is_known_at_once(world: HubWorld) -> None:
    """Behind a load balancer the first events may reach another process than the one that registered it."""
    elsewhere = await add_push_bridge(
        world.store,
        name="mac",
        handles=[HANDLE],
        new_id=world.new_id,
        random_bytes=secrets.token_bytes,
        clock=world.clock,
    )
    bridge = {"id": id_text(Prefix.BRIDGE, elsewhere.id)}

    answer = await push(world, bridge, elsewhere.secrets[0].text)

    assert (answer.status, answer.json["results"][0]["status"]) == (202, "recorded")


async def test_a_secret_that_another_process_turned_is_taken_at_once(world: HubWorld) -> None:
    bridge = await add_push_bridge(
        world.store,
        name="mac",
        handles=[HANDLE],
        new_id=world.new_id,
        random_bytes=secrets.token_bytes,
        clock=world.clock,
    )
    shown = {"id": id_text(Prefix.BRIDGE, bridge.id)}
    assert (await push(world, shown, bridge.secrets[0].text)).status == 202
    fresh = StoredSecret(text=Secret.from_bytes(secrets.token_bytes(32)).text)
    await world.store.bridges.change(bridge.id, lambda bridge: replace(bridge, secrets=(fresh,)))

    assert (await push(world, shown, fresh.text, name="r2")).status == 202
    assert (await push(world, shown, bridge.secrets[0].text, name="r3")).status == 401


@pytest.mark.parametrize("handle", [" ", "\n\t", "\u00a0"])
async def test_a_line_has_a_handle(world: HubWorld, handle: str) -> None:
    bridge = (await world.api.post("/v1/bridges", {"name": "mac-mini"})).json
    answered = await world.api.post("/v1/lines", {"bridge_id": bridge["id"], "handle": handle})

    assert (answered.status, answered.code) == (400, "invalid_parameter_value")
    assert answered.json["error"]["param"] == "handle"
