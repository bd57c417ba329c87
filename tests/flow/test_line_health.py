"""A line is looked after: counted, judged, kept, and told about once a change has lasted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from bridge.sandbox import contacts
from hub.flow.consent_replies import ConsentReplies
from hub.flow.line_health import LineHealth
from hub.flow.line_policies import LinePolicies
from hub.flow.outgoing import Outgoing
from hub.flow.ports import HotTransaction
from hub.flow.rows import OutboxRow, OutboxUpdate
from hub.flow.safety_rows import CountKey
from hub.model.line import Line
from hub.model.line_safety import LineSafety, QuietWindow
from hub.model.observation import Observation
from hub.model.outbox import OutboxState
from hub.observe.metrics import Metrics
from hub.rules.lanes import shard_of
from hub.rules.line_health import BETTER_AFTER_MS, WORSE_AFTER_MS, LineState
from hub.rules.local_time import day_of, find_zone
from hub.worker.line_watch import LineWatch
from tests.rules.policies import POLICY
from tests.support.hub_world import HubWorld, line_id, open_world

DAY = 86_400_000


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as world:
        yield world


@pytest.fixture
def health(world: HubWorld) -> LineHealth:
    return LineHealth(
        store=world.store,
        directory=world.directory,
        policies=LinePolicies(POLICY, lambda: world.directory.current),
        take_ids=world.new_id.take,
        wake_ups=world.wake_ups,
        clock=world.clock,
    )


def sent(world: HubWorld, number: int, *, to: str = "+15550100007", **more: Any) -> Observation:
    """The other line writes to somebody."""
    scene = contacts.direct(world.other_line.handle, to)
    written = contacts.say(scene, "Hello", guid=f"s{number}", at=world.clock.now_ms())
    assert written.message is not None
    message = msgspec.structs.replace(written.message, is_from_me=True, **more)
    return msgspec.structs.replace(written, kind="message.sent", actor=None, message=message)


async def told(world: HubWorld) -> list[str]:
    events = await world.store.events.newest(limit=99)
    return [event.type for event in reversed(events) if event.type in _TOLD]


_TOLD = {"line.online", "line.degraded", "line.offline"}


async def looks(world: HubWorld, health: LineHealth, *, ms: int) -> LineState:
    """Look twice a minute for so long; give the state at the end."""
    state = LineState.ACTIVE
    for _ in range(ms // 30_000 + 1):
        state = (await health.look_after(world.other_line)).standing.state
        world.clock.advance(30_000)
    return state


async def test_a_quiet_line_is_well(world: HubWorld, health: LineHealth) -> None:
    """Nothing is told of it."""
    report = await health.look_after(world.other_line)

    assert (report.standing.state, report.warnings, await told(world)) == (LineState.ACTIVE, (), [])
    assert (await health.report(world.other_line)).looked_at == world.clock.now_ms()


async def test_an_offline_line_is_told_once_it_stays_so_and_once_it_is_back(
    world: HubWorld, health: LineHealth
) -> None:
    """With the line's own status in step."""
    handle = world.other_line.handle
    down = contacts.line_status(handle, "offline", at=world.clock.now_ms(), reason="no network")
    await world.observe(world.other_line, down)
    assert await looks(world, health, ms=WORSE_AFTER_MS - 30_000) is LineState.ACTIVE
    assert await told(world) == []

    assert await looks(world, health, ms=120_000) is LineState.OFFLINE
    assert await told(world) == ["line.offline"]
    line = (await world.directory.refresh()).lines_by_id[world.other_line.id]
    assert (line.status, line.status_reason) == ("offline", "bridge_offline")

    await world.observe(world.other_line, contacts.line_status(handle, "online", at=world.clock.now_ms()))
    assert await looks(world, health, ms=BETTER_AFTER_MS + 60_000) is LineState.ACTIVE
    assert await told(world) == ["line.offline", "line.online"]


async def test_a_bridge_that_flutters_is_not_told(world: HubWorld, health: LineHealth) -> None:
    """Its own `line.status_changed` says each of its words."""
    for number in range(20):
        status = "offline" if number % 2 else "online"
        seen = contacts.line_status(world.other_line.handle, status, at=world.clock.now_ms())
        await world.observe(world.other_line, seen)
        await looks(world, health, ms=0)

    assert await told(world) == []


async def test_messages_without_an_answer_are_a_warning(world: HubWorld, health: LineHealth) -> None:
    """Five in a row, as vendors advise; an answer ends it."""
    for number in range(5):
        world.clock.advance(1000)
        await world.observe(world.other_line, sent(world, number))
    assert await looks(world, health, ms=120_000) is LineState.FLAGGED
    report = await health.report(world.other_line)
    assert ([each.code for each in report.warnings], report.unanswered) == (["unanswered"], 5)
    assert await told(world) == ["line.degraded"]

    await world.say("Yes?", line=world.other_line, contact="+15550100007")

    assert await looks(world, health, ms=BETTER_AFTER_MS + 60_000) is LineState.ACTIVE


