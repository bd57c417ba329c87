"""Twilio, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from typing import Final

from bridge.twilio.bridge import TwilioBridge
from bridge.twilio.examining import examine
from bridge.twilio.hooks import TwilioHooks
from bridge.twilio.settings import SECRETS, TwilioSettings
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="twilio",
    title="Twilio (SMS, MMS)",
    settings=TwilioSettings,
    secret_settings=SECRETS,
    open=TwilioBridge,
    open_hooks=TwilioHooks,
    examine=examine,
    places=frozenset({"hub"}),
)
