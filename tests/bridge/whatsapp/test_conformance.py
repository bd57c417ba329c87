"""WhatsApp is a bridge like any other, but that it cannot be asked."""

from __future__ import annotations

from tests.bridge.conformance import BridgeConformance


class TestWhatsApp(BridgeConformance):
    """`harness` stands in conftest."""