async def test_figures_are_those_of_the_lines_days(world: HubWorld, health: LineHealth) -> None:
    """Today begins at the line's midnight; yesterday is not counted again once it is settled."""
    zone = find_zone("UTC")
    assert zone is not None
    begun = day_of(zone, world.clock.now_ms())
    world.clock.advance(begun.end_ms - world.clock.now_ms() - 1000)
    await world.observe(world.other_line, sent(world, 1, delivered_at=world.clock.now_ms()))
    world.clock.advance(2000)
    await world.observe(world.other_line, sent(world, 2))
    await world.say("Hi", line=world.other_line)

    report = await health.look_after(world.other_line)

    assert (report.today.sent, report.today.received, report.today.delivered) == (1, 1, 0)
    assert (report.week.sent, report.week.delivered) == (2, 1)
    world.clock.advance(8 * DAY)
    assert (await health.look_after(world.other_line)).week.sent == 0


async def test_failures_are_a_warning(world: HubWorld, health: LineHealth) -> None:
    """A fifth of what was asked for, of at least twenty."""
    rows = [OutboxRow(world.new_id(), world.other_line.id, 0, None, "send", "{}", 0, 0) for _ in range(20)]

    async def work(tx: HotTransaction) -> None:
        await tx.insert_outbox(rows)
        for row in rows:
            dispatched = OutboxUpdate(row.id, OutboxState.DISPATCHED, 1, 0, 0, None, None, None)
            await tx.update_outbox([dispatched])
            await tx.update_outbox([dispatched._replace(state=OutboxState.FAILED, error="22")])

    await world.store.hot.write(work)

    report = await health.look_after(world.other_line)

    assert [each.code for each in report.warnings] == ["failures"]
    assert report.today.failed == 20


async def test_a_budget_that_is_used_up_limits_the_line(world: HubWorld, health: LineHealth) -> None:
    """Until the next day."""
    own = LineSafety(new_conversations_per_day=2)
    await world.store.lines.change(world.other_line.id, lambda line: replace(line, safety=own))
    line = (await world.directory.refresh()).lines_by_id[world.other_line.id]
    zone = find_zone("UTC")
    assert zone is not None
    key = CountKey(line.id, 1, day_of(zone, world.clock.now_ms()).start_ms)

    async def work(tx: HotTransaction) -> None:
        await tx.safety.lock_counts([key])
        await tx.safety.set_counts({key: 2})

    await world.store.hot.write(work)

    report = await health.look_after(line)

    assert [each.code for each in report.warnings] == ["new_conversations_spent"]
    assert [(each.used, each.budget.limit) for each in report.usages] == [(2, 2)]
    world.clock.advance(DAY)
    assert (await health.look_after(line)).warnings == ()


async def test_what_waits_is_judged_anew_when_nothing_holds_it(world: HubWorld, health: LineHealth) -> None:
    """Or the line's settings are others than at the last look; and is left alone else."""
    line, far = world.other_line, world.clock.now_ms() + DAY
    held, planned = (
        OutboxRow(world.new_id(), line.id, shard_of(line.id), None, "send", "{}", 0, far) for _ in range(2)
    )
    waits = OutboxUpdate(held.id, OutboxState.PENDING, 0, far, None, None, "quiet_hours", None)
    await world.store.hot.write(lambda tx: tx.insert_outbox([held, planned]))

    async def is_due(safety: LineSafety) -> bool:
        await world.store.hot.write(lambda tx: tx.update_outbox([waits]))
        await world.store.lines.change(line.id, lambda line: replace(line, safety=safety))
        world.wake_ups.lines.clear()
        await health.look_after((await world.directory.refresh()).lines_by_id[line.id])
        items = [await world.store.outbox.get(row.id) for row in (held, planned)]
        found = [item is not None and item.next_attempt_at == world.clock.now_ms() for item in items]
        assert found == [bool(world.wake_ups.lines), False]
        return found[0]

    quiet, busy = (QuietWindow(from_="00:00", to=end) for end in ("23:59", "23:58"))
    seen = [
        await is_due(LineSafety(quiet_hours=hours)) for hours in ((quiet,), (quiet,), (busy,), (busy,), ())
    ]

    assert seen == [True, False, True, False, True]
    assert await is_due(LineSafety(quiet_hours=()))


async def test_a_bulk_send_looks_again_when_the_settings_change(world: HubWorld, health: LineHealth) -> None:
    line, api = world.other_line, world.api
    people = [{"to": f"+1555010100{number}"} for number in range(2)]
    made = await api.post("/v1/bulk", {"from": line.handle, "text": "News!", "recipients": people})
    (job,) = await world.store.bulk.running()
    rests = {"fed_count": 0, "next_feed_at": world.clock.now_ms() + DAY}
    seen = []
    for own in (LineSafety(messages_per_day=limit) for limit in (50, 50, 90)):
        await world.store.bulk.fed(job.id, [], **rests)
        await world.store.lines.change(line.id, partial(replace, safety=own))
        world.wake_ups.jobs = 0
        await health.look_after((await world.directory.refresh()).lines_by_id[line.id])
        seen.append(world.wake_ups.jobs)

    assert made.status == 201
    assert seen == [1, 0, 1]


