"""/v1/keys, and what keys may do."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hub.flow.keys import digest_of
from tests.support.hub_world import OTHER_LINE, SANDBOX_LINE, HubWorld, line_id

HOUR_MS = 3_600_000


async def test_a_key_is_shown_once_and_kept_as_a_digest(world: HubWorld) -> None:
    made = (await world.api.post("/v1/keys", {"name": "shop", "scopes": ["lines:read"]})).json
    shown = (await world.api.get(f"/v1/keys/{made['id']}")).json
    listed = (await world.api.get("/v1/keys")).json["data"]

    assert re.fullmatch(r"sk_live_[0-9A-Za-z]{32}", made["api_key"])
    assert made["api_key"].startswith(shown["hint"])
    assert "api_key" not in shown
    assert made["api_key"] not in str(listed)
    assert (await world.store.keys.by_digest(digest_of(made["api_key"]))) is not None


async def test_restriction_by_handle_or_id(world: HubWorld) -> None:
    body = {"name": "shop", "scopes": ["lines:read"], "lines": [OTHER_LINE, line_id(world.other_line)]}
    made = (await world.api.post("/v1/keys", body)).json
    listed = (await world.api.with_token(made["api_key"]).get("/v1/lines")).json["data"]

    assert made["line_ids"] == [line_id(world.other_line)]
    assert [line["handle"] for line in listed] == [SANDBOX_LINE, OTHER_LINE]


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"scopes": []}, "invalid_parameter_value", "scopes"),
        ({"scopes": ["everything"]}, "invalid_parameter_value", "scopes"),
        ({"lines": ["+15550109999"]}, "line_not_found", "lines[0]"),
        ({"lines": []}, "invalid_parameter_value", "lines"),
        ({"expires_at": 1}, "invalid_parameter_value", "expires_at"),
        ({"name": ""}, "invalid_parameter_value", "name"),
        ({"requests_per_hour": -1}, "invalid_parameter_value", "requests_per_hour"),
    ],
)
async def test_keys_that_are_refused(world: HubWorld, change: dict[str, Any], code: str, param: str) -> None:
    answered = await world.api.post("/v1/keys", {"name": "shop", "scopes": ["lines:read"], **change})

    assert (answered.code, answered.param) == (code, param)


async def test_rotation_gives_the_same_rights_and_ends_the_old_key_later(world: HubWorld) -> None:
    body = {"name": "shop", "scopes": ["lines:read"], "lines": [OTHER_LINE], "requests_per_hour": 500}
    old = (await world.api.post("/v1/keys", body)).json
    new = (await world.api.post(f"/v1/keys/{old['id']}/rotate", {"overlap_hours": 2})).json
    callers = [world.api.with_token(each["api_key"]) for each in (old, new)]
    during = [(await caller.get("/v1/lines")).status for caller in callers]
    world.clock.advance(2 * HOUR_MS)
    after = [(await caller.get("/v1/lines")).status for caller in callers]

    assert {name: new[name] for name in ("name", "scopes", "line_ids", "requests_per_hour")} == {
        "name": "shop", "scopes": ["lines:read"], "line_ids": [line_id(world.other_line)], "requests_per_hour": 500
    }  # fmt: skip
    assert (during, after) == ([200, 200], [401, 200])
    assert (await world.api.get(f"/v1/keys/{old['id']}")).json["status"] == "expired"


async def test_revoking_twice_changes_nothing(world: HubWorld) -> None:
    made = (await world.api.post("/v1/keys", {"name": "shop", "scopes": ["lines:read"]})).json
    first = (await world.api.delete(f"/v1/keys/{made['id']}")).json
    world.clock.advance(1000)
    second = (await world.api.delete(f"/v1/keys/{made['id']}")).json

    assert (first["status"], first["revoked_at"]) == ("revoked", second["revoked_at"])
    assert (await world.api.post(f"/v1/keys/{made['id']}/rotate")).code == "key_not_found"


async def test_another_process_hears_of_a_revocation_within_a_second(world: HubWorld) -> None:
    made = (await world.api.post("/v1/keys", {"name": "shop", "scopes": ["lines:read"]})).json
    caller = world.api.with_token(made["api_key"])
    await caller.get("/v1/lines")
    key = await world.keys.find(made["api_key"])
    assert key is not None
    await world.keys.revoke(key.id)  # as another process does: this one's memory is not told
    believed = (await caller.get("/v1/lines")).status
    world.clock.advance(1000)

    assert believed == 200
    assert (await caller.get("/v1/lines")).code == "invalid_api_key"


@pytest.mark.parametrize("scopes", [("lines:read",), ("lines:write", "webhooks:write")])
async def test_only_admin_may_touch_keys_and_bridges(world: HubWorld, scopes: tuple[str, ...]) -> None:
    caller = await world.caller(*scopes)

    for path in ("/v1/keys", "/v1/bridges"):
        assert (await caller.get(path)).code == "insufficient_scope"


async def test_rights_do_not_grow(world: HubWorld) -> None:
    caller = await world.caller("admin", lines=(world.other_line,))

    for answered in (
        await caller.post("/v1/keys", {"name": "more", "scopes": ["admin"]}),
        await caller.get("/v1/keys"),
        await caller.get("/v1/bridges"),
        await caller.post("/v1/bridges", {"name": "mine"}),
    ):
        assert answered.code == "line_not_accessible"


async def test_keys_page(world: HubWorld) -> None:
    for number in range(3):
        await world.api.post("/v1/keys", {"name": f"key {number}", "scopes": ["lines:read"]})
    first = (await world.api.get("/v1/keys?limit=3")).json
    second = (await world.api.get(f"/v1/keys?limit=3&cursor={first['next_cursor']}")).json

    assert [key["name"] for key in first["data"] + second["data"]] == ["key 2", "key 1", "key 0", "admin"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic abc", "sk_live_" + "x" * 32, "Bearer a b", "Bearer \xff"]
)
async def test_headers_that_carry_no_key(world: HubWorld, header: str) -> None:
    answered = await world.api.get("/v1/lines", headers={"Authorization": header})

    assert (answered.status, answered.code) == (401, "invalid_api_key")
    assert answered.headers["www-authenticate"] == "Bearer"
