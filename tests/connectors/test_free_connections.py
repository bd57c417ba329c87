"""A connection without credentials belongs to no provider: what one host answers says nothing about another."""

from __future__ import annotations

from typing import Any

import pytest

from hub.flow.repositories import Store
from hub.model.actions import ActionCall, ActionDone, ActionFailed
from tests.connectors.golden import Engine, engine
from tests.connectors.provider import providing


async def ask(works: Engine, url: str) -> ActionDone | ActionFailed:
    call = ActionCall(
        name="http.get", connection=None, inputs={"url": url}, key=url, attempt=1, timeout_ms=5_000
    )
    try:
        return await works.actions.run(call)
    except ActionFailed as failure:
        return failure


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        ({"status": 401, "json": {"message": "log in"}}, "auth"),
        ({"status": 429, "headers": {"retry-after": "3600"}}, "rate_limited"),
    ],
)
async def test_one_host_that_refuses_stops_no_other(
    store: Store, answer: dict[str, Any], error_class: str
) -> None:
    async with providing([answer, {"json": {"ok": True}}]) as (_, caller):
        works = engine(store, caller, [])
        refused = await ask(works, "https://a.example/x")
        other = await ask(works, "https://b.example/y")

    assert isinstance(refused, ActionFailed)
    assert refused.error_class == error_class
    assert isinstance(other, ActionDone), other


async def test_the_host_itself_has_its_rest(store: Store) -> None:
    async with providing([{"status": 429, "headers": {"retry-after": "3600"}}]) as (provider, caller):
        works = engine(store, caller, [])
        told = [await ask(works, f"https://a.example/{path}") for path in ("x", "y")]

    assert [each.error_class for each in told if isinstance(each, ActionFailed)] == ["rate_limited"] * 2
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    "url", ["https://[::1", "https://a.example:99999/", "https://a.example:x/", "http://[a]/"]
)
async def test_an_address_that_is_none_is_told(store: Store, url: str) -> None:
    async with providing([]) as (provider, caller):
        failure = await ask(engine(store, caller, []), url)

    assert isinstance(failure, ActionFailed)
    assert failure.error_class == "invalid"
    assert "has no host and port that can be called" in failure.message
    assert provider.asked == []
