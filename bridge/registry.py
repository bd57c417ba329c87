"""Every adapter that runs inside the hub, in the order of the alphabet. Bridges of kind `push` run elsewhere.

A network is added by its folder and one line here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bridge.sandbox.alarm import LoopAlarm
from bridge.sandbox.bridge import SandboxBridge
from bridge.sandbox.fates import Delays
from hub.flow.ports import BridgeAdapter, Clock, OutgoingFiles
from hub.flow.repositories import SandboxNetwork


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What adapters are built from."""

    clock: Clock
    sandbox_network: SandboxNetwork
    sandbox_delays: Delays
    #: Capabilities that the sandbox lacks.
    sandbox_without: frozenset[str] = frozenset()
    #: The bytes of what is sent; None only where nothing is.
    files: OutgoingFiles | None = None


def _sandbox(surroundings: Surroundings) -> BridgeAdapter:
    clock = surroundings.clock
    return SandboxBridge(
        surroundings.sandbox_network,
        clock=clock,
        alarm=LoopAlarm(clock),
        sleep=asyncio.sleep,
        delays=surroundings.sandbox_delays,
        without=surroundings.sandbox_without,
        files=surroundings.files,
    )


#: Kind of bridge → its adapter.
ADAPTERS: Final[dict[str, Callable[[Surroundings], BridgeAdapter]]] = {
    "sandbox": _sandbox,
}
