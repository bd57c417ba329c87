"""Runs and the results of their steps in the database."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.flow.route_store import RunCommit, RunFilter, RunWait, WaitNote
from hub.model.run import UNFINISHED, Decided, Run, RunState, RunTally, RunVerdict, RunWish
from hub.rules.runs.results import StepResult
from hub.store.database import Database
from hub.store.lookups import among
from hub.store.repositories.run_beginning import begin, take_lane
from hub.store.schema import run_steps, run_waits, runs

_r: Final = runs.c
_RUN: Final = [_r[name] for name in Run.__dataclass_fields__]
#: What changes of a run as it goes on.
_CHANGING: Final = (
    "state",
    "next_at",
    "finished_at",
    "reason",
    "error_class",
    "failed_path",
    "warnings",
)
# Put together once: that takes longer than to run them.
_CHANGE: Final = (
    update(runs)
    .where(_r.id == bindparam("old_id"), _r.version == bindparam("old_version"))
    .values({name: bindparam(name) for name in (*_CHANGING, "version")})
)


def _saving(dialect: Any) -> Any:
    saving = dialect.insert(run_steps)
    return saving.on_conflict_do_update(
        index_elements=["run_id", "path"],
        set_={"status": saving.excluded.status, "result": saving.excluded.result},
    )


_SAVE: Final = {"sqlite": _saving(sqlite), "postgresql": _saving(postgresql)}
#: Literals, or neither database would recognise its partial index.
_IN_LANE: Final = (_r.lane == bindparam("lane"), text("runs.lane IS NOT NULL"))
_PARKED: Final = (
    select(_r.id, _r.next_at)
    .where(*_IN_LANE, text("runs.state = 1"))
    .order_by(_r.id)
    .limit(bindparam("most"))
)
_ACTIVE: Final = select(func.count()).select_from(runs).where(*_IN_LANE, text("runs.state = 0"))
_OURS: Final = (text("runs.state = 0"), among(_r.shard, "shards"))
_DUE: Final = (
    select(*_RUN)
    .where(*_OURS, _r.next_at <= bindparam("now"))
    .order_by(_r.next_at, _r.id)
    .limit(bindparam("most"))
)
_NEXT_DUE: Final = select(func.min(_r.next_at)).where(*_OURS, _r.next_at > bindparam("after"))
_AWAITED: Final = select(run_waits.c.event_type).distinct()
_replay: Final = runs.alias("replay")
_REPLAYED: Final = exists().where(_replay.c.origin_run_id == _r.id)
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(StepResult).decode


class SqlRuns:
    """hub.flow.route_store.Runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(self, wish: RunWish, *, results: Sequence[StepResult] = ()) -> Decided:
        def work(connection: Connection) -> Decided:
            decided = begin(connection, wish)
            if decided.verdict is RunVerdict.BEGUN:
                save_results(connection, wish.run.id, results)
            return decided

        return await self._database.write(work)

    async def due(
        self, shards: Collection[int], *, now: int, without: Collection[int], limit: int
    ) -> list[Run]:
        values = {"shards": sorted(shards), "now": now, "most": limit + len(without)}
        rows = await self._database.look_up(_DUE, values)
        runs = [_run(dict(zip(Run.__dataclass_fields__, row, strict=True))) for row in rows]
        return [run for run in runs if run.id not in without][:limit]

    async def next_due_at(self, shards: Collection[int], *, after: int) -> int | None:
        values = {"shards": sorted(shards), "after": after}
        (row,) = await self._database.look_up(_NEXT_DUE, values)
        return None if row[0] is None else int(row[0])

    async def results(self, run_ids: Collection[int]) -> dict[int, list[StepResult]]:
        query = select(run_steps.c.run_id, run_steps.c.result).where(run_steps.c.run_id.in_(sorted(run_ids)))
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found: dict[int, list[StepResult]] = {run_id: [] for run_id in run_ids}
        for run_id, result in rows:
            found[run_id].append(_decode(result))
        for results in found.values():
            results.sort(key=_place)
        return found

    async def commit(self, commits: Sequence[RunCommit]) -> set[int]:
        def work(connection: Connection) -> set[int]:
            return {each.run.id for each in commits if _commit(connection, each)}

        return await self._database.write(work)

    async def awaited_types(self) -> frozenset[str]:
        rows = await self._database.look_up(_AWAITED, {})
        return frozenset(str(row[0]) for row in rows)

    async def waiting(self, event_type: str, places: Collection[int]) -> list[RunWait]:
        # One that listens for several people may be found by several names of one of them.
        heard = (
            select(run_waits.c.run_id, run_waits.c.path)
            .where(run_waits.c.event_type == event_type, run_waits.c.chat_id.in_(sorted(places)))
            .distinct()
            .subquery()
        )
        query = (
            select(
                heard.c.run_id,
                _r.route_id,
                heard.c.path,
                _r.revision_id,
                _r.version,
                _r.facts,
                run_steps.c.result,
            )
            .join(runs, _r.id == heard.c.run_id)
            .join(run_steps, (run_steps.c.run_id == heard.c.run_id) & (run_steps.c.path == heard.c.path))
            .order_by(heard.c.run_id, heard.c.path)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [
            RunWait(
                run_id=row.run_id,
                route_id=row.route_id,
                path=row.path,
                revision_id=row.revision_id,
                version=row.version,
                facts=row.facts,
                result=_decode(row.result),
            )
            for row in rows
        ]

    async def get(self, run_id: int) -> Run | None:
        found = await self._runs(select(*_RUN).where(_r.id == run_id))
        return found[0] if found else None

    async def page(
        self,
        wanted: RunFilter,
        *,
        before: int | None,
        limit: int,
        offset: int = 0,
        is_oldest_first: bool = False,
    ) -> list[Run]:
        query = select(*_RUN).where(*_conditions(wanted)).limit(limit).offset(offset)
        query = query.order_by(_r.id if is_oldest_first else _r.id.desc())
        return await self._runs(query if before is None else query.where(_r.id < before))

    async def count(self, wanted: RunFilter) -> int:
        query = select(func.count()).select_from(runs).where(*_conditions(wanted))
        return await self._database.read(lambda connection: int(connection.execute(query).scalar_one()))

    async def some(self, run_ids: Collection[int]) -> Mapping[int, Run]:
        found = await self._runs(select(*_RUN).where(_r.id.in_(sorted(run_ids)))) if run_ids else []
        return {run.id: run for run in found}

    async def replays(self, run_id: int) -> list[int]:
        query = select(_r.id).where(_r.origin_run_id == run_id).order_by(_r.id)
        return await self._database.read(lambda connection: [*connection.scalars(query)])

    async def cancel(self, run_id: int, *, reason: str, now: int) -> Run | None:
        def work(connection: Connection) -> Run | None:
            row = connection.execute(select(*_RUN).where(_r.id == run_id)).one_or_none()
            if row is None or row.state not in UNFINISHED:
                return None
            run = _run(row._mapping)
            change = update(runs).where(_r.id == run_id, _r.state.in_(sorted(UNFINISHED)))
            done = connection.execute(
                change.values(
                    state=RunState.CANCELLED, finished_at=now, reason=reason, version=_r.version + 1
                )
            )
            if not done.rowcount:
                return None
            connection.execute(delete(run_waits).where(run_waits.c.run_id == run_id))
            _next_in_lane(connection, run, now)
            return _run(connection.execute(select(*_RUN).where(_r.id == run_id)).one()._mapping)

        return await self._database.write(work)

    async def tally(self, route_ids: Collection[str]) -> Mapping[str, Mapping[RunState, RunTally]]:
        query = (
            select(_r.route_id, _r.state, func.count(), func.max(_r.id))
            .where(_r.route_id.in_(sorted(route_ids)))
            .group_by(_r.route_id, _r.state)
        )
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        found: dict[str, dict[RunState, RunTally]] = {route_id: {} for route_id in route_ids}
        for route_id, state, count, last_id in rows:
            found[route_id][RunState(state)] = RunTally(count=count, last_id=last_id)
        return found

    async def standing(self) -> Mapping[RunState, int]:
        query = select(_r.state, func.count()).where(_r.state.in_(sorted(UNFINISHED))).group_by(_r.state)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return dict.fromkeys(UNFINISHED, 0) | {RunState(state): count for state, count in rows}

    async def _runs(self, query: Any) -> list[Run]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [_run(row._mapping) for row in rows]


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    equal = {"route_id": wanted.route_id, "state": wanted.state, "event_id": wanted.event_id}
    conditions = [_r[name] == value for name, value in equal.items() if value is not None]
    if wanted.first_id is not None:
        conditions.append(_r.id >= wanted.first_id)
    if wanted.last_id is not None:
        conditions.append(_r.id <= wanted.last_id)
    return [*conditions, ~_REPLAYED] if wanted.is_not_replayed else conditions


def _run(values: Mapping[Any, Any]) -> Run:
    return Run(**{**values, "state": RunState(values["state"]), "is_shadow": bool(values["is_shadow"])})


def _commit(connection: Connection, commit: RunCommit) -> bool:
    run = commit.run
    values = {name: getattr(run, name) for name in _CHANGING}
    values |= {"old_id": run.id, "old_version": commit.version, "version": commit.version + 1}
    if not connection.execute(_CHANGE, values).rowcount:
        return False
    save_results(connection, run.id, commit.changes)
    if commit.waits is not None:
        listen(connection, run.id, commit.waits)
    if run.finished_at is not None:
        _next_in_lane(connection, run, run.finished_at)
    return True


def save_results(connection: Connection, run_id: int, changes: Sequence[StepResult]) -> None:
    """Record results; where one is there, it is replaced."""
    if changes:
        rows = [
            {
                "run_id": run_id,
                "path": each.path,
                "status": str(each.status),
                "result": _encode(each).decode(),
            }
            for each in changes
        ]
        connection.execute(_SAVE[connection.dialect.name], rows)


def listen(connection: Connection, run_id: int, waits: Sequence[WaitNote]) -> None:
    """Let a run listen for exactly these."""
    connection.execute(delete(run_waits).where(run_waits.c.run_id == run_id))
    rows = [
        {"run_id": run_id, "path": each.path, "event_type": event_type, "chat_id": each.place}
        for each in waits
        for event_type in each.event_types
    ]
    if rows:
        connection.execute(run_waits.insert(), rows)


def _next_in_lane(connection: Connection, run: Run, now: int) -> None:
    """Let those that wait for their turn have it, while the lane has room."""
    if run.lane is None:
        return
    take_lane(connection, run.lane)
    parked = connection.execute(_PARKED, {"lane": run.lane, "most": run.lane_limit}).all()
    if not parked:
        return
    active = connection.execute(_ACTIVE, {"lane": run.lane}).scalar_one()
    for row in parked[: max(0, run.lane_limit - active)]:
        connection.execute(
            update(runs)
            .where(_r.id == row.id)
            .values(state=RunState.ACTIVE, next_at=max(row.next_at, now), version=_r.version + 1)
        )


#: Words in a path come after numbers: `error/0` after the steps.
_LAST: Final = 10**9


def _place(result: StepResult) -> tuple[int, list[tuple[int, str]]]:
    """Order results as they began; those of one moment by their places in the route."""
    parts = re.split(r"[/.]", result.path)
    return result.started_at, [(int(part), "") if part.isdecimal() else (_LAST, part) for part in parts]
