"""Shows providers who asks: applies what a connection has, gets tokens and renews them, and pauses what is refused.

A token is got by one process at a time and shared by all. What a refusal leads to: the token is renewed once; if the
new one is refused, too, the connection is paused, one line of the log says so, and calls fail at once. Every few
minutes one call tries again, so that a provider's own mistake does not stop a connection for ever.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog

from hub.connectors.assertions import sign_assertion
from hub.connectors.locks import Locks, LockTaken
from hub.connectors.states import State, StateBook
from hub.flow.connection_events import ConnectionChange, TellConnection, tell_nobody
from hub.flow.ports import Clock
from hub.model.actions import ActionFailed
from hub.rules.connectors.answers import Answer
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.model import Grant, RequestSpec, Success
from hub.rules.connectors.secrets import Masker
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError

log = structlog.get_logger("connectors")

#: A token is renewed so long before it expires.
EARLY_MS: Final = 60_000
#: One call of a paused connection tries again this often.
PROBE_MS: Final = 300_000
_LOCK_PATIENCE_MS: Final = 20_000
_LOCK_LEASE_MS: Final = 60_000
_SECONDS_MOST: Final = 10 * 366 * 86_400
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
#: What a header can carry.
_SENDABLE: Final = re.compile(r"[ -~]{1,16384}", re.ASCII)

#: Asks for a token: request, what a success is, the rules for failures, and what templates read.
Ask = Callable[[Connection, "TokenWish"], Awaitable[Answer]]


class Unfit(Exception):
    """An answer has something else where a token should be; the message does not show it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenWish:
    """A request for a token."""

    request: RequestSpec
    success: Success
    grant: Grant
    values: Mapping[str, Any]
    masker: Masker


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """What a connection has to show just now."""

    #: For templates that apply it: all fields, and the token.
    values: Mapping[str, Any]
    #: For all other templates: `auth` with what is no secret.
    public: Mapping[str, Any]
    masker: Masker
    token: str | None


