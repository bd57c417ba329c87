"""The fake network is verified by the suite that holds the store's."""

from __future__ import annotations

import pytest

from hub.flow.repositories import SandboxNetwork
from tests.support.sandbox_network import MemorySandboxNetwork
from tests.support.sandbox_network_suite import SandboxNetworkSuite


class TestMemorySandboxNetwork(SandboxNetworkSuite):
    @pytest.fixture
    def network(self) -> SandboxNetwork:
        return MemorySandboxNetwork()
