"""Routes, their revisions, and what was decided for events, in the database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, func, select, text, true, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.flow.route_store import Adding, Arrival, ArrivalLost, EventDecision, RouteChange
from hub.model.run import Decided, KeptRoute, Revision, RunState, Triage
from hub.store.database import Database
from hub.store.repositories.run_beginning import begin
from hub.store.repositories.runs import save_results
from hub.store.schema import events, route_revisions, route_state, routes, run_waits, runs, triages

_STATE: Final = 1
_s, _t, _v = route_state.c, routes.c, route_revisions.c
_REVISION: Final = [_v[name] for name in Revision.__dataclass_fields__]
_KEPT: Final = [
    *(_t[name] for name in KeptRoute.__dataclass_fields__ if name != "source"),
    _v.source,
]
# Put together once: they are asked all the time, also of a hub that does nothing.
_VERSION: Final = select(_s.version).where(text(f"route_state.id = {_STATE}"))
_POSITION: Final = select(_s.position).where(text(f"route_state.id = {_STATE}"))
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(tuple[Decided, ...]).decode


class SqlRoutes:
    """hub.flow.route_store.Routes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def version(self) -> int:
        return await self._state(_VERSION)

    async def position(self) -> int:
        return await self._state(_POSITION)

    async def _state(self, query: Select[Any]) -> int:
        rows = await self._database.look_up(query, {})
        return int(rows[0][0]) if rows else 0

    async def current(self) -> list[KeptRoute]:
        return await self._kept(_t.retired_at.is_(None))

    async def all(self) -> list[KeptRoute]:
        return await self._kept(true())

    async def get(self, route_id: str) -> KeptRoute | None:
        found = await self._kept(_t.id == route_id)
        return found[0] if found else None

    async def _kept(self, condition: Any) -> list[KeptRoute]:
        query = (
            select(*_KEPT)
            .join(route_revisions, route_revisions.c.id == _t.revision_id)
            .where(condition)
            .order_by(_t.id)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [KeptRoute(**row._mapping) for row in rows]

    async def revisions(self, route_id: str, *, limit: int) -> list[Revision]:
        query = select(*_REVISION).where(_v.route_id == route_id).order_by(_v.id.desc()).limit(limit)
        return await self._revisions(query)

    async def standing_at(self, at_ms: int) -> list[Revision]:
        newest = select(func.max(_v.id)).where(_v.created_at <= at_ms).group_by(_v.route_id)
        return await self._revisions(select(*_REVISION).where(_v.id.in_(newest)).order_by(_v.route_id))

    async def _revisions(self, query: Select[Any]) -> list[Revision]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Revision(**row._mapping) for row in rows]

    async def sources(self, revision_ids: Collection[int]) -> Mapping[int, str]:
        query = select(route_revisions.c.id, route_revisions.c.source).where(
            route_revisions.c.id.in_(sorted(revision_ids))
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return {row.id: row.source for row in rows}

    async def install(
        self, origin: str, changed: Sequence[RouteChange], *, keep: Collection[str], now: int
    ) -> None:
        def work(connection: Connection) -> None:
            newest = _newest(connection)
            _touch(connection, newest)
            for each in changed:
                _stand(connection, origin, each, since=newest, now=now)
            stays = {*keep, *(each.id for each in changed)}
            connection.execute(
                update(routes)
                .where(_t.origin == origin, _t.retired_at.is_(None), _t.id.not_in(sorted(stays)))
                .values(retired_at=now, changed_at=now)
            )

        await self._database.write(work)

    async def add(self, change: RouteChange, *, most: int, now: int) -> Adding:
        try:
            await self._database.write(lambda connection: _add(connection, change, most=most, now=now))
        except _NotAdded as refused:
            return refused.why
        return Adding.DONE

    async def replace(self, change: RouteChange, *, now: int) -> bool:
        return await self._change(lambda connection: _replace(connection, change, now=now))

    async def retire(self, route_id: str, *, origin: str, now: int) -> bool:
        values = {"retired_at": now, "changed_at": now}
        return await self._change(lambda connection: _update(connection, _stands(route_id, origin), values))

    async def _change(self, change: Callable[[Connection], bool]) -> bool:
        def work(connection: Connection) -> bool:
            if not change(connection):
                return False
            _touch(connection, _newest(connection))
            return True

        return await self._database.write(work)

    async def skip_to(self, position: int) -> None:
        change = update(route_state).where(_s.id == _STATE, _s.position < position)
        await self._database.write(lambda connection: connection.execute(change.values(position=position)))

    async def decide(
        self, decisions: Sequence[EventDecision], *, before: int, position: int
    ) -> Sequence[Sequence[Decided]] | None:
        def work(connection: Connection) -> list[tuple[Decided, ...]] | None:
            going_on = update(route_state).where(_s.id == _STATE, _s.position == before)
            if not connection.execute(going_on.values(position=position)).rowcount:
                return None
            return [_decide(connection, each) for each in decisions]

        return await self._database.write(work)

    async def triage(self, event_id: int) -> Triage | None:
        query = select(triages).where(triages.c.event_id == event_id)
        row = await self._database.read(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            return None
        return Triage(
            event_id=row.event_id,
            decided_at=row.decided_at,
            context=row.context,
            decided=_decode(row.decided),
        )


def _touch(connection: Connection, newest: int) -> None:
    """Raise the version; whoever never had routes begins with the events that come now.

    Who adds routes does it first: from then on nobody else adds any until the end of the transaction.
    """
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    first = dialect.insert(route_state).values(id=_STATE, position=newest, version=1)
    connection.execute(first.on_conflict_do_update(index_elements=["id"], set_={"version": _s.version + 1}))


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(events.c.position))).scalar() or 0


