"""The kind of bridge `imsg`, for the registry."""

from __future__ import annotations

from typing import Final

from bridge.imsg.bridge import ImsgBridge
from bridge.imsg.examining import examine
from bridge.imsg.settings import ImsgSettings
from hub.flow.bridge_kinds import BridgeKind

KIND: Final = BridgeKind(
    name="imsg",
    title="Messages on a Mac (imsg)",
    settings=ImsgSettings,
    secret_settings=frozenset(),
    machine_settings=frozenset({"attachments", "database", "program", "ssh_host"}),
    open=ImsgBridge,
    examine=examine,
)
