"""Messages on a Mac by imsg is a bridge like any other, with its helper and without."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.bridge.conformance import BridgeConformance, BridgeHarness
from tests.bridge.imsg.harness import HELPER, ImsgHarness


class TestImsg(BridgeConformance):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[BridgeHarness]:
        harness = ImsgHarness(tmp_path)
        yield harness
        await harness.aclose()


class TestImsgWithoutItsHelper(BridgeConformance):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[BridgeHarness]:
        harness = ImsgHarness(tmp_path, off=HELPER)
        yield harness
        await harness.aclose()
