"""The phone, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from typing import Final

from bridge.smsgate.bridge import SmsGateBridge
from bridge.smsgate.examining import examine
from bridge.smsgate.hooks import SmsGateHooks
from bridge.smsgate.settings import SECRETS, SmsGateSettings
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="smsgate",
    title="Android phone (SMS Gateway for Android)",
    settings=SmsGateSettings,
    secret_settings=SECRETS,
    open=SmsGateBridge,
    open_hooks=SmsGateHooks,
    examine=examine,
    places=frozenset({"hub"}),
)
