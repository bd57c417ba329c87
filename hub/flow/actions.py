"""What runs of routes need of actions: to know them, and to have them done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hub.model.actions import ActionCall, ActionDone, ActionSpec


class KnownActions(Protocol):
    """What steps may use, and no more than that: enough to check routes."""

    def specs(self) -> Mapping[str, ActionSpec]:
        """Give all actions by name."""
        ...

    def connections(self) -> Mapping[str, str]:
        """Give the connector of each connection."""
        ...


class Actions(KnownActions, Protocol):
    """Everything that steps may `use`: built-in, and by connectors."""

    async def run(self, call: ActionCall) -> ActionDone:
        """Do it once.

        Raises:
            ActionFailed: It was not done, or nobody knows.
        """
        ...

    async def preview(self, call: ActionCall) -> Sequence[str]:
        """Tell which requests it would make, masked, a line each; nothing is sent."""
        ...
