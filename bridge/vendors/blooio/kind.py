"""Blooio, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.vendors.blooio.account import BlooioAccount, check
from bridge.vendors.blooio.settings import BlooioSettings
from bridge.vendors.bridge import VendorBridge
from bridge.vendors.hooks import VendorHooks
from bridge.vendors.kinds import examined
from bridge.vendors.settings import SECRETS
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings


def _open(settings: BlooioSettings, surroundings: Surroundings) -> VendorBridge:
    account = BlooioAccount(settings, surroundings)
    return VendorBridge("blooio", account, surroundings, poll_seconds=settings.poll_seconds)


def _open_hooks(settings: BlooioSettings, surroundings: Surroundings) -> VendorHooks:
    account = BlooioAccount(settings, surroundings)
    return VendorHooks(settings.webhook_secret, surroundings.clock, check=check, read=account.told)


async def _examine(settings: BlooioSettings, surroundings: Surroundings) -> Sequence[Finding]:
    return await examined(BlooioAccount(settings, surroundings))


KIND: Final = BridgeKind(
    name="blooio",
    title="Blooio (iMessage, SMS, RCS)",
    settings=BlooioSettings,
    secret_settings=SECRETS,
    open=_open,
    open_hooks=_open_hooks,
    examine=_examine,
    places=frozenset({"hub"}),
)
