"""What the hub learns of a connection and must not forget: its token, a rotated refresh token, why it is paused.

All of it is one sealed value, bound to the credentials that it belongs to: with other ones it counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import msgspec

from hub.flow.connection_states import ConnectionStates
from hub.rules.connectors.connections import Connection

#: What another process changed is seen after so long at the latest.
FRESH_MS: Final = 5_000


class State(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known."""

    #: Tells these credentials from others.
    fingerprint: str
    token: str | None = None
    #: Unix ms; None until it is refused.
    expires_at: int | None = None
    #: Of the token's answer, for templates.
    kept: dict[str, str] = {}
    refresh_token: str | None = None
    paused_reason: str | None = None
    paused_at: int | None = None

    def __repr__(self) -> str:
        return f"State(has_token={self.token is not None}, paused_at={self.paused_at})"


@dataclass(frozen=True, slots=True)
class _Seen:
    state: State
    version: int
    seen_at: int


_decode: Final = msgspec.json.Decoder(State).decode


class StateBook:
    """Reads and changes states."""

    def __init__(self, store: ConnectionStates) -> None:
        self._store = store
        self._seen: dict[str, _Seen] = {}

    async def of(self, connection: Connection, now_ms: int, *, is_fresh: bool = False) -> State:
        """Give the state of a connection; an empty one if there is none for its credentials."""
        mark = fingerprint(connection)
        seen = self._seen.get(connection.name)
        is_known = seen is not None and seen.state.fingerprint == mark and now_ms - seen.seen_at < FRESH_MS
        if seen is not None and is_known and not is_fresh:
            return seen.state
        kept = await self._store.find(connection.name)
        state, version = State(fingerprint=mark), 0
        if kept is not None:
            version = kept.version
            found = _read(kept.content)
            state = found if found is not None and found.fingerprint == mark else state
        self._seen[connection.name] = _Seen(state, version, now_ms)
        return state

    async def change(self, connection: Connection, state: State, now_ms: int) -> bool:
        """Keep a state in the place of the one that was read last; False if another process was faster."""
        seen = self._seen.get(connection.name)
        version = 0 if seen is None else seen.version
        content = msgspec.json.encode(state)
        if not await self._store.keep(connection.name, content, replaces=version, now=now_ms):
            self._seen.pop(connection.name, None)
            return False
        self._seen[connection.name] = _Seen(state, version + 1, now_ms)
        return True


def fingerprint(connection: Connection) -> str:
    """Tell one set of credentials from another; kept sealed, because it is made of them."""
    parts = [connection.manifest.id, connection.auth.name, connection.revealed(), connection.vars]
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _read(content: bytes) -> State | None:
    try:
        return _decode(content)
    except msgspec.MsgspecError:
        return None
