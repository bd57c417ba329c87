"""Which lines can be asked to do something by this hub itself."""

from __future__ import annotations

from bridge.registry import ADAPTERS
from hub.app.core import Core
from hub.model.line import Line


def has_adapter(core: Core, line: Line) -> bool:
    """Tell whether the line's bridge runs inside the hub, so that it can be asked to send."""
    bridge = core.directory.current.bridges_by_id.get(line.bridge_id)
    return bridge is not None and bridge.kind in ADAPTERS
