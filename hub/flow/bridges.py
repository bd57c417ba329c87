"""Bridges: register one that pushes its events to us or runs inside the hub, rotate its secret, switch it off.

Not here: what bridges tell (hub.flow.ingest), and the sandbox bridge, which registers itself at the start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hub.flow.bootstrap import PUSH_KIND
from hub.flow.bridge_kinds import BridgeKind
from hub.flow.bridge_settings import merged
from hub.flow.directory import DirectoryHolder
from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import Store
from hub.flow.rotation import rotated
from hub.model.bridge_call import Agent
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import IdFactory
from hub.model.line import Bridge, Line
from hub.model.webhook import StoredSecret
from hub.rules.signing import SECRET_BYTES_GENERATED, Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class NewBridge:
    """A bridge with a fresh secret: the only moment at which it is shown."""

    bridge: Bridge
    secret: str = field(repr=False)


class BridgeBook:
    """All bridges."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        clock: Clock,
        new_id: IdFactory,
        random_bytes: Callable[[int], bytes],
        wake_ups: WakeUps,
        kinds: Mapping[str, BridgeKind],
        machine_values: Collection[str],
    ) -> None:
        self._kinds = kinds
        #: What machine settings may be, beside their defaults.
        self._machine_values = machine_values
        self._store = store
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._random_bytes = random_bytes
        self._wake_ups = wake_ups

    async def all(self) -> Sequence[Bridge]:
        """Every bridge, oldest first."""
        return sorted((await self._directory.refresh()).bridges_by_id.values(), key=lambda each: each.id)

    async def get(self, bridge_id: int) -> Bridge:
        """Find a bridge.

        Raises:
            InvalidRequest: bridge_not_found.
        """
        bridge = (await self._directory.refresh()).bridges_by_id.get(bridge_id)
        if bridge is None:
            raise InvalidRequest("bridge_not_found", "Bridge not found.")
        return bridge

    async def add(
        self, *, name: str, kind: str = PUSH_KIND, settings: Mapping[str, object] | None = None
    ) -> NewBridge:
        """Register a bridge: one that pushes, or one whose adapter runs inside the hub.

        Raises:
            InvalidRequest: name_taken; invalid_parameter_value for an unknown kind; as `read_settings`.
        """
        await self.require_free(name)
        kept = self._checked(kind, settings)
        secret = self._draw()
        bridge = Bridge(
            id=self._new_id(),
            name=name,
            kind=kind,
            secrets=(StoredSecret(text=secret),),
            cursor=None,
            is_enabled=True,
            created_at=self._clock.now_ms(),
            settings=kept,
        )
        try:
            await self._store.bridges.add(bridge)
        except StoreError:
            await self.require_free(name)  # another caller was first
            raise
        self._wake_ups.configuration_changed()
        return NewBridge(bridge=bridge, secret=secret)

    async def update(
        self,
        bridge_id: int,
        *,
        name: str | None,
        is_enabled: bool | None,
        settings: Mapping[str, object] | None = None,
    ) -> Bridge:
        """Rename a bridge, switch it off or on, or change some of its settings; None leaves as it is.

        Raises:
            InvalidRequest: bridge_not_found, name_taken, or as `read_settings`.
        """
        kind = self._kind(await self.get(bridge_id)) if settings is not None else None
        if name is not None:
            await self.require_free(name, bridge_id)

        def change(bridge: Bridge) -> Bridge:
            if kind is not None and settings is not None:
                bridge = replace(bridge, settings=self._merged(kind, bridge.settings or {}, settings))
            if name is not None:
                bridge = replace(bridge, name=name)
            return bridge if is_enabled is None else replace(bridge, is_enabled=is_enabled)

        return await self._change(bridge_id, change, name=name)

    async def rotate_secret(self, bridge_id: int, *, overlap_hours: float) -> NewBridge:
        """Give a bridge a new secret; the old one is believed until the overlap is over."""
        secret, now = self._draw(), self._clock.now_ms()

        def rotate(bridge: Bridge) -> Bridge:
            secrets = rotated(bridge.secrets, secret, overlap_hours=overlap_hours, now_ms=now)
            return replace(bridge, secrets=secrets)

        return NewBridge(bridge=await self._change(bridge_id, rotate), secret=secret)

    async def delete(self, bridge_id: int) -> None:
        """Forget a bridge that carries no line.

        Raises:
            InvalidRequest: bridge_not_found or bridge_in_use.
        """
        await self.get(bridge_id)
        if not await self._store.bridges.delete(bridge_id):
            raise InvalidRequest(
                "bridge_in_use",
                "The bridge still carries lines, whose history needs it; disable it instead (is_enabled: false).",
            )
        self._wake_ups.configuration_changed()

    async def agents(self) -> Mapping[int, Agent]:
        """The agents, by the ids of their bridges."""
        return await self._store.bridge_calls.agents()

    async def last_heard(self) -> Mapping[int, int]:
        """When each bridge last spoke (Unix ms, to the minute), of those that ever did."""
        return await self._store.bridges.last_heard()

    async def lines_of(self) -> Mapping[int, Sequence[Line]]:
        """The lines of each bridge that carries any, oldest first."""
        found: dict[int, list[Line]] = {}
        lines = (await self._directory.refresh()).lines_by_id.values()
        for line in sorted(lines, key=lambda each: each.id):
            for bridge_id in line.bridge_ids:
                found.setdefault(bridge_id, []).append(line)
        return found

    async def require_free(self, name: str, bridge_id: int | None = None) -> None:
        """Refuse a name that another bridge has.

        Raises:
            InvalidRequest: name_taken.
        """
        known = (await self._directory.refresh()).bridges_by_name.get(name)
        if known is not None and known.id != bridge_id:
            raise InvalidRequest("name_taken", f"Another bridge is named '{name}'.", param="name")

    async def _change(
        self, bridge_id: int, change: Callable[[Bridge], Bridge], *, name: str | None = None
    ) -> Bridge:
        """Change a bridge as it stands; `name` is that which it is to get."""
        try:
            changed = await self._store.bridges.change(bridge_id, change)
        except StoreError:
            if name is not None:
                await self.require_free(name, bridge_id)  # another caller took the name first
            raise
        if changed is None:
            raise InvalidRequest("bridge_not_found", "Bridge not found.")
        self._wake_ups.configuration_changed()
        return changed

    def _checked(self, kind: str, settings: Mapping[str, object] | None) -> dict[str, object] | None:
        if kind == PUSH_KIND:
            if settings:
                raise _no_settings(PUSH_KIND)
            return None
        known = self._kinds.get(kind)
        if known is None:
            names = ", ".join(sorted([PUSH_KIND, *self._kinds]))
            raise InvalidRequest(
                "invalid_parameter_value",
                f"There is no kind of bridge '{kind}'. There are: {names}.",
                param="kind",
            )
        return self._merged(known, {}, settings or {})

    def _merged(
        self, kind: BridgeKind, before: Mapping[str, object], changes: Mapping[str, object]
    ) -> dict[str, object]:
        return merged(kind, before, changes, machine_values=self._machine_values)

    def _kind(self, bridge: Bridge) -> BridgeKind:
        known = self._kinds.get(bridge.kind)
        if known is None:
            raise _no_settings(bridge.kind)
        return known

    def _draw(self) -> str:
        return Secret.from_bytes(self._random_bytes(SECRET_BYTES_GENERATED)).text


def _no_settings(kind: str) -> InvalidRequest:
    message = f"A bridge of the kind '{kind}' has no settings."
    return InvalidRequest("invalid_parameter_value", message, param="settings")
