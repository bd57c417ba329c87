"""The store and the memory of tests decide alike: the same stories, verdicts and runs; both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from hub.flow.repositories import Store
from hub.flow.route_store import RunCommit, RunFilter
from hub.model.run import Gathered, Once, Run, RunState, RunWish, Throttled
from hub.rules.runs.memory import RunMemory
from tests.store.test_runs import NOW, a_wish

_STEPS = 40


def wishes(draw: random.Random) -> Iterator[tuple[int, RunWish]]:
    """A story: wishes of one kind of route for few keys, in quick succession, with now and then a long pause."""
    kinds = draw.sample(("once", "throttled", "gathered", "lane"), draw.randint(1, 3))
    then: Any = draw.choice(("wait", "skip", "replace"))
    last: Any = draw.choice(("skip", "wait", "last"))
    limit, lane_limit = draw.randint(1, 3), draw.randint(1, 2)
    now = NOW
    for number in range(1, _STEPS + 1):
        now += draw.choice((0, 0, 100, 200, 500, 1_000, 2_500))
        key = f"key-{draw.randint(1, 2)}".encode().ljust(16, b".")
        held: dict[str, Any] = {}
        if "once" in kinds:
            held["once"] = Once(key=key, until_ms=now + 300)
        if "throttled" in kinds:
            held["throttled"] = Throttled(key=key, limit=limit, per_ms=1_000, then=last)
        if "gathered" in kinds:
            held["gathered"] = Gathered(key=key, wait_ms=200, max_ms=500)
        if "lane" in kinds:
            held |= {"lane": -int(key[4:5]), "lane_limit": lane_limit}
        yield now, a_wish(number, at=now, then=then, **held)


async def finish(store: Store, run_id: int, now: int) -> None:
    run = await store.runs.get(run_id)
    assert run is not None
    ended = replace(run, state=RunState.COMPLETED, finished_at=now)
    assert await store.runs.commit([RunCommit(run=ended, version=run.version, changes=())])


def told(run: Run) -> tuple[Any, ...]:
    return (run.state, run.next_at, run.facts, run.event_id, run.finished_at, run.reason)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(36))
async def test_store_and_memory_decide_alike(seed: int, store: Store) -> None:
    draw = random.Random(seed)
    memory = RunMemory()
    for now, wish in wishes(draw):
        assert await store.runs.begin(wish) == memory.begin(wish)
        under_way = [
            each.id for each in memory.runs.values() if each.state is RunState.ACTIVE and each.next_at <= now
        ]
        if under_way and draw.random() < 0.4:
            ended = draw.choice(under_way)
            await finish(store, ended, now)
            memory.end(ended, RunState.COMPLETED, now)
    kept = {run.id: told(run) for run in await store.runs.page(RunFilter(), before=None, limit=100)}

    assert kept == {run.id: told(run) for run in memory.runs.values()}
    assert len(kept) > 3
