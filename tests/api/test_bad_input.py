"""Whatever comes in, the answer is a documented 4xx with the field and the reason; never a 5xx."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.api.errors import BY_CODE
from hub.api.surface import ENDPOINTS
from tests.support.asgi import Answered
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld, open_world

SEND = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Hello"}


def documented(answered: Answered) -> bool:
    """Whether an answer is a success or an error of the table, in its envelope."""
    if answered.status < 400:
        return True
    listed = BY_CODE[answered.json["error"]["code"]]
    return answered.status == listed.status < 500 and answered.json["error"]["type"] == listed.type


BODIES: dict[str, tuple[bytes, str]] = {
    "deep nesting": (b'{"a":' * 200 + b"1" + b"}" * 200, "invalid_json"),
    "deeper than any stack": (b"[" * 60_000, "invalid_json"),
    "not UTF-8": (b'{"from":"\xff"}', "invalid_json"),
    "NUL": (b'{"from":"a\\u0000b","to":"x","text":"y"}', "invalid_json"),
    "lone surrogate": (b'{"from":"\\ud800","to":"x","text":"y"}', "invalid_json"),
    "huge number": (b'{"from":' + b"9" * 4000 + b"}", "invalid_json"),
    "infinite number": (b'{"from":1e999}', "invalid_json"),
    "an array": (b"[1]", "invalid_json"),
    "trailing junk": (json.dumps(SEND).encode() + b"x", "invalid_json"),
    "wrong type": (json.dumps({**SEND, "to": 5}).encode(), "invalid_parameter_value"),
    "null": (json.dumps({**SEND, "to": None}).encode(), "missing_required_parameter"),
    "empty line": (json.dumps({**SEND, "from": ""}).encode(), "invalid_parameter_value"),
    "text too long": (json.dumps({**SEND, "text": "x" * 20_001}).encode(), "invalid_parameter_value"),
    "no handle": (json.dumps({**SEND, "to": "nobody"}).encode(), "invalid_parameter_value"),
    "too large": (b" " * 65_537, "payload_too_large"),
}


@pytest.mark.parametrize(("body", "code"), BODIES.values(), ids=BODIES.keys())
async def test_bodies(world: HubWorld, body: bytes, code: str) -> None:
    answered = await world.api.post("/v1/messages", body)

    assert answered.code == code
    assert documented(answered)


async def test_a_body_is_refused_while_it_streams(world: HubWorld) -> None:
    pieces = [b" " * 40_000] * 1000
    answered = await world.api.request("POST", "/v1/messages", chunks=pieces)

    assert (answered.status, answered.code) == (413, "payload_too_large")


async def test_a_body_that_announces_too_much_is_not_read(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", b"{}", headers={"Content-Length": "9" * 30})

    assert answered.code == "payload_too_large"


async def test_unknown_fields_are_ignored_where_the_vendor_does_and_refused_elsewhere(
    world: HubWorld,
) -> None:
    lenient = await world.api.post("/v1/messages", {**SEND, "colour": "red"})
    strict = await world.api.post("/v1/bridges", {"name": "x", "colour": "red"})

    assert lenient.status == 201
    assert (strict.code, strict.param) == ("invalid_parameter_value", "colour")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 201),
        ("application/json; charset=UTF-8", 201),
        ("application/vnd.hub+json", 201),
        ("application/x-www-form-urlencoded", 201),
        ("", 201),
        ("application/json; charset=latin-1", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/octet-stream", 415),
        ("image/png", 415),
    ],
)
async def test_content_types(world: HubWorld, kind: str, status: int) -> None:
    answered = await world.api.post("/v1/messages", SEND, headers={"Content-Type": kind})

    assert answered.status == status


async def test_compressed_bodies_are_refused(world: HubWorld) -> None:
    answered = await world.api.post("/v1/messages", SEND, headers={"Content-Encoding": "gzip"})

    assert (answered.status, answered.param) == (415, "Content-Encoding")


@pytest.mark.parametrize(
    ("query", "code", "param"),
    [
        ("", "missing_required_parameter", "from"),
        ("from=%2B1&from=%2B2", "invalid_parameter_value", "from"),
        ("from=%zz", "invalid_parameter_value", "from"),
        ("from=%", "invalid_parameter_value", "from"),
        ("from=%ff", "invalid_parameter_value", "from"),
        ("%ff=1", "invalid_parameter_value", None),
        ("from=a%00b", "invalid_parameter_value", "from"),
        ("from=*&limit=0", "invalid_parameter_value", "limit"),
        ("from=*&limit=101", "invalid_parameter_value", "limit"),
        ("from=*&limit=9999999999999999999999", "invalid_parameter_value", "limit"),
        ("from=*&limit=ten", "invalid_parameter_value", "limit"),
        ("from=*&cursor=nonsense", "invalid_parameter_value", "cursor"),
        ("from=*&cursor=eyJhZnRlciI6WzEsMl19", "invalid_parameter_value", "cursor"),
        ("from=*&cursor=eyJhZnRlciI6Wy0xXX0", "invalid_parameter_value", "cursor"),
        ("from=" + "x" * 9000, "invalid_parameter_value", None),
    ],
)
async def test_queries(world: HubWorld, query: str, code: str, param: str | None) -> None:
    answered = await world.api.get(f"/v1/webhooks?{query}")

    assert (answered.code, answered.param) == (code, param)


async def test_unknown_query_parameters_of_our_own_endpoints(world: HubWorld) -> None:
    answered = await world.api.get("/v1/deliveries?colour=red")

    assert (answered.code, answered.param) == ("invalid_parameter_value", "colour")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/lines/", 404, "route_not_found"),
        ("/v2/lines", 404, "route_not_found"),
        ("/v1/webhooks/%ff", 400, "invalid_parameter_value"),
        ("/v1/webhooks/%zz", 400, "invalid_parameter_value"),
        ("/v1/webhooks/a%00b", 400, "invalid_parameter_value"),
        ("/v1/webhooks/wh_nonsense", 404, "webhook_not_found"),
        ("/v1/webhooks/ln_0000000000000", 404, "webhook_not_found"),
        ("/v1/deliveries/dlv_7zzzzzzzzzzzz", 404, "delivery_not_found"),
    ],
)
async def test_paths(world: HubWorld, path: str, status: int, code: str) -> None:
    answered = await world.api.get(path)

    assert (answered.status, answered.code) == (status, code)


async def test_a_wrong_method_names_the_right_ones(world: HubWorld) -> None:
    answered = await world.api.request("PUT", "/v1/webhooks")

    assert (answered.status, answered.code) == (405, "method_not_allowed")
    assert answered.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, POST"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["from", "to", "text", "url", "events", "id", "webhook_id", "since", "filter", "headers", "scopes", "name",
          "retry_schedule", "attachments", "message_id", "type", "contact", "lines", "overlap_hours"]  # fmt: skip
REQUESTS = st.tuples(
    st.sampled_from([(each.method, each.path) for each in ENDPOINTS]),
    st.one_of(
        st.binary(max_size=200),
        st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6),
        st.fixed_dictionaries(
            {"from": st.sampled_from([SANDBOX_LINE, "*", ""]), "to": st.just(CONTACT)},
            optional=dict.fromkeys(FIELDS[2:], JSON),
        ),
    ),
    st.text(alphabet=st.characters(codec="latin-1", exclude_characters="?#\r\n"), max_size=40),
    st.dictionaries(
        st.sampled_from(
            ["content-type", "content-length", "idempotency-key", "authorization", "origin", "x"]
        ),
        st.text(alphabet=st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40),
        max_size=2,
    ),
)


@pytest.mark.slow
async def test_no_request_is_answered_with_a_5xx(tmp_path: Path) -> None:
    async with open_world(tmp_path, requests_per_hour=0) as world:
        await ask_anything(world, examples=400)


async def ask_anything(world: HubWorld, *, examples: int) -> None:
    """Send generated requests to one hub: whatever earlier ones left behind is part of the test."""
    loop = asyncio.get_running_loop()
    world.parts.live.feed.close()  # a stream ends as soon as it begins

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(request=REQUESTS)
    def holds(request: Any) -> None:
        (method, path), body, rest, headers = request
        target = path.replace("{id}", rest.replace("/", "")[:20] or "x")
        joined = f"{target}?{rest}" if len(rest) % 2 else target
        asking = world.api.request(method, joined, body=body, headers=headers)
        answered = asyncio.run_coroutine_threadsafe(asking, loop).result(30)

        assert documented(answered)

    await asyncio.to_thread(holds)
