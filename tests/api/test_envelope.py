"""What every answer has in common: request id, envelope, CORS, HEAD, OPTIONS; health, readiness, metrics."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.api.parts import ReadyCheck
from hub.api.surface import build
from hub.model.errors import StoreError
from tests.support.asgi import Caller
from tests.support.hub_world import HubWorld, open_world

PAGE = "https://app.example.com"


@pytest.mark.parametrize("path", ["/v1/lines", "/nowhere", "/healthz", "/v1/webhooks"])
async def test_the_request_id_is_in_body_and_header(world: HubWorld, path: str) -> None:
    answered = await world.api.get(path)

    assert answered.headers["x-request-id"] == answered.json["request_id"]
    assert answered.headers["content-type"] == "application/json"
    assert int(answered.headers["content-length"]) == len(answered.body)


async def test_head_is_get_without_a_body(world: HubWorld) -> None:
    whole = await world.api.get("/v1/lines")
    head = await world.api.request("HEAD", "/v1/lines")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


async def test_options_needs_no_key(world: HubWorld) -> None:
    answered = await world.api.with_token(None).request("OPTIONS", "/v1/messages")

    assert (answered.status, answered.body) == (204, b"")
    assert answered.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert "access-control-allow-origin" not in answered.headers


@pytest.mark.parametrize(
    ("origins", "origin", "allowed"),
    [
        ((), PAGE, None),
        ((PAGE,), PAGE, PAGE),
        ((PAGE,), "https://evil.example", None),
        (("*",), "https://any.example", "*"),
    ],
)
async def test_cors(tmp_path: Path, origins: tuple[str, ...], origin: str, allowed: str | None) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "DELETE"}
    async with open_world(tmp_path, cors_origins=origins) as world:
        preflight = await world.api.with_token(None).request("OPTIONS", "/v1/webhooks", headers=headers)
        refused = await world.api.with_token(None).get("/v1/lines", headers=headers)

    assert preflight.headers.get("access-control-allow-origin") == allowed
    assert refused.headers.get("access-control-allow-origin") == allowed
    assert ("access-control-allow-methods" in preflight.headers) is (allowed is not None)
    assert "access-control-allow-credentials" not in preflight.headers


def broken(world: HubWorld, error: Exception) -> Caller:
    """A surface whose bare endpoint fails like this."""

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise error

    return Caller(build(replace(world.parts, bridge_events=fails)))


async def test_a_mistake_of_ours_tells_nothing_of_our_insides(world: HubWorld) -> None:
    answered = await broken(world, RuntimeError("the secret is 42")).post("/v1/bridge/events")

    assert (answered.status, answered.code) == (500, "internal_error")
    assert b"42" not in answered.body


async def test_a_store_that_is_away(world: HubWorld) -> None:
    answered = await broken(world, StoreError("disk full at /data")).post("/v1/bridge/events")

    assert (answered.status, answered.code) == (503, "service_unavailable")
    assert answered.headers["retry-after"] == "1"
    assert b"disk" not in answered.body


async def test_health_and_readiness_need_no_key(world: HubWorld) -> None:
    nobody = world.api.with_token(None)
    ready = await nobody.get("/readyz")

    assert (await nobody.get("/healthz")).json["status"] == "ok"
    assert (ready.status, ready.json["checks"]) == (
        200,
        [{"name": "database", "is_ok": True, "reason": None}],
    )


async def test_not_ready(world: HubWorld) -> None:
    async def away() -> str | None:
        return "locked"

    async def raises() -> str | None:
        raise OSError

    checks = [ReadyCheck(name="database", check=away), ReadyCheck(name="disk", check=raises)]
    answered = await Caller(build(replace(world.parts, ready_checks=checks))).get("/readyz")

    assert (answered.status, answered.code) == (503, "service_unavailable")
    assert "database (locked), disk (OSError)" in answered.json["error"]["message"]


async def test_metrics(world: HubWorld) -> None:
    answered = await world.api.with_token(None).get("/metrics")

    assert (answered.status, answered.body) == (200, b"hub_up 1\n")
    assert answered.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), ("scrape-me", 200)])
async def test_metrics_behind_a_token(tmp_path: Path, token: str | None, status: int) -> None:
    async with open_world(tmp_path, metrics_token="scrape-me") as world:
        assert (await world.api.with_token(token).get("/metrics")).status == status


async def test_metrics_switched_off(world: HubWorld) -> None:
    answered = await Caller(build(replace(world.parts, render_metrics=None))).get("/metrics")

    assert answered.code == "route_not_found"


async def test_every_answer_is_counted(world: HubWorld) -> None:
    counted: list[int] = []
    caller = Caller(build(replace(world.parts, on_answer=counted.append)))
    await caller.get("/healthz")
    await caller.get("/v1/lines")

    assert counted == [200, 401]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/lines", 200),
        ("GET", "/v1/webhooks", 400),
        ("GET", "/v1/keys", 403),
        ("GET", "/v1/webhooks/wh_0000000000000", 403),
        ("GET", "/v1/lines/ln_0000000000000", 404),
        ("POST", "/v1/lines", 403),
    ],
)
async def test_each_answer_under_a_known_key_tells_its_rate(
    world: HubWorld, method: str, path: str, status: int
) -> None:
    caller = await world.caller("lines:read", requests_per_hour=7)
    if status == 400:
        caller = await world.caller("webhooks:read", requests_per_hour=7)
    answered = await caller.request(method, path, body=None if method == "GET" else {})

    assert answered.status == status
    assert (answered.headers["x-ratelimit-limit"], answered.headers["x-ratelimit-remaining"]) == ("7", "6")
    assert int(answered.headers["x-ratelimit-reset"]) > world.clock.now_ms() // 1000


async def test_beyond_the_rate(world: HubWorld) -> None:
    caller = await world.caller("lines:read", requests_per_hour=1)
    await caller.get("/v1/lines")
    answered = await caller.get("/v1/lines")

    assert (answered.status, answered.code) == (429, "rate_limit_exceeded")
    assert answered.headers["x-ratelimit-remaining"] == "0"
    assert int(answered.headers["retry-after"]) > 0


async def test_an_unknown_key_has_no_rate(world: HubWorld) -> None:
    answered = await world.api.with_token("sk_live_nobody").get("/v1/lines")

    assert answered.status == 401
    assert "x-ratelimit-limit" not in answered.headers
    assert answered.headers["x-request-id"] == answered.json["request_id"]
