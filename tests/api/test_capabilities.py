"""What a line can do is shown, switched off by the operator, and refused by name where it is missing."""

from __future__ import annotations

import pytest

from hub.model.capability import CAPABILITIES
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld, line_id

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}


async def told(world: HubWorld, *names: str) -> None:
    await world.store.lines.tell_capabilities(world.sandbox_line.bridge_id, frozenset(names))


async def test_a_line_shows_what_it_can_do_once_its_bridge_told(world: HubWorld) -> None:
    path = f"/v1/lines/{line_id(world.sandbox_line)}"
    before = (await world.api.get(path)).json
    await told(world, "text", "edit")
    after = (await world.api.get(path)).json
    listed = (await world.api.get("/v1/lines")).json["data"][0]

    assert (before["capabilities"], before["capabilities_off"]) == (None, [])
    assert after["capabilities"] == listed["capabilities"] == ["edit", "text"]


async def test_what_is_switched_off_is_not_shown_and_is_refused(world: HubWorld) -> None:
    await told(world, "text", "typing_out")
    path = f"/v1/lines/{line_id(world.sandbox_line)}"
    changed = await world.api.patch(path, {"capabilities_off": ["typing_out"]})
    refused = await world.api.post("/v1/typing", {"from": SANDBOX_LINE, "to": CONTACT})

    assert (changed.json["capabilities"], changed.json["capabilities_off"]) == (["text"], ["typing_out"])
    assert (refused.status, refused.code) == (400, "advanced_features_required")
    assert "'typing_out' is switched off" in refused.json["error"]["message"]
    assert (await world.api.post("/v1/messages", SEND)).status == 201


async def test_what_the_bridge_lacks_is_refused_by_name(world: HubWorld) -> None:
    await told(world, "edit")
    refused = await world.api.post("/v1/messages", SEND)

    assert refused.code == "advanced_features_required"
    assert "cannot send words ('text')" in refused.json["error"]["message"]


async def test_before_the_bridge_has_told_a_send_is_accepted(world: HubWorld) -> None:
    assert (await world.api.post("/v1/messages", SEND)).status == 201


@pytest.mark.parametrize(
    ("names", "param"),
    [(["text", "telepathy"], "capabilities_off[1]"), ("text", "capabilities_off"), ([5], "capabilities_off[0]")],
)  # fmt: skip
async def test_only_capabilities_can_be_switched_off(world: HubWorld, names: object, param: str) -> None:
    path = f"/v1/lines/{line_id(world.sandbox_line)}"
    answered = await world.api.patch(path, {"capabilities_off": names})

    assert (answered.status, answered.code, answered.param) == (400, "invalid_parameter_value", param)


async def test_a_new_line_can_do_what_its_bridge_told_of_the_others(world: HubWorld) -> None:
    await told(world, *CAPABILITIES)
    bridge_id = (await world.api.get("/v1/lines")).json["data"][0]["bridge_id"]
    made = await world.api.post("/v1/lines", {"bridge_id": bridge_id, "handle": "+15550100030"})

    assert made.json["capabilities"] == sorted(CAPABILITIES)
