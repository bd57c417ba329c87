"""Built-in actions and those of connectors as one catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.actions.built_in import unknown_action
from hub.flow.actions import Actions
from hub.model.actions import ActionCall, ActionDone, ActionSpec


class CombinedActions:
    """Everything that steps may `use`. A built-in action keeps its name, whatever a connector calls its own.

    Args:
        built_in: What the hub brings along.
        connectors: What manifests declare; it may change while the hub runs.
    """

    def __init__(self, built_in: Actions, connectors: Actions) -> None:
        self._built_in = built_in
        self._connectors = connectors
        self._of_connectors: Mapping[str, ActionSpec] | None = None
        self._specs: Mapping[str, ActionSpec] = {}

    def specs(self) -> Mapping[str, ActionSpec]:
        """Give all actions by name; runs ask for each of their steps, so they are put together once."""
        of_connectors = self._connectors.specs()
        if of_connectors is not self._of_connectors:
            self._specs = {**of_connectors, **self._built_in.specs()}
            self._of_connectors = of_connectors
        return self._specs

    def connections(self) -> Mapping[str, str]:
        """Give the connector of each connection."""
        return {**self._connectors.connections(), **self._built_in.connections()}

    async def run(self, call: ActionCall) -> ActionDone:
        """Do it once, by whom it belongs to.

        Raises:
            ActionFailed: Also `bug`, with what was probably meant, where nobody knows the action.
        """
        return await self._owner(call.name).run(call)

    async def preview(self, call: ActionCall) -> Sequence[str]:
        """Tell what it would do."""
        return await self._owner(call.name).preview(call)

    def _owner(self, name: str) -> Actions:
        for actions in (self._built_in, self._connectors):
            if name in actions.specs():
                return actions
        raise unknown_action(name, self.specs())
