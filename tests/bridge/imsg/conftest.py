"""A Mac with imsg, whose processes end with the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bridge.imsg.harness import ImsgHarness


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ImsgHarness]:
    harness = ImsgHarness(tmp_path)
    yield harness
    await harness.aclose()
