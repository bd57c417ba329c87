"""Every kind of bridge, in the order of the alphabet. Bridges of kind `push` are programs of others.

A network is added by its folder and one line here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from bridge.sandbox.alarm import LoopAlarm
from bridge.sandbox.bridge import SandboxBridge
from bridge.sandbox.fates import Delays
from hub.flow.bridge_kinds import BridgeKind
from hub.flow.ports import BridgeAdapter, Clock, OutgoingFiles
from hub.flow.repositories import SandboxNetwork


@dataclass(frozen=True, kw_only=True, slots=True)
class SandboxParts:
    """What the sandbox is built from."""

    clock: Clock
    network: SandboxNetwork
    delays: Delays
    #: Capabilities that it lacks.
    without: frozenset[str] = frozenset()
    #: The bytes of what is sent; None only where nothing is.
    files: OutgoingFiles | None = None


def open_sandbox(parts: SandboxParts) -> BridgeAdapter:
    """Make the adapter of the sandbox, whose network is the hub's own database."""
    clock = parts.clock
    return SandboxBridge(
        parts.network,
        clock=clock,
        alarm=LoopAlarm(clock),
        sleep=asyncio.sleep,
        delays=parts.delays,
        without=parts.without,
        files=parts.files,
    )


class Kinds(Mapping[str, BridgeKind]):
    """Kinds by name; each is loaded when it is asked for, because most hubs have one or two of them.

    Args:
        modules: Name → the module whose `KIND` it is.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> BridgeKind:
        kind: BridgeKind = import_module(self._modules[name]).KIND
        return kind

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


#: The sandbox is none of them, as nobody sets it up.
KINDS: Final = Kinds(
    {
        "ava": "bridge.vendors.ava.kind",
        "blooio": "bridge.vendors.blooio.kind",
        "bluebubbles": "bridge.bluebubbles.kind",
        "chatdb": "bridge.chatdb.kind",
        "coop": "bridge.vendors.coop.kind",
        "imsg": "bridge.imsg.kind",
        "messages-dev": "bridge.vendors.messages_dev.kind",
        "msgbubbles": "bridge.vendors.msgbubbles.kind",
        "smsgate": "bridge.smsgate.kind",
        "twilio": "bridge.twilio.kind",
        "whatsapp": "bridge.whatsapp.kind",
    }
)