class Credentials:
    """Holds the credentials of all connections."""

    def __init__(
        self, states: StateBook, locks: Locks, clock: Clock, *, tell: TellConnection = tell_nobody
    ) -> None:
        self._tell = tell
        self._states = states
        self._locks = locks
        self._clock = clock
        self._probing: dict[str, int] = {}

    async def of(self, connection: Connection, ask: Ask, *, is_test: bool = False) -> Credential:
        """Give what to show, with a token that is good as far as one can know.

        Raises:
            ActionFailed: The connection is paused, or there is no token for it.
        """
        now = self._clock.now_ms()
        state = await self._states.of(connection, now)
        if state.paused_reason is not None and not is_test:
            self._refuse_paused(connection, state, now)
        if connection.auth.grant is not None and not _is_good(state, now):
            state = await self._renewed(connection, ask, refused=None)
        return self._credential(connection, state)

    async def renew(self, connection: Connection, ask: Ask, *, refused: str | None) -> Credential | None:
        """Get another token than the one that was refused; None where tokens are not got.

        Raises:
            ActionFailed: There is none.
        """
        if connection.auth.grant is None:
            return None
        return self._credential(connection, await self._renewed(connection, ask, refused=refused))

    async def pause(self, connection: Connection, reason: str) -> None:
        """Note that a connection is of no use until somebody looks at it.

        It is told before it is noted, under a key that both have: a crash in between loses nothing.
        """
        now = self._clock.now_ms()
        state = await self._states.of(connection, now, is_fresh=True)
        if state.paused_at is None:
            await self._changed(connection, reason, paused_at=now, is_paused=True)

        def paused(state: State) -> State:
            return msgspec.structs.replace(
                state,
                paused_reason=reason,
                paused_at=now if state.paused_at is None else state.paused_at,
                refused_at=now,
                ended_pause_at=None,
                ended_pause_reason=None,
            )

        before, _ = await self._states.change(connection, paused, now)
        if before.paused_at is None:
            log.error(
                "connection.paused",
                connection=connection.name,
                connector=connection.manifest.id,
                reason=reason,
                fix=f"mend its credentials, then run `hub connections test {connection.name}`",
            )

    async def works(self, connection: Connection) -> None:
        """Note that a connection was believed again."""
        now = self._clock.now_ms()
        if _pause(await self._states.of(connection, now)) is None:
            return
        state = await self._states.of(connection, now, is_fresh=True)
        pause = _pause(state)
        if pause is None:
            return
        since, reason = pause
        await self._changed(connection, reason, paused_at=since, is_paused=False)

        def resumed(state: State) -> State:
            if _pause(state) != pause:
                return state  # another one, or its end is noted already
            return msgspec.structs.replace(
                state,
                paused_reason=None,
                paused_at=None,
                refused_at=None,
                ended_pause_at=None,
                ended_pause_reason=None,
            )

        before, after = await self._states.change(connection, resumed, now)
        if after is not before:
            log.warning("connection.resumed", connection=connection.name, connector=connection.manifest.id)

    async def tested(self, connection: Connection, *, works: bool, told: str) -> None:
        """Note what a test showed, for who looks at the connections."""
        now = self._clock.now_ms()

        def noted(state: State) -> State:
            return msgspec.structs.replace(state, tested_at=now, works=works, told=told)

        await self._states.change(connection, noted, now)

    async def _changed(self, connection: Connection, reason: str, *, paused_at: int, is_paused: bool) -> None:
        change = ConnectionChange(
            name=connection.name,
            connector=connection.manifest.id,
            is_paused=is_paused,
            reason=reason,
            paused_at=paused_at,
            occurred_at=self._clock.now_ms(),
            version=self._states.version(connection),
        )
        await self._tell(change)

    async def state(self, connection: Connection) -> State:
        """Give what is known of a connection."""
        return await self._states.of(connection, self._clock.now_ms(), is_fresh=True)

    # ---- paused

    def _refuse_paused(self, connection: Connection, state: State, now: int) -> None:
        last = max(self._probing.get(connection.name, 0), state.refused_at or state.paused_at or 0)
        if now - last >= PROBE_MS:
            self._probing[connection.name] = now
            return
        since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime((state.paused_at or 0) / 1000))
        raise ActionFailed(
            "auth",
            f"The connection {connection.name} is paused since {since}: {state.paused_reason} "
            f"Mend its credentials, then run `hub connections test {connection.name}`.",
        )

    # ---- tokens

    async def _renewed(self, connection: Connection, ask: Ask, *, refused: str | None) -> State:
        try:
            async with self._locks.held(
                f"token:{connection.name}", patience_ms=_LOCK_PATIENCE_MS, lease_ms=_LOCK_LEASE_MS
            ):
                now = self._clock.now_ms()
                state = await self._states.of(connection, now, is_fresh=True)
                if state.token != refused and _is_good(state, now):
                    return state  # another process was faster
                return await self._fetched(connection, state, ask)
        except LockTaken:
            raise ActionFailed(
                "retryable",
                f"Another process has been getting a token of {connection.name} for long; nothing was sent.",
                after_ms=_LOCK_PATIENCE_MS,
            ) from None

    async def _fetched(self, connection: Connection, state: State, ask: Ask) -> State:
        grant = connection.auth.grant
        assert grant is not None, "who wants a token has a grant"
        surroundings = Surroundings(now_ms=self._clock.now_ms())
        credential = self._credential(connection, state)
        values, masker = dict(credential.values), credential.masker
        try:
            if grant.assertion is not None:
                values["assertion"] = sign_assertion(grant.assertion, values, surroundings)
                masker = masker.also([values["assertion"]])
            wish = TokenWish(
                request=grant.request,
                success=grant.success,
                grant=grant,
                values=values,
                masker=masker,
            )
            answer = await ask(connection, wish)
            learned = _learned(grant, {**values, **_told(answer)}, surroundings)
        except ExpressionError as error:
            raise await self._no_token(connection, masker.text(str(error))) from None
        except Unfit as error:
            raise await self._no_token(connection, str(error)) from None

        def known(found: State) -> State:
            # Another token only with a lock that was lost: what the other process has is as good as ours.
            return found if found.token != state.token else learned(found)

        _, kept = await self._states.change(connection, known, surroundings.now_ms)
        return kept

    async def _no_token(self, connection: Connection, why: str) -> ActionFailed:
        """Pause a connection that is given something else than a token: asking again gives the same."""
        told = f"{connection.manifest.title} gave no token for {connection.name}: {why}"
        await self.pause(connection, told)
        return ActionFailed("auth", told)

    @staticmethod
    def _credential(connection: Connection, state: State) -> Credential:
        fields: dict[str, Any] = {**connection.revealed(), **state.kept}
        learned = [each for each in (state.token, state.refresh_token) if each]
        if state.refresh_token is not None:
            fields["refresh_token"] = state.refresh_token
        public = {**connection.public(), **state.kept}
        shared = {"vars": connection.vars, "connection": {"name": connection.name}}
        values: dict[str, Any] = {"auth": fields, **shared}
        hidden = [*connection.secrets(), *learned]
        if state.token is not None:
            values["token"] = state.token
        return Credential(
            values=values,
            public={"auth": public, **shared},
            masker=Masker([*hidden, *_pairs(fields, hidden)]),
            token=state.token,
        )


