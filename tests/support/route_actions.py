"""What steps of routes may use in a hub of tests: everything that is shipped, known and never done."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from hub.app.offline import OfflineActions, offline_actions
from hub.config.settings import load_settings
from hub.model.actions import ActionSpec


class ShippedActions:
    """hub.flow.actions.KnownActions. Read once for all tests."""

    def specs(self) -> Mapping[str, ActionSpec]:
        return shipped().specs

    def connections(self) -> Mapping[str, str]:
        return shipped().connections


@cache
def shipped() -> OfflineActions:
    nowhere = Path("/nonexistent")
    named = {"HUB_CONNECTIONS_FILE": str(nowhere / "c.yaml"), "HUB_CONNECTORS_FOLDER": str(nowhere)}
    return offline_actions(load_settings(None, named))
