"""The first and the last instant that a time may name are answered by every list that takes times."""

from __future__ import annotations

import pytest

from tests.support.hub_world import HubWorld

LAST = 32_503_680_000_000
LISTS = {
    "/v1/chats": ("created_before",),
    "/v1/dead-letters": ("since", "until"),
    "/v1/deliveries": ("since", "until"),
    "/v1/events": ("since", "until"),
    "/v1/messages": ("since", "until", "synced_since", "synced_before"),
    "/v1/usage": ("since", "until"),
}


@pytest.mark.parametrize(("path", "name"), [(path, name) for path, names in LISTS.items() for name in names])
async def test_the_ends_of_time(world: HubWorld, path: str, name: str) -> None:
    await world.say("Hi")
    first, last = [await world.api.get(f"{path}?{name}={at}") for at in (0, LAST)]
    beyond = await world.api.get(f"{path}?{name}={LAST + 1}")

    assert (first.status, last.status) == (200, 200), last.body
    assert (beyond.code, beyond.param) == ("invalid_parameter_value", name)
