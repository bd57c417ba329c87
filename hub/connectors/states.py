"""What the hub learns of a connection and must not forget: its token, a rotated refresh token, why it is paused.

All of it is one sealed value, bound to the credentials that it belongs to: with other ones it counts for nothing, and
is found again when they are.
"""

from __future__ import annotations

from collections.abc import Callable
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
    #: What is known of the credentials before these, in case they are not over: a process that reads the file later,
    #: or a command with other variables, would lose a refresh token that nobody has but us.
    other: State | None = None

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
        return (await self._read(connection, now_ms)).state

    def version(self, connection: Connection) -> int:
        """Give the version of the state that was read last; 0 where nothing is kept."""
        seen = self._seen.get(connection.name)
        return 0 if seen is None else seen.version

    async def change(
        self, connection: Connection, edit: Callable[[State], State], now_ms: int
    ) -> tuple[State, State]:
        """Change what is kept, and give it as it was and as it is.

        Others change it meanwhile, in this process, too: what they kept is read again and edited, never overwritten. A
        refresh token that is lost can be got back by nobody but the operator.

        Args:
            connection: Whose it is.
            edit: Makes the new state of the one that is kept; may be called several times. The same one: nothing to do.
            now_ms: Unix ms.
        """
        while True:  # each further round somebody else's change was kept
            seen = await self._read(connection, now_ms)
            edited = edit(seen.state)
            if edited is seen.state:
                return seen.state, edited
            content = msgspec.json.encode(edited)
            if await self._store.keep(connection.name, content, replaces=seen.version, now=now_ms):
                self._see(connection, _Seen(edited, seen.version + 1, now_ms))
                return seen.state, edited

    async def _read(self, connection: Connection, now_ms: int) -> _Seen:
        mark = fingerprint(connection)
        kept = await self._store.find(connection.name)
        seen = _Seen(State(fingerprint=mark), 0, now_ms)
        if kept is not None:
            seen = _Seen(_fitting(_decoded(kept.content), mark), kept.version, now_ms)
        self._see(connection, seen)
        return seen

    def _see(self, connection: Connection, seen: _Seen) -> None:
        """Remember what was read or kept, unless something newer was meanwhile."""
        known = self._seen.get(connection.name)
        if known is None or known.version <= seen.version:
            self._seen[connection.name] = seen


def fingerprint(connection: Connection) -> str:
    """Tell one set of credentials from another; kept sealed, because it is made of them."""
    parts = [connection.manifest.id, connection.auth.name, connection.revealed(), connection.vars]
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()


def _fitting(found: State | None, mark: str) -> State:
    """Give what is known of credentials. Other ones end a pause, which is told; what was known stays beside it."""
    if found is None:
        return State(fingerprint=mark)
    if found.fingerprint == mark:
        return found
    before = found.other
    known = before if before is not None and before.fingerprint == mark else State(fingerprint=mark)
    return msgspec.structs.replace(
        known,
        paused_at=None,
        paused_reason=None,
        refused_at=None,
        ended_pause_at=found.ended_pause_at if found.paused_at is None else found.paused_at,
        ended_pause_reason=found.ended_pause_reason if found.paused_at is None else found.paused_reason,
        other=msgspec.structs.replace(found, other=None),
    )


def _decoded(content: bytes) -> State | None:
    try:
        return _decode(content)
    except msgspec.MsgspecError:
        return None
