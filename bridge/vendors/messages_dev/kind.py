"""messages.dev, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.vendors.bridge import VendorBridge
from bridge.vendors.hooks import VendorHooks
from bridge.vendors.kinds import examined
from bridge.vendors.messages_dev.account import MessagesDevAccount, check
from bridge.vendors.messages_dev.settings import MessagesDevSettings
from bridge.vendors.settings import SECRETS
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings


def _open(settings: MessagesDevSettings, surroundings: Surroundings) -> VendorBridge:
    account = MessagesDevAccount(settings, surroundings)
    return VendorBridge("messages-dev", account, surroundings, poll_seconds=settings.poll_seconds)


def _open_hooks(settings: MessagesDevSettings, surroundings: Surroundings) -> VendorHooks:
    account = MessagesDevAccount(settings, surroundings)
    return VendorHooks(settings.webhook_secret, surroundings.clock, check=check, read=account.told)


async def _examine(settings: MessagesDevSettings, surroundings: Surroundings) -> Sequence[Finding]:
    return await examined(MessagesDevAccount(settings, surroundings))


KIND: Final = BridgeKind(
    name="messages-dev",
    title="messages.dev (iMessage, SMS)",
    settings=MessagesDevSettings,
    secret_settings=SECRETS,
    open=_open,
    open_hooks=_open_hooks,
    examine=_examine,
    places=frozenset({"hub"}),
)
