"""A hub, and its routes with what drives them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.hub_world import HubWorld, open_world
from tests.support.route_world import RouteWorld


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def routes(world: HubWorld) -> RouteWorld:
    return RouteWorld(world)
