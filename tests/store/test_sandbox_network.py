"""The store keeps the simulated network's memory, on both databases, as the fake of the bridge's tests does."""

from __future__ import annotations

import pytest

from hub.flow.repositories import SandboxNetwork, Store
from tests.support.sandbox_network_suite import SandboxNetworkSuite


class TestSqlSandboxNetwork(SandboxNetworkSuite):
    @pytest.fixture
    def network(self, store: Store) -> SandboxNetwork:
        return store.sandbox
