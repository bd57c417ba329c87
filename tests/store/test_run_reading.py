"""Runs, replays and revisions as they are read; both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.flow.repositories import Store
from hub.flow.route_store import RunCommit, RunFilter
from hub.model.run import RunState, RunTally, RunVerdict, RunWish
from tests.store.test_runs import NOW, a_change, a_result, a_run, a_wish, verdict


async def end(store: Store, run_id: int, state: RunState) -> None:
    run = await store.runs.get(run_id)
    assert run is not None
    ended = replace(run, state=state, finished_at=NOW)
    assert await store.runs.commit([RunCommit(run=ended, version=run.version, changes=())])


@pytest.fixture
async def some(store: Store) -> Store:
    """Runs 1 to 5 of `lead` and 6 of `other`; 2, 4 and 6 failed, 1 is over, 7 takes 2 up again."""
    for number in range(1, 6):
        await verdict(store, a_wish(number))
    await store.runs.begin(replace(a_wish(6), run=a_run(6, route_id="other")))
    for number in (2, 4, 6):
        await end(store, number, RunState.FAILED)
    await end(store, 1, RunState.COMPLETED)
    await store.runs.begin(replace(a_wish(7), run=a_run(7, origin_run_id=2, event_id=1002)))
    return store


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (RunFilter(), [7, 6, 5, 4, 3, 2, 1]),
        (RunFilter(route_id="lead"), [7, 5, 4, 3, 2, 1]),
        (RunFilter(state=RunState.FAILED), [6, 4, 2]),
        (RunFilter(state=RunState.ACTIVE), [7, 5, 3]),
        (RunFilter(event_id=1002), [7, 2]),
        (RunFilter(first_id=3, last_id=5), [5, 4, 3]),
        (RunFilter(route_id="lead", state=RunState.FAILED, is_not_replayed=True), [4]),
        (RunFilter(route_id="none"), []),
    ],
    ids=str,
)
async def test_runs_are_found(some: Store, wanted: RunFilter, found: list[int]) -> None:
    forwards = await some.runs.page(wanted, before=None, limit=10, is_oldest_first=True)

    assert [run.id for run in await some.runs.page(wanted, before=None, limit=10)] == found
    assert [run.id for run in await some.runs.page(wanted, before=4, limit=1)] == [
        each for each in found if each < 4
    ][:1]
    assert [run.id for run in forwards] == found[::-1]


async def test_runs_are_counted_and_found_by_id(some: Store) -> None:
    assert await some.runs.tally(["lead", "none"]) == {
        "lead": {
            RunState.ACTIVE: RunTally(count=3, last_id=7),
            RunState.COMPLETED: RunTally(count=1, last_id=1),
            RunState.FAILED: RunTally(count=2, last_id=4),
        },
        "none": {},
    }
    assert await some.runs.standing() == {RunState.ACTIVE: 3, RunState.PARKED: 0}
    assert {number: run.id for number, run in (await some.runs.some({1, 6, 99})).items()} == {1: 1, 6: 6}
    assert await some.runs.some(()) == {}
    assert (await some.runs.replays(2), await some.runs.replays(4)) == ([7], [])


async def test_a_run_begins_with_results(store: Store) -> None:
    run = a_run(1, lane=-5, version=1)
    decided = await store.runs.begin(RunWish(run=run, event=""), results=[a_result("0"), a_result("1")])
    skipped = RunWish(run=a_run(2, lane=-5, version=1), event="", then="skip")
    held = await store.runs.begin(skipped, results=[a_result("0")])

    assert (decided.verdict, held.verdict) == (RunVerdict.BEGUN, RunVerdict.CONCURRENCY)
    assert [each.path for each in (await store.runs.results([1]))[1]] == ["0", "1"]
    assert (await store.runs.results([2]))[2] == []
    kept = await store.runs.get(1)
    assert kept is not None
    assert kept.version == 1


async def test_the_revision_of_an_instant_is_the_newest_before_it(store: Store) -> None:
    for number, route_id, at in ((1, "a", 0), (2, "b", 5), (3, "a", 10)):
        await store.routes.install(f"of-{route_id}", [a_change(route_id, number)], keep=[], now=NOW + at)

    async def standing(at: int) -> dict[str, int]:
        return {each.route_id: each.id for each in await store.routes.standing_at(NOW + at)}

    assert [await standing(at) for at in (-1, 0, 5, 9, 10)] == [
        {},
        {"a": 1},
        {"a": 1, "b": 2},
        {"a": 1, "b": 2},
        {"a": 3, "b": 2},
    ]
    assert [(each.id, each.created_at) for each in await store.routes.revisions("a", limit=5)] == [
        (3, NOW + 10),
        (1, NOW),
    ]
    assert [each.id for each in await store.routes.revisions("a", limit=1)] == [3]


async def test_all_routes_are_given_with_those_that_are_retired(store: Store) -> None:
    await store.routes.install("files", [a_change("a", 1), a_change("b", 2)], keep=[], now=NOW)
    await store.routes.install("files", [], keep=["b"], now=NOW)

    assert {each.id: each.retired_at for each in await store.routes.all()} == {"a": NOW, "b": None}
