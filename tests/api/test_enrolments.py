"""/v1/enrolments and POST /v1/bridge/enrol: a machine becomes a bridge by a token, once."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

import hub
from hub.flow.enrolments import KEPT_MS
from hub.model.ids import Prefix, id_text
from tests.api.test_bridges_and_lines import HANDLE, push, registered
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld

OWN_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
SYSTEM = {"os": "macOS 15.1", "hostname": "office-mini", "agent": "hub-agent 1.0"}


async def enrolment(world: HubWorld, **fields: Any) -> dict[str, Any]:
    answered = await world.api.post("/v1/enrolments", fields)
    assert answered.status == 201, answered.body
    made: dict[str, Any] = answered.json
    return made


async def enrol(world: HubWorld, token: str, **fields: Any) -> Answered:
    return await world.api.with_token(None).post("/v1/bridge/enrol", {"token": token, **fields})


async def status_of(world: HubWorld, enrolment_id: str) -> str | None:
    listed = (await world.api.get("/v1/enrolments")).json["data"]
    return next((each["status"] for each in listed if each["id"] == enrolment_id), None)


async def test_a_machine_enrols_and_speaks_at_once(world: HubWorld) -> None:
    made = await enrolment(world, name="office-mac")
    bridge = (await enrol(world, made["token"], system=SYSTEM)).json
    await world.api.post("/v1/lines", {"bridge_id": bridge["id"], "handle": HANDLE})
    spoke = await push(world, bridge, bridge["secret"])
    shown = (await world.api.get(f"/v1/bridges/{bridge['id']}")).json

    assert made["expires_at"] - made["created_at"] == 30 * 60_000
    assert (bridge["name"], bridge["kind"], bridge["status"]) == ("office-mac", "push", "idle")
    assert spoke.status == 202
    assert (shown["system"], shown["status"], len(shown["line_ids"])) == (SYSTEM, "online", 1)
    assert shown["last_heard_at"] == world.clock.now_ms()
    assert await status_of(world, made["id"]) == "redeemed"
    one = (await world.api.get(f"/v1/enrolments/{made['id']}")).json
    assert (one["bridge_id"], one["redeemed_at"]) == (bridge["id"], world.clock.now_ms())


async def test_the_commands_of_the_page_work(world: HubWorld) -> None:
    page = (Path(hub.__file__).parent.parent / "docs" / "bridges.md").read_text("utf-8")
    make, use = (
        shlex.split(each) for each in re.findall(r"^ {4}(curl .*bridge.*|curl .*enrol.*)$", page, re.M)
    )
    made = await world.api.post(make[2].removeprefix("$HUB"), json.loads(make[-1]))
    body = json.loads(re.sub(r"\$[A-Z]+", made.json["token"], use[-1]))
    enrolled = await world.api.with_token(None).post(use[2].removeprefix("$HUB"), body)

    assert (made.status, enrolled.status) == (201, 201)
    assert (enrolled.json["name"], enrolled.json["system"]["hostname"]) == ("office-mac", "mini")


async def test_a_token_works_once(world: HubWorld) -> None:
    token = (await enrolment(world))["token"]
    answers = await asyncio.gather(*(enrol(world, token, name=f"mac-{number}") for number in range(4)))

    assert sorted(each.status for each in answers) == [201, 401, 401, 401]
    assert {each.code for each in answers if each.status == 401} == {"enrolment_refused"}
    assert len((await world.api.get("/v1/bridges")).json["data"]) == 3


async def test_who_drew_the_secret_may_ask_again(world: HubWorld) -> None:
    token = (await enrolment(world, name="office-mac"))["token"]
    first = await enrol(world, token, secret=OWN_SECRET)
    again = await enrol(world, token, secret=OWN_SECRET)
    other = await enrol(world, token, secret=OWN_SECRET.replace("AAEC", "BBEC"))
    world.clock.advance(30 * 60_000)
    late = await enrol(world, token, secret=OWN_SECRET)

    assert (first.status, again.status) == (201, 201)
    assert (first.json["id"], first.json["secret"]) == (again.json["id"], OWN_SECRET)
    assert (other.code, late.code) == ("enrolment_refused", "enrolment_refused")


async def test_another_machine_takes_a_bridge_over(world: HubWorld) -> None:
    bridge = await registered(world)
    made = await enrolment(world, bridge_id=bridge["id"])
    taken = (await enrol(world, made["token"], name="whatever")).json
    old, new = (
        await push(world, bridge, bridge["secret"]),
        await push(world, taken, taken["secret"], name="r2"),
    )

    assert (taken["id"], taken["name"], len(taken["line_ids"])) == (bridge["id"], "mac-mini", 1)
    assert (old.status, new.status) == (401, 202)


async def test_a_refusal_does_not_use_the_token_up(world: HubWorld) -> None:
    token = (await enrolment(world))["token"]
    refused = [
        await enrol(world, token),
        await enrol(world, token, name="push"),
        await enrol(world, token, name="mac", secret="whsec_short"),
    ]

    assert [(each.code, each.param) for each in refused] == [
        ("missing_required_parameter", "name"),
        ("name_taken", "name"),
        ("invalid_parameter_value", "secret"),
    ]
    assert (await enrol(world, token, name="mac")).status == 201


@pytest.mark.parametrize("token", ["", "enrol_", "enrol_" + "A" * 32, "é" * 38, "sk_live_" + "A" * 32])
async def test_what_is_no_token_opens_nothing(world: HubWorld, token: str) -> None:
    answered = await enrol(world, token, name="mac")

    assert (answered.status, answered.code) == (401, "enrolment_refused")


async def test_what_stands_before_the_letters_does_not_matter(world: HubWorld) -> None:
    token = (await enrolment(world))["token"].replace("enrol_", "rtkn_")

    assert (await enrol(world, token, name="mac")).status == 201


async def test_a_revoked_token_opens_nothing(world: HubWorld) -> None:
    made = await enrolment(world)
    deleted = await world.api.delete(f"/v1/enrolments/{made['id']}")

    assert (deleted.status, deleted.json["deleted"]) == (200, True)
    assert (await enrol(world, made["token"], name="mac")).code == "enrolment_refused"
    assert (await world.api.delete(f"/v1/enrolments/{made['id']}")).code == "enrolment_not_found"
    assert (await world.api.get(f"/v1/enrolments/{made['id']}")).code == "enrolment_not_found"


async def test_old_ones_are_listed_for_a_while(world: HubWorld) -> None:
    old = await enrolment(world, minutes=1)
    world.clock.advance(60_000)
    status = await status_of(world, old["id"])
    world.clock.advance(KEPT_MS + 1)
    page = (await world.api.get("/v1/enrolments?limit=1")).json
    fresh = await enrolment(world)
    listed = (await world.api.get("/v1/enrolments")).json["data"]

    assert (status, page["has_more"]) == ("expired", False)
    assert [each["id"] for each in listed] == [fresh["id"]]
    assert fresh["token"] not in str(listed)


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"name": "push"}, "name_taken", "name"),
        ({"bridge_id": "brg_0000000000000"}, "bridge_not_found", None),
        ({"bridge_id": "wh_1"}, "invalid_parameter_value", "bridge_id"),
        ({"bridge_id": "brg_0000000000000", "name": "a"}, "invalid_parameter_value", "name"),
        ({"minutes": 0}, "invalid_parameter_value", "minutes"),
        ({"minutes": 1441}, "invalid_parameter_value", "minutes"),
    ],
)
async def test_what_is_refused(world: HubWorld, body: dict[str, Any], code: str, param: str | None) -> None:
    answered = await world.api.post("/v1/enrolments", body)

    assert (answered.code, answered.param) == (code, param)


async def test_what_runs_inside_the_hub_is_taken_over_by_nobody(world: HubWorld) -> None:
    sandbox = id_text(Prefix.BRIDGE, world.sandbox_line.bridge_id)
    answered = await world.api.post("/v1/enrolments", {"bridge_id": sandbox})

    assert (answered.code, answered.param) == ("invalid_parameter_value", "bridge_id")
