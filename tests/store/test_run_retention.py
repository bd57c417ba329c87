"""What runs knew goes first, then the runs, then revisions that nobody needs; both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.flow.repositories import Store
from hub.flow.route_store import EventDecision, RunCommit, RunFilter
from hub.flow.rows import IdempotencyRow
from hub.model.ids import first_id_at
from hub.model.run import Once, Run, RunState, Triage
from hub.rules.runs.results import StepError, StepResult, StepStatus
from tests.store.test_runs import a_change, a_result, a_run, a_wish, verdict

DAY = 86_400_000
NOW = 1_900_000_000_000
OLD = first_id_at(NOW)
ALL = 1000


async def over(store: Store, run_id: int, *results: StepResult, **fields: object) -> Run:
    """Have a run that was over when it began."""
    run = replace(a_run(run_id, at=NOW), **fields)  # type: ignore[arg-type]  # fields of a run
    await store.runs.begin(replace(a_wish(run_id, at=NOW), run=run))
    ended = replace(run, state=RunState.COMPLETED, finished_at=run.created_at)
    assert await store.runs.commit([RunCommit(run=ended, version=0, changes=results)]) == {run_id}
    return ended


async def test_what_a_run_knew_goes_and_that_it_ran_stays(store: Store) -> None:
    error = StepError(error_class="permission", message="No", status=403, details={"who": "Ann"})
    done = a_result("0", inputs={"text": "Hello"}, output={"id": 1}, requests=("POST https://x",), attempts=2)
    failed = a_result("1", status=StepStatus.FAILED, error=error, name="second")
    await over(store, OLD + 1, done, failed)
    await over(store, OLD + 2, route_id="other")
    await verdict(store, a_wish(OLD + 3, at=NOW))
    dropped = await store.run_retention.drop_payloads("lead", before_ms=NOW + 1, limit=ALL)
    run, other, active = [await store.runs.get(OLD + number) for number in (1, 2, 3)]
    assert run is not None
    assert other is not None
    assert active is not None

    assert dropped == 1
    assert (run.facts, run.state) == ("", RunState.COMPLETED)
    assert other.facts
    assert active.facts
    assert (await store.runs.results([run.id]))[run.id] == [
        replace(done, inputs=None, output=None, requests=()),
        replace(failed, error=replace(error, details=None)),
    ]
    assert await store.run_retention.drop_payloads("lead", before_ms=NOW + 1, limit=ALL) == 0


async def test_runs_go_with_their_steps_when_they_were_over_long_enough(store: Store) -> None:
    await over(store, OLD + 1, a_result("0"))
    await over(store, OLD + 2, a_result("0"), created_at=NOW + DAY)
    await over(store, OLD + 3, route_id="other")
    await verdict(store, a_wish(OLD + 4, at=NOW))

    assert await store.run_retention.drop_runs("lead", before_ms=NOW + 1, limit=ALL) == 1
    assert (await store.runs.results([OLD + 1]))[OLD + 1] == []
    assert [run.id - OLD for run in await store.runs.page(RunFilter(), before=None, limit=9)] == [4, 3, 2]


async def test_pages_begin_with_the_oldest(store: Store) -> None:
    for number in range(5):
        await over(store, OLD + number)

    assert await store.run_retention.drop_runs("lead", before_ms=NOW + 1, limit=2) == 2
    assert [run.id - OLD for run in await store.runs.page(RunFilter(), before=None, limit=9)] == [4, 3, 2]


async def keys(store: Store, *run_ids: int) -> None:
    """Remember one key of a step of each run."""
    rows = [IdempotencyRow("run", f"step-{run_id}", b"h", 201, "{}", NOW, run_id) for run_id in run_ids]
    await store.hot.write(lambda tx: tx.insert_idempotency(rows))


async def known_keys(store: Store, *run_ids: int) -> list[int]:
    """Give the runs whose keys are known."""
    rows = [IdempotencyRow("run", f"step-{run_id}", b"x", 201, "x", NOW, run_id) for run_id in run_ids]
    known = await store.hot.write(lambda tx: tx.insert_idempotency(rows))
    return [run_id - OLD for run_id, each in zip(run_ids, known, strict=True) if each is not None]


@pytest.mark.parametrize("drop", ["drop_payloads", "drop_runs"])
async def test_keys_of_steps_go_when_nobody_can_take_up_their_run_any_more(store: Store, drop: str) -> None:
    """Not by their age: 1 goes; 2 lives on in 3, which took it up and is not over; 4 is not over itself."""
    one, two, three, four = (OLD + number for number in (1, 2, 3, 4))
    await over(store, one)
    await over(store, two)
    for run_id, key_run_id in ((three, two), (four, None)):
        run = replace(a_run(run_id, at=NOW), key_run_id=key_run_id)
        await store.runs.begin(replace(a_wish(run_id, at=NOW), run=run))
    await keys(store, one, two, four)
    await store.retention.expire_page("idempotency_keys", before_ms=NOW + DAY, limit=ALL)
    await getattr(store.run_retention, drop)("lead", before_ms=NOW + 1, limit=ALL)

    assert await known_keys(store, one, two, four) == [2, 4]


async def revisions(store: Store, route_id: str) -> list[int]:
    return [each.id for each in await store.routes.revisions(route_id, limit=9)]


async def test_revisions_go_that_were_superseded_and_have_no_run(store: Store) -> None:
    for number, at in ((1, NOW), (2, NOW + 1), (3, NOW + 2), (4, NOW + DAY)):
        await store.routes.install("files", [a_change("lead", number)], keep=[], now=at)
    await over(store, OLD + 1, revision_id=2)

    assert await store.run_retention.drop_revisions(before_ms=NOW + 3) == 1
    assert await revisions(store, "lead") == [4, 3, 2]
    await store.run_retention.drop_runs("lead", before_ms=NOW + 1, limit=ALL)
    assert await store.run_retention.drop_revisions(before_ms=NOW + 3) == 1
    assert await revisions(store, "lead") == [4, 3]


async def test_nothing_goes_that_a_run_under_way_may_have_called(store: Store) -> None:
    await store.routes.install("files", [a_change("a", 1)], keep=[], now=NOW)
    await verdict(store, a_wish(OLD, at=NOW))
    await store.routes.install("files", [a_change("a", 2)], keep=[], now=NOW + 5)

    assert await store.run_retention.drop_revisions(before_ms=NOW + DAY) == 0


async def test_routes_go_that_were_retired_and_have_no_runs(store: Store) -> None:
    await store.routes.install("files", [a_change("lead", 1), a_change("b", 2)], keep=[], now=NOW)
    await store.routes.install("files", [], keep=[], now=NOW + 1)
    await over(store, OLD)

    assert await store.run_retention.drop_revisions(before_ms=NOW + 2) == 1
    assert [each.id for each in await store.routes.all()] == ["lead"]
    assert await revisions(store, "b") == []


@pytest.mark.parametrize("table", ["route_marks", "triages"])
async def test_what_was_decided_and_remembered_expires(store: Store, table: str) -> None:
    await store.routes.install("files", [], keep=[], now=NOW)
    for number, until in ((1, NOW), (2, NOW + DAY)):
        triage = Triage(event_id=first_id_at(until) + number, decided_at=until, context="{}", decided=())
        wish = a_wish(OLD + number, at=NOW, once=Once(key=bytes([number]), until_ms=until))
        decision = EventDecision(triage=triage, wishes=(wish,), arrivals=())
        await store.routes.decide([decision], before=number - 1, position=number)

    assert await store.retention.expire_page(table, before_ms=NOW + DAY - 1, limit=ALL) == 1
    assert await store.retention.expire_page(table, before_ms=NOW + DAY - 1, limit=ALL) == 0
