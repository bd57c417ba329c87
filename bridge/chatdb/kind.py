"""The kind of bridge `chatdb`, for the registry."""

from __future__ import annotations

from typing import Final

from bridge.chatdb.bridge import ChatDbBridge
from bridge.chatdb.examining import examine
from bridge.chatdb.settings import ChatDbSettings
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="chatdb",
    title="Messages on a Mac (chat.db and AppleScript)",
    settings=ChatDbSettings,
    secret_settings=frozenset(),
    machine_settings=frozenset({"attachments", "database"}),
    open=ChatDbBridge,
    examine=examine,
)
