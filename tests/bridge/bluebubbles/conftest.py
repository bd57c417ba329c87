"""A bridge before a fake server, for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.bridge.bluebubbles.harness import BlueBubblesHarness, bluebubbles


@pytest.fixture
async def bb() -> AsyncIterator[BlueBubblesHarness]:
    async with bluebubbles() as harness:
        yield harness
