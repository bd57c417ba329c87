"""Messages on a Mac, by chat.db and AppleScript, is a bridge like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.conformance import BridgeConformance, BridgeHarness


class TestChatDb(BridgeConformance):
    @pytest.fixture
    def harness(self, tmp_path: Path) -> BridgeHarness:
        return ChatDbHarness(tmp_path)
