"""How connections stand: what is kept of each, in words for whoever looks."""

from __future__ import annotations

from collections.abc import Iterable

from hub.connectors.states import State, StateBook
from hub.flow.connection_states import ConnectionStanding
from hub.rules.connectors.connections import Connection


async def standings(
    connections: Iterable[Connection], states: StateBook, now_ms: int
) -> list[ConnectionStanding]:
    """Say how connections stand, by name."""
    found = sorted(connections, key=lambda each: each.name)
    return [standing_of(each, await states.of(each, now_ms, is_fresh=True)) for each in found]


def standing_of(connection: Connection, state: State) -> ConnectionStanding:
    """Say how a connection stands."""
    is_paused = state.paused_at is not None
    is_failing = state.works is False
    return ConnectionStanding(
        name=connection.name,
        connector=connection.manifest.id,
        auth=connection.auth.name,
        state="paused" if is_paused else "failing" if is_failing else "ok",
        reason=state.paused_reason if is_paused else state.told if is_failing else None,
        paused_at=state.paused_at,
        tested_at=state.tested_at,
        works=state.works,
        told=state.told,
    )
