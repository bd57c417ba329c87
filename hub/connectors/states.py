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
    #: Unix ms: since when.
    paused_at: int | None = None
    #: Unix ms: when it was refused last while it is paused.
    refused_at: int | None = None
    #: Of a pause that other credentials ended, and that was not told yet: Unix ms, and why.
    ended_pause_at: int | None = None
    ended_pause_reason: str | None = None
    #: Unix ms: when it was tested last; what that showed: `works`, and whose it is or why not, masked.
    tested_at: int | None = None
    works: bool | None = None
    told: str | None = None

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
            version, found = kept.version, _read(kept.content)
            state = _fitting(found, mark)
        self._seen[connection.name] = _Seen(state, version, now_ms)
        return state

    def version(self, connection: Connection) -> int:
        """Give the version of the state that was read last; 0 where nothing is kept."""
        seen = self._seen.get(connection.name)
        return 0 if seen is None else seen.version

    async def change(self, connection: Connection, state: State, now_ms: int) -> bool:
        """Keep a state in the place of the one that was read last; False if another process was faster."""
        version = self.version(connection)
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


def _fitting(found: State | None, mark: str) -> State:
    """Give what is known of credentials; of other ones only that they were paused, which their end is told of."""
    if found is None:
        return State(fingerprint=mark)
    if found.fingerprint == mark:
        return found
    paused_at = found.ended_pause_at if found.paused_at is None else found.paused_at
    reason = found.ended_pause_reason if found.paused_at is None else found.paused_reason
    return State(fingerprint=mark, ended_pause_at=paused_at, ended_pause_reason=reason)


def _read(content: bytes) -> State | None:
    try:
        return _decode(content)
    except msgspec.MsgspecError:
        return None
