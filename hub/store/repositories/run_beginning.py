"""Begin a run, if what its route remembers lets it: dedupe, debounce, throttle and the lane, in one transaction.

Each memory is a row that is taken before it is read (a marker), so of two who decide for the same key at once one
waits for the other.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Connection, bindparam, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.run import UNFINISHED, Decided, Gathered, Once, Run, RunState, RunVerdict, RunWish, Throttled
from hub.store.schema import route_marks, runs

#: Events in one run; the next one would be too large to be looked at.
MOST_GATHERED: Final = 100
_r: Final = runs.c
_TAKE_LANE: Final = select(func.pg_advisory_xact_lock(bindparam("lane", type_=BigInteger)))
_IN_LANE: Final = (
    select(func.count())
    .select_from(runs)
    .where(_r.lane == bindparam("lane"), text("runs.state < 2"), text("runs.lane IS NOT NULL"))
)
_UNFINISHED: Final = sorted(int(state) for state in UNFINISHED)


@dataclass(frozen=True, slots=True)
class Mark:
    """What is remembered of a key."""

    until: int
    count: int
    run_id: int | None


def begin(connection: Connection, wish: RunWish) -> Decided:
    """Begin the run that is wished for, or say why not."""
    now = wish.run.created_at
    held = _held_back(connection, wish, now)
    if held is not None:
        return held
    run, held = _in_its_time(connection, wish, now)
    if held is not None:
        return held
    run, verdict = _in_its_lane(connection, run, wish, now)
    if verdict is not None:
        return _decided(wish, verdict)
    connection.execute(runs.insert(), row_of(run))
    if wish.once is not None:
        _set(connection, "dedupe", wish.once.key, Mark(wish.once.until_ms, 1, run.id))
    return _decided(wish, RunVerdict.BEGUN, run_id=run.id)


def take_lane(connection: Connection, lane: int) -> None:
    """Let nobody else begin or end a run of a lane until this transaction is over; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_LANE, {"lane": lane})


def row_of(run: Run) -> dict[str, Any]:
    """Give a run as its row."""
    return asdict(run) | {"is_shadow": int(run.is_shadow)}


def _held_back(connection: Connection, wish: RunWish, now: int) -> Decided | None:
    """Ask what ends the matter before anything is begun."""
    if wish.once is not None and _is_known(connection, wish.once, now):
        return _decided(wish, RunVerdict.DEDUPE)
    if wish.gathered is not None:
        joined = _join(connection, wish, wish.gathered, now)
        if joined is not None:
            return _decided(wish, RunVerdict.JOINED, run_id=joined)
    return None


def _is_known(connection: Connection, once: Once, now: int) -> bool:
    return now < _take(connection, "dedupe", once.key).until


# ---- debounce


def _join(connection: Connection, wish: RunWish, gathered: Gathered, now: int) -> int | None:
    """Put the event into the run that gathers; None if there is none that still does."""
    mark = _take(connection, "debounce", gathered.key)
    if mark.run_id is None:
        return None
    row = connection.execute(
        select(_r.state, _r.facts, _r.created_at, _r.next_at, _r.version).where(_r.id == mark.run_id)
    ).one_or_none()
    is_gathering = row is not None and (
        row.state == RunState.PARKED or (row.state == RunState.ACTIVE and now < row.next_at)
    )
    if row is None or not is_gathering:
        return None
    facts = msgspec.json.decode(row.facts)
    events = [*facts["events"], msgspec.json.decode(wish.event)]
    if len(events) > MOST_GATHERED:
        return None
    facts["events"], facts["event"] = events, events[-1]
    next_at = min(now + gathered.wait_ms, row.created_at + gathered.max_ms)
    change = update(runs).where(_r.id == mark.run_id)
    connection.execute(
        change.values(
            facts=msgspec.json.encode(facts).decode(),
            next_at=max(next_at, now),
            version=row.version + 1,
            event_id=wish.run.event_id,
        )
    )
    return mark.run_id


# ---- throttle


