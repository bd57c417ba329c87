"""The sandbox is a bridge like any other."""

from __future__ import annotations

import pytest

from tests.bridge.conformance import BridgeConformance, BridgeHarness
from tests.bridge.sandbox_harness import SandboxHarness


class TestSandbox(BridgeConformance):
    @pytest.fixture
    def harness(self) -> BridgeHarness:
        return SandboxHarness()
