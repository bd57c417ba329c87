"""The actions of connectors, as runs of routes use them (hub.flow.actions.Actions)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hub.connectors.catalogue import Catalogue
from hub.connectors.doing import Doing
from hub.connectors.exchanging import Attempt, Exchanging, Wanted
from hub.connectors.locks import Locks, LockTaken
from hub.connectors.previewing import preview
from hub.flow.ports import Clock
from hub.model.actions import ActionCall, ActionDone, ActionFailed, ActionSpec
from hub.rules.connectors.connections import Connection
from hub.rules.connectors.inputs import fit
from hub.rules.connectors.model import Action
from hub.rules.expressions.frame import Surroundings
from hub.rules.expressions.problems import ExpressionError
from hub.rules.problems import suggestion

#: A lock outlives the attempt that holds it by so much, should its process end.
_LEASE_MARGIN_MS = 30_000
_TEST_MS = 20_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """What the test of a connection showed."""

    name: str
    connector: str
    #: True, false, or None where there is nothing to ask that would change nothing.
    works: bool | None
    #: Whose it is, or why it does not work.
    detail: str


class ConnectorActions:
    """Everything that connectors can do.

    Args:
        current: Gives the catalogue as it is now.
        exchanging: Makes requests.
        locks: For what is found or created.
        clock: Tells the time.
        on_ended: Hears of each attempt: the connector, and `done` or the class of the error.
    """

    def __init__(
        self,
        current: Callable[[], Catalogue],
        exchanging: Exchanging,
        locks: Locks,
        *,
        clock: Clock,
        on_ended: Callable[[str, str], None] = lambda connector, outcome: None,
    ) -> None:
        self._on_ended = on_ended
        self._current = current
        self._exchanging = exchanging
        self._doing = Doing(exchanging, clock)
        self._locks = locks
        self._clock = clock

    @property
    def current(self) -> Catalogue:
        """What there is now."""
        return self._current()

    def specs(self) -> Mapping[str, ActionSpec]:
        """Give all actions by name."""
        return self._current().specs

    def connections(self) -> Mapping[str, str]:
        """Give the connector of each connection."""
        return {name: each.manifest.id for name, each in self._current().connections.items()}

    async def run(self, call: ActionCall) -> ActionDone:
        """Do it once.

        Raises:
            ActionFailed: It was not done, or nobody knows.
        """
        connection, action = self._found(call)
        attempt = Attempt(
            connection=connection,
            key=call.key,
            key_header=action.key_header,
            repetition=action.repetition,
            deadline_ms=self._clock.now_ms() + call.timeout_ms,
        )
        name = self._lock_name(connection, action, call)
        try:
            if name is None:
                output = await self._doing.do(attempt, action, call.inputs)
            else:
                output = await self._locked(attempt, action, call, name)
        except ActionFailed as failure:
            known = _as_far_as_known(failure, attempt)
            self._on_ended(connection.manifest.id, known.error_class)
            raise known from None
        self._on_ended(connection.manifest.id, "done")
        return ActionDone(output=output, requests=tuple(attempt.requests))

    async def preview(self, call: ActionCall) -> Sequence[str]:
        """Tell which requests it would make, masked, a line each; nothing is sent."""
        connection, action = self._found(call)
        return preview(connection, action, call, Surroundings(now_ms=self._clock.now_ms()))

    async def test(self, name: str) -> Tested:
        """Ask whether a connection works, by a request that changes nothing; one that does is no longer paused."""
        connection = self._current().connections[name]
        connector, probe = connection.manifest.id, connection.auth.probe
        if probe is None:
            detail = f"{connection.manifest.title} has nothing to ask that would change nothing"
            return Tested(name=name, connector=connector, works=None, detail=detail)
        attempt = Attempt(
            connection=connection,
            key="test",
            key_header=None,
            repetition="safe",
            deadline_ms=self._clock.now_ms() + _TEST_MS,
            is_test=True,
        )
        try:
            public = await self._exchanging.public(attempt)
            wanted = Wanted(
                request=probe.request,
                success=probe.success,
                errors=probe.errors,
                values={},
                repetition="safe",
            )
            answer = await self._exchanging.ask(attempt, wanted)
            told = {**public, "status": answer.status, "headers": answer.headers, "body": answer.body}
            label = str(probe.label.render(told, Surroundings(now_ms=self._clock.now_ms())))
        except ActionFailed as failure:
            return await self._noted(attempt, works=False, detail=failure.message)
        except ExpressionError as error:
            label = f"it answers, though otherwise than expected: {error}"
        return await self._noted(attempt, works=True, detail=attempt.masker.text(label))

    async def _noted(self, attempt: Attempt, *, works: bool, detail: str) -> Tested:
        connection = attempt.connection
        await self._exchanging.tested(connection, works=works, told=detail)
        return Tested(name=connection.name, connector=connection.manifest.id, works=works, detail=detail)

    # ---- finding

    def _found(self, call: ActionCall) -> tuple[Connection, Action]:
        current = self._current()
        connector, _, name = call.name.partition(".")
        manifest = current.manifests.get(connector)
        action = None if manifest is None else manifest.actions.get(name)
        if action is None:
            near = suggestion(call.name, current.specs)
            meant = f" Did you mean {near}?" if near else ""
            raise ActionFailed("bug", f"There is no action {call.name}.{meant}")
        return self._connection(current, connector, action, call), action

    def _connection(self, current: Catalogue, connector: str, action: Action, call: ActionCall) -> Connection:
        wanted = call.connection
        if action.connection is not None:
            wanted = self._named(action, call)
        own = {name: each for name, each in current.connections.items() if each.manifest.id == connector}
        if wanted is None and len(own) == 1:
            return next(iter(own.values()))
        if wanted in own:
            return own[wanted]
        names = ", ".join(sorted(own))
        if wanted is None:
            told = f"has several connections: say which ({names})" if own else "has no connection"
        else:
            near = suggestion(wanted, own)
            told = f"has no connection {wanted[:60]!r}"
            told += f"; did you mean {near}" if near else f"; there are {names}" if own else ""
        raise ActionFailed("invalid", f"{connector} {told}. Connections stand in connections.yaml.")

    def _named(self, action: Action, call: ActionCall) -> str:
        """Give the connection that an input names."""
        fitted = fit(action.schema, call.inputs)
        inputs = call.inputs if isinstance(fitted, list) else fitted
        assert action.connection is not None, "only asked of actions whose inputs name it"
        try:
            return str(action.connection.render({"input": inputs}, self._surroundings()))
        except ExpressionError as error:
            raise ActionFailed("invalid", f"The inputs name no connection: {error}") from None

    # ---- locks

    def _lock_name(self, connection: Connection, action: Action, call: ActionCall) -> str | None:
        if action.lock is None:
            return None
        fitted = fit(action.schema, call.inputs)
        if isinstance(fitted, list):
            return None  # which is told when it is done
        values = {"input": fitted, "key": call.key, "connection": {"name": connection.name}}
        try:
            found = action.lock.key.render({**values, "vars": connection.vars}, self._surroundings())
        except ExpressionError as error:
            raise ActionFailed("bug", f"The lock of {call.name} has no key: {error}") from None
        return f"{connection.name}:{found}"

    async def _locked(
        self, attempt: Attempt, action: Action, call: ActionCall, name: str
    ) -> dict[str, object]:
        try:
            async with self._locks.held(
                name, patience_ms=call.timeout_ms // 2, lease_ms=call.timeout_ms + _LEASE_MARGIN_MS
            ):
                return await self._doing.do(attempt, action, call.inputs)
        except LockTaken:
            told = "Another run is about the same record at this moment; nothing was sent."
            raise ActionFailed("retryable", told, after_ms=1_000) from None

    def _surroundings(self) -> Surroundings:
        return Surroundings(now_ms=self._clock.now_ms())


def _as_far_as_known(failure: ActionFailed, attempt: Attempt) -> ActionFailed:
    """Say of what failed before anything was changed that it may be tried again."""
    is_unsure = failure.error_class in ("server", "timeout_unknown")
    if not is_unsure or attempt.may_have_changed or attempt.repetition != "unsafe":
        return failure
    return ActionFailed(
        "retryable",
        f"{failure.message} Nothing was changed before that.",
        status=failure.status,
        after_ms=failure.after_ms,
        details=failure.details,
        requests=failure.requests,
    )
