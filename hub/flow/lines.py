"""Lines: find the one that a caller names, and register or change one.

The directory is refreshed before each look-up, so a change made by any process counts at once.
Not here: what a line sends (hub.flow.outgoing).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hub.flow.bootstrap import SANDBOX_KIND
from hub.flow.directory import Directory, DirectoryHolder
from hub.flow.ports import Clock, WakeUps
from hub.flow.repositories import Store
from hub.model.errors import InvalidRequest, StoreError
from hub.model.ids import IdFactory, InvalidId, Prefix, parse_id
from hub.model.key import ApiKey
from hub.model.line import Line
from hub.model.line_safety import LineSafety
from hub.rules.chatkeys import normalize_handle


@dataclass(frozen=True, kw_only=True, slots=True)
class LineWish:
    """A line to be registered."""

    bridge_id: int
    handle: str
    label: str | None
    service: str
    is_contact_first: bool
    pace_ms: int
    safety: LineSafety = LineSafety()  # noqa: RUF009 - frozen
    fallback_bridge_id: int | None = None


class LineBook:
    """All lines."""

    def __init__(
        self, *, store: Store, directory: DirectoryHolder, clock: Clock, new_id: IdFactory, wake_ups: WakeUps
    ) -> None:
        self._store = store
        self._directory = directory
        self._clock = clock
        self._new_id = new_id
        self._wake_ups = wake_ups

    async def find(self, text: str, *, param: str = "from") -> Line:
        """Find a line by its handle or its `ln_` id.

        Raises:
            InvalidRequest: line_not_found.
        """
        line = _look_up(await self._directory.refresh(), text)
        if line is None:
            raise InvalidRequest("line_not_found", "Line not found.", param=param)
        return line

    async def accessible(self, key: ApiKey, text: str, *, param: str = "from") -> Line:
        """Find a line that the key may use; the sandbox line is open to every key.

        Raises:
            InvalidRequest: line_not_found or line_not_accessible.
        """
        line = await self.find(text, param=param)
        self.require(key, line.id, param=param)
        return line

    def require(self, key: ApiKey, line_id: int | None, *, param: str | None = None) -> None:
        """Refuse a key that is restricted to other lines; None stands for all lines."""
        if not self.may_use(key, line_id):
            what = "This API key is restricted to certain lines"
            message = f"{what}, and this is not one of them." if line_id else f"{what}: name one of them."
            raise InvalidRequest("line_not_accessible", message, param=param)

    def may_use(self, key: ApiKey, line_id: int | None) -> bool:
        if key.line_ids is None:
            return True
        return line_id is not None and (key.may_use_line(line_id) or self.is_sandbox(line_id))

    def is_sandbox(self, line_id: int) -> bool:
        directory = self._directory.current
        line = directory.lines_by_id.get(line_id)
        bridge = directory.bridges_by_id.get(line.bridge_id) if line is not None else None
        return bridge is not None and bridge.kind == SANDBOX_KIND

    async def visible(self, key: ApiKey) -> Sequence[Line]:
        """The lines that the key may use, oldest first."""
        lines = (await self._directory.refresh()).lines_by_id.values()
        return sorted((line for line in lines if self.may_use(key, line.id)), key=lambda line: line.id)

    async def get(self, line_id: int) -> Line | None:
        return (await self._directory.refresh()).lines_by_id.get(line_id)

    async def add(self, wish: LineWish) -> Line:
        """Register a line on a bridge.

        Raises:
            InvalidRequest: bridge_not_found, or name_taken when the handle is a line already.
        """
        handle = normalize_handle(wish.handle)
        if not handle:
            raise InvalidRequest(
                "invalid_parameter_value", "'handle' holds nothing but blanks.", param="handle"
            )
        await self._require_free(wish.bridge_id, handle)
        self._require_bridges(wish.bridge_id, wish.fallback_bridge_id)
        line = Line(
            id=self._new_id(),
            bridge_id=wish.bridge_id,
            handle=handle,
            label=wish.label,
            service=wish.service,
            is_active=True,
            is_contact_first=wish.is_contact_first,
            pace_ms=wish.pace_ms,
            status="online",
            status_reason=None,
            created_at=self._clock.now_ms(),
            capabilities=self._told_by(wish.bridge_id),
            safety=wish.safety,
            fallback_bridge_id=wish.fallback_bridge_id,
        )
        try:
            await self._store.lines.add(line)
        except StoreError:
            await self._require_free(wish.bridge_id, handle)  # another caller was first
            raise
        self._wake_ups.configuration_changed()
        return line

    def _told_by(self, bridge_id: int) -> frozenset[str] | None:
        """What the bridge has told of its other lines: it can do the same for a new one."""
        lines = self._directory.current.lines_by_id.values()
        return next((each.capabilities for each in lines if each.bridge_id == bridge_id), None)

    def _require_bridges(self, bridge_id: int, fallback_bridge_id: int | None) -> None:
        """Refuse bridges that cannot carry a line together."""
        bridges = self._directory.current.bridges_by_id
        if bridge_id not in bridges:
            raise InvalidRequest("bridge_not_found", "Bridge not found.", param="bridge_id")
        if fallback_bridge_id is None:
            return
        if fallback_bridge_id not in bridges:
            raise InvalidRequest("bridge_not_found", "Bridge not found.", param="fallback_bridge_id")
        if fallback_bridge_id == bridge_id:
            message = "The bridge that a line falls back to must be another one than its first."
            raise InvalidRequest("invalid_parameter_value", message, param="fallback_bridge_id")

    async def _require_free(self, bridge_id: int, handle: str) -> None:
        directory = await self._directory.refresh()
        if bridge_id not in directory.bridges_by_id:
            raise InvalidRequest("bridge_not_found", "Bridge not found.", param="bridge_id")
        if handle in directory.lines_by_handle:
            raise InvalidRequest("name_taken", f"'{handle}' is a line already.", param="handle")

    async def update(self, line: Line, change: Callable[[Line], Line]) -> Line:
        """Change a line: what it is called, what it may do, how it is paced, which bridges carry it.

        Args:
            line: As the caller knows it.
            change: What is to become of it, and of what others made of it meanwhile.

        Raises:
            InvalidRequest: line_not_found; bridge_not_found or invalid_parameter_value for its bridges; what `change`
                says.
        """
        changed = change(line)
        if changed.bridge_ids != line.bridge_ids:
            await self._directory.refresh()
            self._require_bridges(changed.bridge_id, changed.fallback_bridge_id)
        if changed.bridge_id != line.bridge_id:
            await self._store.lines.carry(line.id, self._told_by(changed.bridge_id))
        kept = await self._store.lines.change(line.id, change)
        if kept is None:
            raise InvalidRequest("line_not_found", "Line not found.")
        self._wake_ups.configuration_changed()
        return kept


def _look_up(directory: Directory, text: str) -> Line | None:
    if text.startswith("ln_"):
        try:
            return directory.lines_by_id.get(parse_id(Prefix.LINE, text))
        except InvalidId:
            return None
    return directory.lines_by_handle.get(text) or directory.lines_by_handle.get(normalize_handle(text))
