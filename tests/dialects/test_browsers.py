"""A page in a browser can be a client of any dialect, and read what its answers say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.api.dialect import Dialect
from hub.api.errors import ERROR_CODES
from hub.api.surface import ENDPOINTS
from hub.dialects.registry import DIALECTS
from hub.model.errors import InvalidRequest
from tests.dialects.vendors import filled
from tests.support.asgi import Answered
from tests.support.hub_world import HubWorld, open_world

PAGE = "https://page.example"
each_dialect = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda each: each.name)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub that lets one page call it."""
    async with open_world(tmp_path, cors_origins=(PAGE,)) as opened:
        yield opened


async def asked_before(world: HubWorld, path: str) -> Answered:
    """Ask as a browser does before it sends what a page wants to send."""
    headers = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    return await world.api.with_token(None).request("OPTIONS", path, headers=headers)


def named(answered: Answered, header: str) -> list[str]:
    return answered.headers[header].lower().split(", ")


@each_dialect
async def test_a_page_may_send_what_is_read_and_what_the_vendors_client_sends(
    world: HubWorld, dialect: Dialect
) -> None:
    pages = (each for each in (*ENDPOINTS, *dialect.endpoints) if "X-Bridge-Id" not in each.headers)
    own = {header for each in pages for header in each.headers}  # bridges sign what they ask: no page is one
    path = filled(dialect.endpoints[0], "x")
    allowed = named(await asked_before(world, path), "access-control-allow-headers")

    assert {"authorization", "content-type", "idempotency-key"} <= set(allowed)
    assert {each.lower() for each in own | set(dialect.client_headers)} <= set(allowed)
    assert allowed == sorted(set(allowed))


@each_dialect
async def test_a_page_may_read_what_errors_say_beside_their_body(world: HubWorld, dialect: Dialect) -> None:
    told = {
        name.decode()
        for listed in ERROR_CODES
        for seconds in (None, 9, 3_600)
        for name, _ in dialect.errors(
            InvalidRequest(listed.code, "Why.", retry_after=seconds), "req_1"
        ).headers
    }
    answered = await world.api.with_token(None).get(
        filled(dialect.endpoints[0], "x"), headers={"Origin": PAGE}
    )
    exposed = named(answered, "access-control-expose-headers")

    assert {"retry-after", "x-ratelimit-remaining", "x-request-id"} <= set(exposed)
    assert {name.lower() for name in told} <= set(exposed)


async def test_blooios_number_and_its_word_on_repeats(world: HubWorld) -> None:
    """By name, whatever the tables above are made of."""
    answered = await asked_before(world, "/v2/api/chats/%2B15550100001/messages")

    assert "x-from-number" in named(answered, "access-control-allow-headers")
    assert "x-stainless-lang" in named(answered, "access-control-allow-headers")
    assert "x-should-retry" in named(answered, "access-control-expose-headers")
