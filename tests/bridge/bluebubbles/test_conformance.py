"""BlueBubbles is a bridge like any other: with its Private API, without it, and told to leave it alone."""

from __future__ import annotations

import pytest

from tests.bridge.bluebubbles.harness import BlueBubblesHarness
from tests.bridge.conformance import BridgeConformance, BridgeHarness


class TestWithPrivateApi(BridgeConformance):
    @pytest.fixture
    def harness(self, bb: BlueBubblesHarness) -> BridgeHarness:
        return bb


class TestWithAppleScript(BridgeConformance):
    @pytest.fixture
    def harness(self, bb: BlueBubblesHarness) -> BridgeHarness:
        bb.server.faults.is_private_api = False
        return bb


class TestOnMacOs26(BridgeConformance):
    @pytest.fixture
    def harness(self, bb: BlueBubblesHarness) -> BridgeHarness:
        bb.server.faults.os_version = "26.0"
        bb.mac.service = "any"
        bb.mac.chats.clear()
        bb.chat = bb.mac.direct("+15550100001")
        return bb
