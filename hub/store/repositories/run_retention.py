"""Forget what runs knew, then the runs, then revisions that nobody needs: a page at a time, route by route."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, bindparam, delete, exists, func, select, text, update

from hub.model.ids import first_id_at, id_time_ms
from hub.model.run import UNFINISHED
from hub.rules.runs.results import StepError, StepResult
from hub.store.database import Database
from hub.store.schema import idempotency_keys, route_revisions, routes, run_steps, run_waits, runs

_r, _v = runs.c, route_revisions.c
_OVER: Final = _r.state.not_in(sorted(UNFINISHED))
#: A literal, or neither database would recognise its partial index.
_HAS_PAYLOAD: Final = text("runs.facts <> ''")
#: The run that the keys of a run's steps belong to.
_KEY_RUN: Final = func.coalesce(_r.key_run_id, _r.id)
#: Literals, or neither database would recognise its partial index.
_OF_RUNS: Final = text("idempotency_keys.run_id IS NOT NULL")
_TAKES_UP: Final = text("runs.key_run_id IS NOT NULL")
_later: Final = route_revisions.alias("later")
_STRIP: Final = (
    update(run_steps)
    .where(run_steps.c.run_id == bindparam("of_run"), run_steps.c.path == bindparam("of_path"))
    .values(result=bindparam("stripped"))
)
#: The scope of keys of steps (hub.actions.content); keys that authors chose go by their age.
_STEPS: Final = "run"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(StepResult).decode


class SqlRunRetention:
    """hub.flow.route_store.RunRetention."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def drop_payloads(self, route_id: str, *, before_ms: int, limit: int) -> int:
        ids = await self._ids(_old(route_id, before_ms).where(_HAS_PAYLOAD).limit(limit))
        if not ids:
            return 0
        steps = select(run_steps.c.run_id, run_steps.c.path, run_steps.c.result)
        query = steps.where(run_steps.c.run_id.in_(ids))
        rows = await self._database.read(lambda connection: connection.execute(query).all())

        def work(connection: Connection) -> int:
            if rows:
                connection.execute(_STRIP, [_stripped(*row) for row in rows])
            forgotten = update(runs).where(_r.id.in_(ids)).values(facts="").returning(_KEY_RUN)
            key_runs = [*connection.scalars(forgotten)]
            _forget_keys(connection, key_runs)
            return len(key_runs)

        return await self._database.write(work)

    async def drop_runs(self, route_id: str, *, before_ms: int, limit: int) -> int:
        ids = await self._ids(_old(route_id, before_ms).limit(limit))

        def work(connection: Connection) -> int:
            rows = connection.execute(
                delete(runs).where(_r.id.in_(ids), _OVER).returning(_r.id, _KEY_RUN)
            ).all()
            gone = [run_id for run_id, _ in rows]
            _forget_keys(connection, [key_run for _, key_run in rows])
            connection.execute(delete(run_steps).where(run_steps.c.run_id.in_(gone)))
            connection.execute(delete(run_waits).where(run_waits.c.run_id.in_(gone)))
            return len(gone)

        return await self._database.write(work) if ids else 0

    async def drop_revisions(self, *, before_ms: int) -> int:
        superseded_ms = min(before_ms, await self._oldest_unfinished_ms(before_ms))
        superseded = exists().where(
            _later.c.route_id == _v.route_id, _later.c.id > _v.id, _later.c.created_at < superseded_ms
        )
        retired = select(routes.c.id).where(routes.c.retired_at < superseded_ms)
        unused = ~exists().where(_r.route_id == routes.c.id)

        def work(connection: Connection) -> int:
            gone = [
                *connection.scalars(
                    delete(routes).where(routes.c.id.in_(retired), unused).returning(routes.c.id)
                )
            ]
            count = connection.execute(delete(route_revisions).where(_v.route_id.in_(gone))).rowcount
            old = connection.execute(select(_v.id, _v.route_id).where(superseded)).all()
            used = _used(connection, {row.route_id for row in old})
            ids = [row.id for row in old if row.id not in used]
            return int(count + connection.execute(delete(route_revisions).where(_v.id.in_(ids))).rowcount)

        return await self._database.write(work)

    async def _oldest_unfinished_ms(self, default: int) -> int:
        """Runs that are not over may have called routes, at revisions that only their steps name."""
        query = select(func.min(_r.id)).where(_r.state.in_(sorted(UNFINISHED)))
        oldest = await self._database.read(lambda connection: connection.execute(query).scalar())
        return default if oldest is None else id_time_ms(oldest)

    async def _ids(self, query: Select[Any]) -> list[int]:
        return await self._database.read(lambda connection: [*connection.scalars(query)])


def _old(route_id: str, before_ms: int) -> Select[Any]:
    """Runs that were over before an instant, the oldest first; what is over then has begun before."""
    query = select(_r.id).where(_r.route_id == route_id, _r.id < first_id_at(before_ms))
    return query.where(_OVER, _r.finished_at < before_ms).order_by(_r.id)


def _forget_keys(connection: Connection, key_runs: Iterable[int]) -> None:
    """Forget the keys of steps, except those of runs that go on, or that somebody may take up again."""
    theirs = sorted(set(key_runs))
    own = select(_r.id).where(_r.id.in_(theirs), _r.facts != "")
    others = select(_r.key_run_id).where(_r.key_run_id.in_(theirs), _TAKES_UP, _r.facts != "")
    kept = {*connection.scalars(own), *connection.scalars(others)}
    gone = [each for each in theirs if each not in kept]
    of_gone = (idempotency_keys.c.run_id.in_(gone), _OF_RUNS, idempotency_keys.c.scope == _STEPS)
    connection.execute(delete(idempotency_keys).where(*of_gone))


def _used(connection: Connection, route_ids: Iterable[str]) -> set[int]:
    query = select(_r.revision_id).where(_r.route_id.in_(sorted(route_ids))).distinct()
    return set(connection.scalars(query))


def _stripped(run_id: int, path: str, result: str) -> dict[str, Any]:
    """Give a step without what it was given and gave; that it was done, when and how often stays."""
    known = _decode(result)
    error = None if known.error is None else _bare(known.error)
    bare = replace(known, inputs=None, output=None, requests=(), error=error)
    return {"of_run": run_id, "of_path": path, "stripped": _encode(bare).decode()}


def _bare(error: StepError) -> StepError:
    return replace(error, details=None)
