"""WhatsApp, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from typing import Final

from bridge.whatsapp.bridge import WhatsAppBridge
from bridge.whatsapp.examining import examine
from bridge.whatsapp.hooks import WhatsAppHooks
from bridge.whatsapp.settings import SECRETS, WhatsAppSettings
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="whatsapp",
    title="WhatsApp (Cloud API)",
    settings=WhatsAppSettings,
    secret_settings=SECRETS,
    open=WhatsAppBridge,
    open_hooks=WhatsAppHooks,
    examine=examine,
    places=frozenset({"hub"}),
)
