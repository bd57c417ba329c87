"""MsgBubbles, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.vendors.bridge import VendorBridge
from bridge.vendors.hooks import VendorHooks
from bridge.vendors.kinds import examined
from bridge.vendors.msgbubbles.account import MsgBubblesAccount, check
from bridge.vendors.msgbubbles.settings import MsgBubblesSettings
from bridge.vendors.settings import SECRETS
from hub.flow.bridge_kinds import BridgeKind, Finding, Surroundings


def _open(settings: MsgBubblesSettings, surroundings: Surroundings) -> VendorBridge:
    account = MsgBubblesAccount(settings, surroundings)
    return VendorBridge("msgbubbles", account, surroundings, poll_seconds=settings.poll_seconds)


def _open_hooks(settings: MsgBubblesSettings, surroundings: Surroundings) -> VendorHooks:
    account = MsgBubblesAccount(settings, surroundings)
    return VendorHooks(settings.webhook_secret, surroundings.clock, check=check, read=account.told)


async def _examine(settings: MsgBubblesSettings, surroundings: Surroundings) -> Sequence[Finding]:
    return await examined(MsgBubblesAccount(settings, surroundings))


KIND: Final = BridgeKind(
    name="msgbubbles",
    title="MsgBubbles (iMessage, SMS, WhatsApp)",
    settings=MsgBubblesSettings,
    secret_settings=SECRETS,
    open=_open,
    open_hooks=_open_hooks,
    examine=_examine,
    places=frozenset({"hub"}),
)
