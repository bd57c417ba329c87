"""BlueBubbles, as hub.flow.bridge_kinds wants it described."""

from __future__ import annotations

from typing import Final

from bridge.bluebubbles.bridge import BlueBubblesBridge
from bridge.bluebubbles.examining import examine
from bridge.bluebubbles.settings import SECRET_SETTINGS, BlueBubblesSettings
from bridge.bluebubbles.webhooks import BlueBubblesHooks
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="bluebubbles",
    title="iMessage (BlueBubbles)",
    settings=BlueBubblesSettings,
    secret_settings=SECRET_SETTINGS,
    open=BlueBubblesBridge,
    open_hooks=BlueBubblesHooks,
    is_called=lambda settings: settings.get("feed") == "webhook",
    examine=examine,
)
