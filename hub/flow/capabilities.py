"""What lines can do: kept as their bridges tell it, and asked before anything is owed.

Until a bridge has told, nothing is refused here: the bridge itself refuses what it cannot do (`unsupported`), so
nothing is pretended, and a line that was added a moment ago can be used.
Not here: which operation needs what (hub.rules.capabilities).
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from hub.flow.directory import DirectoryHolder
from hub.flow.line_store import Lines
from hub.flow.ports import WakeUps
from hub.model.capability import CAPABILITIES
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.capabilities import missing_of, needs_of

log = structlog.get_logger("lines")


class CapabilityBook:
    """Takes down what bridges tell of their lines."""

    def __init__(self, lines: Lines, directory: DirectoryHolder, wake_ups: WakeUps) -> None:
        self._lines = lines
        self._directory = directory
        self._wake_ups = wake_ups

    async def told(self, bridge_id: int, names: frozenset[str]) -> None:
        """Keep what a bridge can do for each of its lines; the configuration changes only if that did."""
        known = names & CAPABILITIES.keys()
        lines = self._directory.current.lines_by_id.values()
        if all(line.capabilities == known for line in lines if line.bridge_id == bridge_id):
            return  # asked again and again, it mostly says the same
        if await self._lines.tell_capabilities(bridge_id, known):
            log.info("line.capabilities_changed", bridge_id=bridge_id, capabilities=sorted(known))
            self._wake_ups.configuration_changed()


def what_is_missing(line: Line, kind: OperationKind, payload: Mapping[str, object]) -> str | None:
    """Say in a sentence which capabilities an operation lacks on a line, and why; None if it can be done."""
    needs = needs_of(kind, payload)
    lacking = () if line.capabilities is None else missing_of(needs, line.capabilities)
    off = sorted(needs & line.capabilities_off - set(lacking))
    said = [f"its bridge cannot {CAPABILITIES[name]} ('{name}')" for name in lacking]
    said += [f"'{name}' is switched off for it ({CAPABILITIES[name]})" for name in off]
    return f"The line cannot do this: {'; '.join(said)}." if said else None


def require_able(line: Line, kind: OperationKind, payload: Mapping[str, object]) -> None:
    """Refuse what a line cannot do.

    Raises:
        InvalidRequest: advanced_features_required, which names each capability that is missing.
    """
    missing = what_is_missing(line, kind, payload)
    if missing is not None:
        raise InvalidRequest("advanced_features_required", missing)
