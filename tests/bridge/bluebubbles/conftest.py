"""A bridge before a fake server, or a Mac alone, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bridge.bluebubbles.harness import BlueBubblesHarness, bluebubbles
from tests.bridge.bluebubbles.mac import Mac
from tests.bridge.bluebubbles.reading_stage import NOW


@pytest.fixture
async def bb() -> AsyncIterator[BlueBubblesHarness]:
    async with bluebubbles() as harness:
        yield harness


@pytest.fixture
def mac() -> Mac:
    """A Mac alone, without a server before it."""
    return Mac(now_ms=lambda: NOW - 60_000)
