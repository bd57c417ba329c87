"""Wake-ups, sweeps, reads, commits and shards in any order: each attempt is posted once, and nothing is lost."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.model.delivery import DeliveryState
from hub.model.webhook import Webhook
from tests.worker.receiver import Arrival, Gate, Reply
from tests.worker.rig import Rig, Worker, check_counts, running_rig

STEPS = (
    "sweep", "news", "lane_due", "owe", "lose", "regain", "hold_writes", "let_writes", "hold_reads", "let_reads",
    "answer_200", "answer_500", "answer_last", "later", "breathe", "switch_off", "switch_on",
)  # fmt: skip


class Story:
    """One random history of a worker with a plain lane and a strictly ordered one."""

    def __init__(self, rig: Rig, worker: Worker, webhooks: list[Webhook], gates: list[Gate]) -> None:
        self.rig = rig
        self.worker = worker
        self.webhooks = webhooks
        self.gates = gates

    async def step(self, name: str, which: int) -> None:
        if not self._tell(name, which) and not self._move_the_world(name, which):
            await self._change(name, which)
        check_counts(self.worker)

    def _tell(self, name: str, which: int) -> bool:
        """Tell the worker something."""
        dispatcher = self.worker.dispatcher
        match name:
            case "sweep":
                dispatcher.sweep()
            case "news":
                dispatcher.deliveries_recorded(0, 2**62)
            case "lane_due":
                dispatcher.lane_due(self.webhooks[which].id)
            case "lose":
                dispatcher.own(())
            case "regain":
                dispatcher.own(range(16))
            case _:
                return False
        return True

    def _move_the_world(self, name: str, which: int) -> bool:
        hot, gate = self.rig.hot, self.gates[which]
        match name:
            case "hold_writes" | "let_writes":
                _set(hot.may_write, name == "let_writes")
            case "hold_reads" | "let_reads":
                _set(hot.may_read, name == "let_reads")
            case "answer_200" | "answer_500" | "answer_last":
                if gate.waiting:
                    last = name == "answer_last"
                    gate.let_go(200 if last else int(name[-3:]), index=-1 if last else 0)
            case "later":
                self.rig.timers.advance(2_500)
            case _:
                return False
        return True

    async def _change(self, name: str, which: int) -> None:
        rig, webhook = self.rig, self.webhooks[which]
        match name:
            case "owe":
                await rig.owe(webhook, 3)
            case "switch_off" | "switch_on":
                [now] = [each for each in await rig.store.webhooks.all() if each.id == webhook.id]
                if now.is_active != (name == "switch_on"):
                    await rig.change(now, is_active=name == "switch_on")
            case _:
                for _ in range(20):
                    await asyncio.sleep(0.0005)

    async def end_well(self) -> None:
        """Let everything through, and time pass, until nothing is owed."""
        rig, dispatcher = self.rig, self.worker.dispatcher
        rig.hot.may_write.set()
        rig.hot.may_read.set()
        dispatcher.own(range(16))
        for which in range(2):
            await self.step("switch_on", which)
            rig.receiver.answering[f"/{which}"] = _ok
        for _ in range(60):
            for gate in self.gates:
                while gate.waiting:
                    gate.let_go(200)
            await rig.until_quiet(self.worker)
            if not await self._owed():
                return
            rig.timers.advance(10_000)
            dispatcher.sweep()
        raise AssertionError("something was owed for ever")

    async def _owed(self) -> int:
        states = [state for webhook in self.webhooks for state in await self.rig.states(webhook)]
        return states.count(DeliveryState.PENDING)


async def _ok(arrival: Arrival) -> Reply:
    return Reply()


def _set(event: asyncio.Event, is_set: bool) -> None:
    if is_set:
        event.set()
    else:
        event.clear()


async def _tell(path: Path, steps: list[tuple[str, int]]) -> None:
    async with running_rig(path) as rig:
        gates = [Gate(), Gate()]
        rig.receiver.answering.update({"/0": gates[0], "/1": gates[1]})
        schedule = (1.0, 0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0)
        webhooks = [
            await rig.webhook("/0", concurrency=2, retry_schedule=schedule),
            await rig.webhook("/1", is_ordered=True, retry_schedule=schedule),
        ]
        for webhook in webhooks:
            await rig.owe(webhook, 4)
        story = Story(rig, rig.start(lane_queue=5, most_queued=12, most_in_flight=2), webhooks, gates)
        for name, which in steps:
            await story.step(name, which)
        await story.end_well()
        await _check(rig, webhooks)


async def _check(rig: Rig, webhooks: list[Webhook]) -> None:
    arrived = Counter(arrival.delivery_id for arrival in rig.receiver.arrivals)
    attempts = 0
    for webhook in webhooks:
        for delivery in await rig.deliveries(webhook):
            assert delivery.state is DeliveryState.SUCCEEDED
            attempts += len(await rig.store.deliveries.attempts(delivery.id))
    assert arrived.total() == attempts, "an attempt was posted twice"
    ordered = list(dict.fromkeys(reversed(rig.receiver.deliveries("/1"))))
    assert ordered == sorted(ordered, reverse=True), "the last attempts are not in the order of the events"
    firsts = list(dict.fromkeys(rig.receiver.deliveries("/1")))
    assert firsts == sorted(firsts), "the first attempts are not in the order of the events"


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@example(steps=[("breathe", 0), ("answer_200", 0), ("owe", 1), ("lose", 0), ("answer_500", 1)])
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1)), max_size=40))
def test_each_attempt_is_posted_once_and_in_order(migrated: Path, steps: list[tuple[str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.db"
        shutil.copy(migrated, path)
        asyncio.run(_tell(path, steps))
