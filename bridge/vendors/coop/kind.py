"""Coop, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.vendors.bridge import VendorBridge
from bridge.vendors.coop.account import CoopAccount, check
from bridge.vendors.coop.settings import CoopSettings
from bridge.vendors.hooks import VendorHooks
from bridge.vendors.kinds import examined
from bridge.vendors.settings import SECRETS
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings


def _open(settings: CoopSettings, surroundings: Surroundings) -> VendorBridge:
    account = CoopAccount(settings, surroundings)
    return VendorBridge("coop", account, surroundings, poll_seconds=settings.poll_seconds)


def _open_hooks(settings: CoopSettings, surroundings: Surroundings) -> VendorHooks:
    account = CoopAccount(settings, surroundings)
    return VendorHooks(settings.webhook_secret, surroundings.clock, check=check, read=account.told)


async def _examine(settings: CoopSettings, surroundings: Surroundings) -> Sequence[Finding]:
    return await examined(CoopAccount(settings, surroundings))


KIND: Final = BridgeKind(
    name="coop",
    title="Coop (iMessage, by your own Macs)",
    settings=CoopSettings,
    secret_settings=SECRETS,
    open=_open,
    open_hooks=_open_hooks,
    examine=_examine,
    places=frozenset({"hub"}),
)
