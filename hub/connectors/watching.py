"""Tests connections before somebody needs them: each about once a day, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.connectors.actions import ConnectorActions
from hub.connectors.standing import standing_of
from hub.connectors.states import StateBook
from hub.flow.connection_states import ConnectionStanding
from hub.flow.ports import Clock
from hub.rules.connectors.testing import next_test_at


class ConnectionWatch:
    """Looks after the connections of connections.yaml.

    Args:
        actions: Tests them, and has their catalogue.
        states: When they were tested.
        clock: Tells the time.
        is_testing: False where the operator wants none (`routes.test_connections`).
    """

    def __init__(
        self, actions: ConnectorActions, states: StateBook, clock: Clock, *, is_testing: bool
    ) -> None:
        self._actions = actions
        self._states = states
        self._clock = clock
        self._is_testing = is_testing
        self._since: int | None = None

    async def go_round(self, is_ours: Callable[[], bool]) -> Sequence[ConnectionStanding]:
        """Test those whose time has come; say how all stand that can be tested.

        Args:
            is_ours: Whether it is still this process that does it.
        """
        if self._since is None:
            self._since = self._clock.now_ms()
        found: list[ConnectionStanding] = []
        for name in sorted(self._actions.current.connections):
            connection = self._actions.current.connections.get(name)
            if connection is None or connection.auth.probe is None or not is_ours():
                continue
            now = self._clock.now_ms()
            state = await self._states.of(connection, now, is_fresh=True)
            due = next_test_at(name, tested_at=state.tested_at, since=self._since)
            if self._is_testing and due <= now:
                await self._actions.test(name)
                state = await self._states.of(connection, self._clock.now_ms(), is_fresh=True)
            found.append(standing_of(connection, state))
        return found

    def rest(self) -> None:
        """Another process does it: counting begins anew when it is ours again."""
        self._since = None
