"""Routes and runs in the store: what lets a run begin, whose turn it is, and who changed it last; both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from hub.flow.repositories import Store
from hub.flow.route_store import (
    Arrival,
    ArrivalLost,
    EventDecision,
    RouteChange,
    RunCommit,
    RunFilter,
    WaitNote,
)
from hub.model.run import (
    Gathered,
    Once,
    Run,
    RunState,
    RunTally,
    RunVerdict,
    RunWish,
    Throttled,
    Triage,
)
from hub.rules.runs.results import StepError, StepResult, StepStatus

NOW = 1_700_000_000_000
LANE = -5


def a_run(run_id: int = 1, *, at: int = NOW, **fields: Any) -> Run:
    run = Run(
        id=run_id,
        route_id="lead",
        revision_id=10,
        event_id=run_id + 1000,
        state=RunState.ACTIVE,
        shard=3,
        lane=None,
        lane_limit=1,
        next_at=at,
        version=0,
        created_at=at,
        finished_at=None,
        facts=msgspec.json.encode({"event": {"n": run_id}, "events": [{"n": run_id}]}).decode(),
        is_shadow=False,
        hops=1,
    )
    return replace(run, **fields)


def a_wish(run_id: int = 1, *, at: int = NOW, then: Any = "wait", **held: Any) -> RunWish:
    run = a_run(run_id, at=at, **{key: held.pop(key) for key in ("lane", "lane_limit") if key in held})
    return RunWish(run=run, event=msgspec.json.encode({"n": run_id}).decode(), then=then, **held)


async def verdict(store: Store, wish: RunWish) -> tuple[RunVerdict, int | None]:
    decided = await store.runs.begin(wish)
    return decided.verdict, decided.run_id


def a_result(path: str = "0", **fields: Any) -> StepResult:
    result = StepResult(
        path=path, name=None, verb="log", status=StepStatus.COMPLETED, started_at=NOW, changed_at=NOW
    )
    return replace(result, **fields)


async def finish(store: Store, run_id: int, *, at: int = NOW) -> set[int]:
    run = await store.runs.get(run_id)
    assert run is not None
    ended = replace(run, state=RunState.COMPLETED, finished_at=at)
    return await store.runs.commit([RunCommit(run=ended, version=run.version, changes=())])


async def states(store: Store) -> dict[int, RunState]:
    return {run.id: run.state for run in await store.runs.page(RunFilter(), before=None, limit=100)}


# ---- routes


def a_change(route_id: str, revision_id: int) -> RouteChange:
    return RouteChange(
        id=route_id, origin="files", revision_id=revision_id, source=f'"{revision_id}"', file="a.yaml", line=3
    )


async def test_an_origin_stands_at_what_is_installed_and_the_rest_of_it_is_retired(store: Store) -> None:
    await store.routes.install("files", [a_change("a", 1), a_change("b", 2)], keep=[], now=NOW)
    await store.routes.install("coop", [replace(a_change("c", 3), origin="coop")], keep=[], now=NOW)
    version = await store.routes.version()
    await store.routes.install("files", [a_change("b", 4)], keep=[], now=NOW + 1)
    kept = {route.id: (route.revision_id, route.source) for route in await store.routes.current()}
    retired = await store.routes.get("a")

    assert kept == {"b": (4, '"4"'), "c": (3, '"3"')}
    assert retired is not None
    assert retired.retired_at == NOW + 1
    assert await store.routes.version() > version
    assert await store.routes.sources([1, 2, 99]) == {1: '"1"', 2: '"2"'}


async def test_what_is_kept_stays_and_what_comes_back_counts_from_then(store: Store) -> None:
    await store.routes.install("files", [a_change("a", 1)], keep=[], now=NOW)
    await store.routes.install("files", [], keep=["a"], now=NOW + 1)
    stayed = await store.routes.get("a")
    await store.routes.install("files", [], keep=[], now=NOW + 2)
    await store.routes.install("files", [a_change("a", 5)], keep=[], now=NOW + 3)
    back = await store.routes.get("a")

    assert stayed is not None
    assert (stayed.retired_at, stayed.changed_at) == (None, NOW)
    assert back is not None
    assert (back.retired_at, back.revision_id) == (None, 5)


# ---- decisions


def a_decision(event_id: int, *wishes: RunWish, arrivals: tuple[Arrival, ...] = ()) -> EventDecision:
    triage = Triage(event_id=event_id, decided_at=NOW, context="{}", decided=())
    return EventDecision(triage=triage, wishes=wishes, arrivals=arrivals)


async def test_an_event_is_decided_once_whoever_decides(store: Store) -> None:
    await store.routes.install("files", [], keep=[], now=NOW)
    told = await asyncio.gather(
        *(
            store.routes.decide([a_decision(500, a_wish(number))], before=0, position=9)
            for number in range(1, 6)
        )
    )
    triage = await store.routes.triage(500)

    assert sorted(each is None for each in told) == [False, True, True, True, True]
    assert len(await states(store)) == 1
    assert await store.routes.position() == 9
    assert triage is not None
    assert [each.verdict for each in triage.decided] == [RunVerdict.BEGUN]


async def test_whoever_had_no_routes_begins_with_what_comes_now(store: Store) -> None:
    await store.routes.install("files", [], keep=[], now=NOW)
    await store.routes.skip_to(50)
    await store.routes.skip_to(20)

    assert await store.routes.position() == 50


# ---- what holds a run back


async def test_the_same_key_starts_one_run_within_its_time(store: Store) -> None:
    once = Once(key=b"k", until_ms=NOW + 100)
    first = await verdict(store, a_wish(1, once=once))
    again = await verdict(store, a_wish(2, once=once, at=NOW + 99))
    later = await verdict(store, a_wish(3, once=replace(once, until_ms=NOW + 300), at=NOW + 100))

    assert [first[0], again[0], later[0]] == [RunVerdict.BEGUN, RunVerdict.DEDUPE, RunVerdict.BEGUN]


async def test_of_many_at_once_with_the_same_key_one_begins(store: Store) -> None:
    once = Once(key=b"k", until_ms=NOW + 100)
    verdicts = await asyncio.gather(*(verdict(store, a_wish(number, once=once)) for number in range(1, 11)))

    assert sorted(each for each, _ in verdicts) == [RunVerdict.BEGUN, *[RunVerdict.DEDUPE] * 9]


async def test_what_is_throttled_does_not_count_as_started(store: Store) -> None:
    throttled = Throttled(key=b"t", limit=1, per_ms=100, then="skip")
    await verdict(store, a_wish(1, throttled=throttled))
    skipped = await verdict(store, a_wish(2, throttled=throttled, once=Once(key=b"k", until_ms=NOW + 9999)))
    later = await verdict(
        store, a_wish(3, throttled=throttled, once=Once(key=b"k", until_ms=NOW + 9999), at=NOW + 100)
    )

    assert (skipped[0], later[0]) == (RunVerdict.THROTTLE, RunVerdict.BEGUN)


async def test_runs_that_are_throttled_wait_for_windows_of_their_own(store: Store) -> None:
    throttled = Throttled(key=b"t", limit=2, per_ms=100, then="wait")
    for number in range(1, 7):
        assert (await verdict(store, a_wish(number, throttled=throttled)))[0] is RunVerdict.BEGUN
    late = await verdict(store, a_wish(7, throttled=throttled, at=NOW + 150))
    runs = {run.id: run.next_at - NOW for run in await store.runs.page(RunFilter(), before=None, limit=100)}

    assert [runs[number] for number in range(1, 7)] == [0, 0, 100, 100, 200, 200]
    assert late[0] is RunVerdict.BEGUN
    assert runs[7] == 300


async def test_of_runs_that_are_throttled_the_last_event_counts(store: Store) -> None:
    throttled = Throttled(key=b"t", limit=1, per_ms=100, then="last")
    verdicts = [await verdict(store, a_wish(number, throttled=throttled)) for number in range(1, 5)]
    waiting = await store.runs.get(2)

    assert verdicts == [
        (RunVerdict.BEGUN, 1),
        (RunVerdict.BEGUN, 2),
        (RunVerdict.JOINED, 2),
        (RunVerdict.JOINED, 2),
    ]
    assert waiting is not None
    assert (waiting.next_at, msgspec.json.decode(waiting.facts)["event"]) == (NOW + 100, {"n": 4})


async def test_what_comes_in_quick_succession_is_one_run(store: Store) -> None:
    gathered = Gathered(key=b"d", wait_ms=60, max_ms=100)
    verdicts = [
        await verdict(store, a_wish(number, at=NOW + after, gathered=gathered))
        for number, after in ((1, 0), (2, 50), (3, 90), (4, 100))
    ]
    first = await store.runs.get(1)

    assert verdicts == [
        (RunVerdict.BEGUN, 1),
        (RunVerdict.JOINED, 1),
        (RunVerdict.JOINED, 1),
        (RunVerdict.BEGUN, 4),
    ]
    assert first is not None
    facts = msgspec.json.decode(first.facts)
    assert (facts["events"], facts["event"]) == ([{"n": 1}, {"n": 2}, {"n": 3}], {"n": 3})
    assert first.next_at == NOW + 100


async def test_runs_of_a_lane_take_turns(store: Store) -> None:
    for number in (1, 2, 3):
        await verdict(store, a_wish(number, lane=LANE))
    assert await states(store) == {1: RunState.ACTIVE, 2: RunState.PARKED, 3: RunState.PARKED}

    await finish(store, 1, at=NOW + 5)
    assert await states(store) == {1: RunState.COMPLETED, 2: RunState.ACTIVE, 3: RunState.PARKED}
    cancelled = await store.runs.cancel(2, reason="mine", now=NOW + 6)
    assert cancelled is not None
    assert (cancelled.state, cancelled.reason) == (RunState.CANCELLED, "mine")
    assert (await states(store))[3] is RunState.ACTIVE
    assert await store.runs.cancel(2, reason="again", now=NOW + 7) is None


async def test_no_run_is_forgotten_in_its_lane_whoever_begins_and_ends_at_once(store: Store) -> None:
    await verdict(store, a_wish(1, lane=LANE))

    async def drain() -> None:
        for _ in range(200):
            active = [run for run, state in (await states(store)).items() if state is RunState.ACTIVE]
            assert len(active) <= 1
            for run_id in active:
                await finish(store, run_id)

    await asyncio.gather(drain(), *(verdict(store, a_wish(number, lane=LANE)) for number in range(2, 20)))
    await drain()

    assert set((await states(store)).values()) == {RunState.COMPLETED}


async def test_a_full_lane_can_turn_away_or_make_room(store: Store) -> None:
    await verdict(store, a_wish(1, lane=LANE))
    away = await verdict(store, a_wish(2, lane=LANE, then="skip"))
    replaced = await verdict(store, a_wish(3, lane=LANE, then="replace"))

    assert away == (RunVerdict.CONCURRENCY, None)
    assert replaced == (RunVerdict.BEGUN, 3)
    assert await states(store) == {1: RunState.CANCELLED, 3: RunState.ACTIVE}


# ---- results


async def test_what_somebody_else_changed_meanwhile_is_not_overwritten(store: Store) -> None:
    await verdict(store, a_wish(1))
    run = await store.runs.get(1)
    assert run is not None
    mine = RunCommit(run=replace(run, next_at=NOW + 5), version=0, changes=(a_result("0"),))
    theirs = RunCommit(run=replace(run, next_at=NOW + 9), version=0, changes=(a_result("1"),))

    assert await store.runs.commit([mine]) == {1}
    assert await store.runs.commit([theirs]) == set()
    assert [each.path for each in (await store.runs.results([1]))[1]] == ["0"]


async def test_results_come_back_as_they_were_in_the_order_in_which_they_began(store: Store) -> None:
    await verdict(store, a_wish(1))
    failed = a_result(
        "1",
        status=StepStatus.FAILED,
        error=StepError(error_class="invalid", message="no", status=400, details={"a": [1]}),
        requests=("POST x 400",),
        inputs={"a": [1, None, True]},
    )
    run = await store.runs.get(1)
    assert run is not None
    await store.runs.commit([RunCommit(run=run, version=0, changes=(a_result("2"), failed))])
    again = a_result("2", output={"id": "x"}, reason="done")
    late = a_result("0", started_at=NOW + 5)
    others = (a_result("error/0"), a_result("10"), a_result("2/item.1/0"), late)
    await store.runs.commit([RunCommit(run=run, version=1, changes=(again, *others))])
    paths = [each.path for each in (await store.runs.results([1]))[1]]

    assert paths == ["1", "2", "2/item.1/0", "10", "error/0", "0"]
    assert (await store.runs.results([1]))[1][:2] == [failed, again]


@pytest.mark.parametrize(
    ("near", "found"),
    [
        ({7, 0}, [(1, "0"), (2, "0")]),
        ({8, 0}, [(2, "0")]),
        ({0}, [(2, "0")]),
        ({-5, -6, 0}, [(2, "0"), (3, "0")]),
    ],
)
async def test_runs_that_listen_are_found_by_what_they_listen_for(
    store: Store, near: set[int], found: list[tuple[int, str]]
) -> None:
    for run_id, places in ((1, (7,)), (2, (0,)), (3, (-5, -6))):
        await verdict(store, a_wish(run_id))
        run = await store.runs.get(run_id)
        assert run is not None
        types = ("message.received", "message.sent")
        waits = tuple(WaitNote(path="0", event_types=types, place=place) for place in places)
        await store.runs.commit([RunCommit(run=run, version=0, changes=(a_result("0"),), waits=waits)])

    waiting = await store.runs.waiting("message.received", near)
    assert [(each.run_id, each.path) for each in waiting] == found
    assert await store.runs.waiting("message.read", near) == []


async def test_what_was_waited_for_arrives_once(store: Store) -> None:
    await store.routes.install("files", [], keep=[], now=NOW)
    await verdict(store, a_wish(1))
    run = await store.runs.get(1)
    assert run is not None
    waits = (WaitNote(path="0", event_types=("message.received",), place=0),)
    waiting = replace(run, next_at=NOW + 999)
    await store.runs.commit([RunCommit(run=waiting, version=0, changes=(a_result("0"),), waits=waits)])
    arrival = Arrival(run_id=1, version=1, results=(a_result("0", output={"event": {}}),))
    await store.routes.decide([a_decision(5, arrivals=(arrival,))], before=0, position=1)
    arrived = await store.runs.get(1)

    assert arrived is not None
    assert (arrived.next_at, arrived.version) == (NOW, 2)
    assert await store.runs.waiting("message.received", {0}) == []
    with pytest.raises(ArrivalLost):
        await store.routes.decide([a_decision(6, arrivals=(arrival,))], before=1, position=2)
    assert await store.routes.position() == 1


async def test_runs_that_are_due_are_given_in_order_and_not_twice(store: Store) -> None:
    for run_id, at in ((1, NOW + 10), (2, NOW), (3, NOW + 5), (4, NOW + 99)):
        await verdict(store, a_wish(run_id, at=at))
    due = await store.runs.due([3], now=NOW + 10, without={3}, limit=10)

    assert [run.id for run in due] == [2, 1]
    assert await store.runs.due([4], now=NOW + 10, without=(), limit=10) == []
    assert await store.runs.next_due_at([3], after=NOW + 10) == NOW + 99
    assert await store.runs.tally(["lead", "none"]) == {
        "lead": {RunState.ACTIVE: RunTally(count=4, last_id=4)},
        "none": {},
    }
    assert await store.runs.standing() == {RunState.ACTIVE: 4, RunState.PARKED: 0}
