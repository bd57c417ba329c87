"""Every kind of bridge, in the order of the alphabet. Bridges of kind `push` are programs of others.

A network is added by its folder and one line here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

from bridge.chatdb.kind import KIND as CHATDB
from bridge.sandbox.alarm import LoopAlarm
from bridge.sandbox.bridge import SandboxBridge
from bridge.sandbox.fates import Delays
from bridge.smsgate.kind import KIND as SMSGATE
from bridge.twilio.kind import KIND as TWILIO
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


_ALL: Final[tuple[BridgeKind, ...]] = (CHATDB, SMSGATE, TWILIO)

#: Kind of bridge → what it is; the sandbox is none of them, as nobody sets it up.
KINDS: Final[dict[str, BridgeKind]] = {kind.name: kind for kind in _ALL}