class _NotAdded(Exception):
    """Undoes what was begun."""

    def __init__(self, why: Adding) -> None:
        super().__init__(why)
        self.why = why


def _add(connection: Connection, change: RouteChange, *, most: int, now: int) -> None:
    """Add a route, after whoever else does: the version is raised first, and its row stays locked.

    Raises:
        _NotAdded: Nothing may stay of it.
    """
    newest = _newest(connection)
    _touch(connection, newest)
    others = _t.retired_at.is_(None), (_t.origin == change.origin) | (_t.id == change.id)
    standing = connection.scalars(select(_t.id).where(*others)).all()
    if change.id in standing:
        raise _NotAdded(Adding.TAKEN)
    if len(standing) >= most:
        raise _NotAdded(Adding.FULL)
    _stand(connection, change.origin, change, since=newest, now=now)


def _replace(connection: Connection, change: RouteChange, *, now: int) -> bool:
    _write_revision(connection, change, now=now)
    said = _said(change, change.origin, now=now)
    if _update(connection, _stands(change.id, change.origin), said):
        return True
    connection.execute(route_revisions.delete().where(_v.id == change.revision_id))
    return False


def _update(connection: Connection, conditions: Sequence[Any], values: Mapping[str, Any]) -> bool:
    return bool(connection.execute(update(routes).where(*conditions).values(**values)).rowcount)


def _stands(route_id: str, origin: str) -> Sequence[Any]:
    return (_t.id == route_id, _t.origin == origin, _t.retired_at.is_(None))


def _stand(connection: Connection, origin: str, change: RouteChange, *, since: int, now: int) -> None:
    _write_revision(connection, change, now=now)
    said = _said(change, origin, now=now)
    known = connection.execute(select(_t.retired_at).where(_t.id == change.id)).one_or_none()
    if known is None:
        connection.execute(routes.insert().values(id=change.id, since_position=since, **said))
    elif known.retired_at is not None:
        connection.execute(update(routes).where(_t.id == change.id).values(since_position=since, **said))
    else:
        connection.execute(update(routes).where(_t.id == change.id).values(**said))


def _write_revision(connection: Connection, change: RouteChange, *, now: int) -> None:
    connection.execute(
        route_revisions.insert().values(
            id=change.revision_id, route_id=change.id, source=change.source, created_at=now
        )
    )


def _said(change: RouteChange, origin: str, *, now: int) -> dict[str, Any]:
    return {
        "origin": origin,
        "revision_id": change.revision_id,
        "file": change.file,
        "line": change.line,
        "changed_at": now,
        "retired_at": None,
    }


def _decide(connection: Connection, decision: EventDecision) -> tuple[Decided, ...]:
    for arrival in decision.arrivals:
        _arrive(connection, arrival, now=decision.triage.decided_at)
    decided = (*decision.triage.decided, *(begin(connection, wish) for wish in decision.wishes))
    triage = decision.triage
    connection.execute(
        triages.insert().values(
            event_id=triage.event_id,
            decided_at=triage.decided_at,
            context=triage.context,
            decided=_encode(decided).decode(),
        )
    )
    return decided


def _arrive(connection: Connection, arrival: Arrival, *, now: int) -> None:
    """Let a run go on with the event that it waited for; it may have changed since it was read."""
    here = (runs.c.id == arrival.run_id, runs.c.version == arrival.version, runs.c.state == RunState.ACTIVE)
    change = update(runs).where(*here).values(next_at=now, version=arrival.version + 1)
    if not connection.execute(change).rowcount:
        raise ArrivalLost
    save_results(connection, arrival.run_id, arrival.results)
    paths = [each.path for each in arrival.results]
    connection.execute(
        run_waits.delete().where(run_waits.c.run_id == arrival.run_id, run_waits.c.path.in_(paths))
    )
