"""One fresh hub for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.hub_world import HubWorld, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    """A hub with a sandbox line, a line on a push bridge, and an admin key."""
    async with open_world(tmp_path) as opened:
        yield opened
