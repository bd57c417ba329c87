"""The adapters of the bridges that run inside the hub, as the bridges are configured now."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.ports import BridgeAdapter
from hub.model.line import Bridge

log = structlog.get_logger("worker")

#: What an adapter was asked before it was replaced is answered within this time.
GRACE_SECONDS = 200.0


class AdapterBook(Mapping[int, BridgeAdapter]):
    """One adapter a bridge, by its id; made anew when the bridge's settings change.

    Args:
        directory: Knows the bridges.
        open_adapter: Makes an adapter; None for a bridge that runs elsewhere.
        grace_seconds: How long a replaced adapter is left open for what it is doing.
    """

    def __init__(
        self,
        directory: DirectoryHolder,
        open_adapter: Callable[[Bridge], BridgeAdapter | None],
        *,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._directory = directory
        self._open_adapter = open_adapter
        self._grace_seconds = grace_seconds
        self._adapters: dict[int, BridgeAdapter] = {}
        self._made_for: dict[int, tuple[object, ...]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def __getitem__(self, bridge_id: int) -> BridgeAdapter:
        return self._adapters[bridge_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._adapters)

    def __len__(self) -> int:
        return len(self._adapters)

    def refresh(self) -> frozenset[int]:
        """Take over what was configured; give the ids of the bridges whose adapters came, changed or went."""
        bridges = self._directory.current.bridges_by_id
        wanted = {bridge.id: _shape(bridge) for bridge in bridges.values() if bridge.is_enabled}
        changed = {
            bridge_id
            for bridge_id in wanted.keys() | self._made_for.keys()
            if wanted.get(bridge_id) != self._made_for.get(bridge_id)
        }
        for bridge_id in changed:
            self._close(bridge_id)
            if bridge_id in wanted:
                self._made_for[bridge_id] = wanted[bridge_id]
                self._open(bridges[bridge_id])
        return frozenset(changed)

    async def aclose(self) -> None:
        """Close every adapter, those that were replaced included."""
        for task in self._closing:
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)
        adapters, self._adapters = list(self._adapters.values()), {}
        await asyncio.gather(*map(_end, adapters))

    def _open(self, bridge: Bridge) -> None:
        try:
            adapter = self._open_adapter(bridge)
        except Exception as error:  # what was kept by another version must not stop the other bridges
            log.error("bridge.unusable", bridge_id=bridge.id, kind=bridge.kind, error=str(error))
            return
        if adapter is not None:
            self._adapters[bridge.id] = adapter

    def _close(self, bridge_id: int) -> None:
        self._made_for.pop(bridge_id, None)
        adapter = self._adapters.pop(bridge_id, None)
        if adapter is not None:
            task = asyncio.get_running_loop().create_task(self._end_later(adapter))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _end_later(self, adapter: BridgeAdapter) -> None:
        try:
            await asyncio.sleep(self._grace_seconds)
        finally:
            await _end(adapter)


def _shape(bridge: Bridge) -> tuple[object, ...]:
    """What an adapter was made from (its hooks' address, too): anything else may change without a new one."""
    return bridge.kind, bridge.settings, bridge.secrets[0].text, bridge.agent


async def _end(adapter: BridgeAdapter) -> None:
    try:
        await adapter.aclose()
    except Exception:
        log.warning("bridge.unclosed", kind=adapter.kind, exc_info=True)
