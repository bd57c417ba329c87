"""A phone is a bridge like any other."""

from __future__ import annotations

from tests.bridge.conformance import BridgeConformance


class TestSmsGate(BridgeConformance):
    """`harness` stands in conftest."""