async def test_a_line_that_is_switched_off_is_offline(world: HubWorld, health: LineHealth) -> None:
    """And so is one whose bridge is."""
    report = await health.look_after(replace(world.other_line, is_active=False))

    assert [each.code for each in report.warnings] == ["line_inactive"]


async def test_a_look_that_a_crash_cut_off_tells_nothing_twice(world: HubWorld, health: LineHealth) -> None:
    """The event is recorded before the standing; the next look finds it."""
    down = contacts.line_status(world.other_line.handle, "offline", at=world.clock.now_ms())
    await world.observe(world.other_line, down)
    await looks(world, health, ms=WORSE_AFTER_MS - 30_000)
    before = await world.store.health.get(world.other_line.id)
    assert before is not None
    await health.look_after(world.other_line)
    after = await world.store.health.get(world.other_line.id)
    assert after is not None

    assert await world.store.health.looked(before, was_since=after.since)
    world.clock.advance(1000)
    await health.look_after(world.other_line)

    assert await told(world) == ["line.offline"]


class _Unreadable:
    """A look that fails for one line."""

    def __init__(self, health: LineHealth, bad: Line) -> None:
        self.health, self.bad = health, bad
        self.forgotten = 0

    async def look_after(self, line: Line) -> Any:
        if line.id == self.bad.id:
            raise OSError("away")
        return await self.health.look_after(line)

    async def forget(self) -> None:
        self.forgotten += 1


def replies_of(world: HubWorld) -> ConsentReplies:
    outgoing = Outgoing(
        store=world.store,
        directory=world.directory,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
    )
    return ConsentReplies(
        store=world.store,
        directory=world.directory,
        policies=world.parts.policies,
        outgoing=outgoing,
        clock=world.clock,
    )


async def _answering(world: HubWorld) -> ConsentReplies:
    """The sandbox line answers HELP."""
    own = LineSafety(help_reply="Write STOP and we are quiet.")
    await world.store.lines.change(world.sandbox_line.id, lambda line: replace(line, safety=own))
    await world.directory.refresh()
    return replies_of(world)


async def _sent_texts(world: HubWorld) -> list[str]:
    events = await world.store.events.newest(limit=99)
    queued = [msgspec.json.decode(event.data) for event in events if event.type == "message.queued"]
    return [data["text"] for data in reversed(queued)]


async def test_help_is_answered_where_the_line_has_an_answer(world: HubWorld) -> None:
    """Once, however often the worker looks, and however often it crashes before it has written that down."""
    replies = await _answering(world)
    await world.say("HELP")
    (owed,) = await world.store.consents.owed_replies(limit=9)

    assert await replies._answer(owed)
    assert await replies.run() == 1
    assert await replies.run() == 0
    assert await _sent_texts(world) == ["Write STOP and we are quiet."]


async def test_a_machine_that_asks_again_and_again_is_answered_once_an_hour(world: HubWorld) -> None:
    """Two hubs must not talk each other to death."""
    replies = await _answering(world)
    for _ in range(3):
        await world.say("help")
        await replies.run()
        world.clock.advance(60_000)
    assert len(await _sent_texts(world)) == 1

    world.clock.advance(3_600_000)
    await world.say("help")
    await replies.run()

    assert len(await _sent_texts(world)) == 2


async def test_help_that_was_asked_for_long_ago_is_not_answered(world: HubWorld) -> None:
    """A worker that was away all night."""
    replies = await _answering(world)
    await world.say("HELP")
    world.clock.advance(3_600_001)

    assert await replies.run() == 0
    assert await world.store.consents.owed_replies(limit=9) == []


async def test_a_worker_looks_after_the_lines_of_its_shards(world: HubWorld, health: LineHealth) -> None:
    """One that fails keeps no other waiting; the metrics show the lines of the last round only."""
    metrics = Metrics()
    unreadable = _Unreadable(health, world.sandbox_line)
    shards = {shard_of(world.sandbox_line.id), shard_of(world.other_line.id)}
    watch = LineWatch(
        unreadable,  # type: ignore[arg-type] # the two methods that it calls
        replies_of(world),
        directory=world.directory,
        shards=lambda: frozenset(shards),
        metrics=metrics,
    )

    await watch.go_round()

    shown = [sample.labels["line"] for metric in metrics.line_state.collect() for sample in metric.samples]
    assert shown == [line_id(world.other_line)]
    assert unreadable.forgotten == 1
    shards.clear()
    await watch.go_round()
    assert [sample for metric in metrics.line_state.collect() for sample in metric.samples] == []
