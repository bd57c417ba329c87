"""The sandbox is a bridge like any other, with all that it can do and with little of it."""

from __future__ import annotations

import pytest

from bridge.sandbox.bridge import CAPABILITIES
from hub.model.capability import CAPABILITIES as KNOWN
from tests.bridge.conformance import (
    OPERATIONS,
    SHOWN_OTHERWISE,
    BridgeConformance,
    BridgeHarness,
)
from tests.bridge.sandbox_harness import SandboxHarness

#: What a network of words alone can do.
FEW = frozenset({"text", "idempotent_send"})


class TestSandbox(BridgeConformance):
    @pytest.fixture
    def harness(self) -> BridgeHarness:
        return SandboxHarness()


class TestSandboxWithLittle(BridgeConformance):
    @pytest.fixture
    def harness(self) -> BridgeHarness:
        return SandboxHarness(without=CAPABILITIES - FEW)


def test_every_capability_is_exercised() -> None:
    assert {capability for capability, _, _ in OPERATIONS} | SHOWN_OTHERWISE == set(KNOWN)