def _in_its_time(connection: Connection, wish: RunWish, now: int) -> tuple[Run, Decided | None]:
    """Give the run with the time at which it may begin."""
    run = wish.run
    if wish.gathered is not None:
        run = replace(run, next_at=now + wish.gathered.wait_ms)
        _set(connection, "debounce", wish.gathered.key, Mark(now + wish.gathered.max_ms, 1, run.id))
    if wish.throttled is None:
        return run, None
    throttled = wish.throttled
    mark = advanced(_take(connection, "throttle", throttled.key), throttled, now)
    if mark.count < throttled.limit:
        _set(connection, "throttle", throttled.key, replace(mark, count=mark.count + 1))
        return run, None
    if throttled.then == "skip":
        return run, _decided(wish, RunVerdict.THROTTLE)
    if throttled.then == "last" and mark.run_id is not None and _replaced(connection, mark.run_id, wish, now):
        return run, _decided(wish, RunVerdict.JOINED, run_id=mark.run_id)
    windows = mark.count // throttled.limit if throttled.then == "wait" else 1
    run = replace(run, next_at=max(run.next_at, mark.until + (windows - 1) * throttled.per_ms))
    waiting = run.id if throttled.then == "last" else mark.run_id
    _set(connection, "throttle", throttled.key, replace(mark, count=mark.count + 1, run_id=waiting))
    return run, None


def advanced(mark: Mark, throttled: Throttled, now: int) -> Mark:
    """Give the window that an instant is in; what waits for later windows counts in them."""
    if now < mark.until:
        return mark
    over = (now - mark.until) // throttled.per_ms + 1 if mark.until else 0
    left = max(0, mark.count - over * throttled.limit)
    until = mark.until + over * throttled.per_ms if left else now + throttled.per_ms
    return Mark(until, left, mark.run_id)


def _replaced(connection: Connection, run_id: int, wish: RunWish, now: int) -> bool:
    """Give the run that waits the newer event; False if it does not wait any more."""
    waits = (_r.id == run_id, _r.state == RunState.ACTIVE, _r.next_at > now)
    change = (
        update(runs)
        .where(*waits)
        .values(facts=wish.run.facts, event_id=wish.run.event_id, version=_r.version + 1)
    )
    return bool(connection.execute(change).rowcount)


# ---- lanes


def _in_its_lane(connection: Connection, run: Run, wish: RunWish, now: int) -> tuple[Run, RunVerdict | None]:
    if run.lane is None:
        return run, None
    take_lane(connection, run.lane)
    count = connection.execute(_IN_LANE, {"lane": run.lane}).scalar_one()
    if count < run.lane_limit:
        return run, None
    if wish.then == "skip":
        return run, RunVerdict.CONCURRENCY
    if wish.then == "wait":
        return replace(run, state=RunState.PARKED), None
    connection.execute(
        update(runs)
        .where(_r.lane == run.lane, _r.state.in_(_UNFINISHED))
        .values(
            state=RunState.CANCELLED,
            finished_at=now,
            reason="a newer run took its place",
            version=_r.version + 1,
        )
    )
    return run, None


# ---- marks


def _take(connection: Connection, kind: str, key: bytes) -> Mark:
    """Have a mark for oneself until the transaction is over."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    taking = dialect.insert(route_marks).values(kind=kind, key=key, until=0, count=0)
    taking = taking.on_conflict_do_update(index_elements=["kind", "key"], set_={"kind": taking.excluded.kind})
    row = connection.execute(
        taking.returning(route_marks.c.until, route_marks.c.count, route_marks.c.run_id)
    ).one()
    return Mark(*row)


def _set(connection: Connection, kind: str, key: bytes, mark: Mark) -> None:
    here = (route_marks.c.kind == kind, route_marks.c.key == key)
    if not connection.execute(update(route_marks).where(*here).values(asdict(mark))).rowcount:
        connection.execute(route_marks.insert().values(kind=kind, key=key, **asdict(mark)))


def _decided(wish: RunWish, verdict: RunVerdict, *, run_id: int | None = None) -> Decided:
    return Decided(
        route_id=wish.run.route_id, revision_id=wish.run.revision_id, verdict=verdict, run_id=run_id
    )
