"""AVA, as hub.flow.bridge_kinds wants it described. It has no webhooks, so there are no hooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.vendors.ava.account import AvaAccount
from bridge.vendors.ava.settings import AvaSettings
from bridge.vendors.bridge import VendorBridge
from bridge.vendors.kinds import examined
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings


def _open(settings: AvaSettings, surroundings: Surroundings) -> VendorBridge:
    account = AvaAccount(settings, surroundings)
    return VendorBridge("ava", account, surroundings, poll_seconds=settings.poll_seconds)


async def _examine(settings: AvaSettings, surroundings: Surroundings) -> Sequence[Finding]:
    return await examined(AvaAccount(settings, surroundings))


KIND: Final = BridgeKind(
    name="ava",
    title="AVA by Buzzed Tech",
    settings=AvaSettings,
    secret_settings=frozenset({"api_key"}),
    open=_open,
    examine=_examine,
    places=frozenset({"hub"}),
)
