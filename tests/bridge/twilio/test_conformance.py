"""Twilio is a bridge like any other."""

from __future__ import annotations

from tests.bridge.conformance import BridgeConformance


class TestTwilio(BridgeConformance):
    """`harness` stands in conftest."""