def _learned(grant: Grant, values: Mapping[str, Any], surroundings: Surroundings) -> Callable[[State], State]:
    """Read the answer to a wish for a token; give what it changes about a state.

    Raises:
        Unfit: Something else stands where the token should.
    """
    token = _text(grant.token.render(values, surroundings), "the token")
    if not _SENDABLE.fullmatch(token):
        raise Unfit("the token in its answer has characters that no header can carry.")
    seconds = grant.expires.render(values, surroundings)
    rotated = None if grant.rotated is None else grant.rotated.render(values, surroundings)
    kept = {name: _text(each.render(values, surroundings), f"`{name}`") for name, each in grant.keep.items()}
    lifetime_ms = grant.lifetime_ms
    if isinstance(seconds, str) and _SECONDS.fullmatch(seconds):
        seconds = int(seconds)
    if isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 < seconds < _SECONDS_MOST:
        lifetime_ms = round(seconds * 1000)

    def learned(state: State) -> State:
        return msgspec.structs.replace(
            state,
            token=token,
            expires_at=None if lifetime_ms is None else surroundings.now_ms + _useful_ms(lifetime_ms),
            kept=kept,
            refresh_token=rotated if isinstance(rotated, str) and rotated else state.refresh_token,
        )

    return learned


def _text(value: object, noun: str) -> str:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text:
        raise Unfit(f"{noun} in its answer is no text.")
    return text


def _pairs(fields: Mapping[str, Any], hidden: Collection[str]) -> list[str]:
    """Give user and password as they travel together, so that they are covered together."""
    texts = [str(value) for value in fields.values() if isinstance(value, str)]
    pairs = ((first, second) for first in texts for second in texts if first != second)
    return [f"{first}:{second}" for first, second in pairs if first in hidden or second in hidden]


def _pause(state: State) -> tuple[int, str] | None:
    """Give since when and why it is paused, or was under other credentials, whose end nobody was told of yet."""
    if state.paused_at is not None:
        return state.paused_at, state.paused_reason or ""
    return None if state.ended_pause_at is None else (state.ended_pause_at, state.ended_pause_reason or "")


def _is_good(state: State, now_ms: int) -> bool:
    return state.token is not None and (state.expires_at is None or now_ms < state.expires_at)


def _useful_ms(lifetime_ms: int) -> int:
    return lifetime_ms - min(EARLY_MS, lifetime_ms // 10)


def _told(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "headers": answer.headers, "body": answer.body}
