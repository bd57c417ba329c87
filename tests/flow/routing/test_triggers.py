"""What starts a route beside our own events: sources, paths of its own, moments."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from hub.flow.routing.moments import Moments
from hub.flow.source_intake import SourceIntake
from hub.model.run import RunVerdict
from hub.rules.sources.intake import Accepted, SourceEvent
from hub.rules.sources.model import Answer, Source
from tests.flow.routing.written_routes import written
from tests.support.hub_world import HubWorld
from tests.support.inbound_sources import sources_of
from tests.support.route_world import TEXTS, RouteWorld

PATH = "a-long-odd-word"


@pytest.fixture
def intake(world: HubWorld) -> SourceIntake:
    return SourceIntake(
        recorder=world.recorder,
        rejections=world.store.rejections,
        clock=world.clock,
        new_id=world.new_id,
        keep=10,
    )


def source(name: str) -> Source:
    (found,) = sources_of("  payments: { verify: stripe, secret: { env: SECRET } }\n", {"SECRET": "whsec_x"})
    return replace(found, name=name)


def told(event: str, nth: int, **payload: Any) -> Accepted:
    events = (SourceEvent(event=event, id=str(nth), payload=payload),)
    return Accepted(events=events, once=(), answer=Answer())


PAID = """
id: paid
trigger: { source: shop, event: order.paid }
when: { total: { gte: 100 } }
steps:
  - use: do.safe
    with: { order: "{{ event.number }}", whole: "{{ event.payload.total }}", event: "{{ event.event }}" }
"""


async def test_what_a_source_tells_starts_the_routes_that_name_it(
    world: HubWorld, routes: RouteWorld, intake: SourceIntake
) -> None:
    every = (
        "id: every\ntrigger: { source: shop }\nsteps: [{ use: do.safe, with: { all: '{{ event.event }}' } }]"
    )
    await routes.install(written(PAID, every))
    await intake.take_in(source("shop"), told("order.paid", 1, number="A1", total=120))
    await intake.take_in(source("shop"), told("order.paid", 2, number="A2", total=99))
    await intake.take_in(source("shop"), told("order.new", 3, number="A3", total=500))
    await intake.take_in(source("other"), told("order.paid", 4, number="A4", total=500))
    await routes.work()

    assert [each for each in routes.inputs if "order" in each] == [
        {"order": "A1", "whole": 120, "event": "order.paid"}
    ]
    assert [each["all"] for each in routes.inputs if "all" in each] == [
        "order.paid",
        "order.paid",
        "order.new",
    ]


async def test_a_path_of_its_own_starts_a_route(
    world: HubWorld, routes: RouteWorld, intake: SourceIntake
) -> None:
    await routes.install(
        written(f"""
id: hook
trigger: {{ webhook: {PATH} }}
steps: [{{ use: do.safe, with: {{ name: "{{{{ event.name }}}}" }} }}]
""")
    )
    await routes.book.refresh()
    await intake.take_in_hook(PATH, payload={"name": "Ann"}, delivery_id="1")
    await intake.take_in_hook("another-odd-word", payload={"name": "Bob"}, delivery_id="2")
    await routes.work()

    assert routes.inputs == [{"name": "Ann"}]
    assert (routes.book.has_hook(PATH), routes.book.has_hook("another-odd-word")) == (True, False)


async def test_a_run_waits_for_what_a_source_tells(
    world: HubWorld, routes: RouteWorld, intake: SourceIntake
) -> None:
    await routes.install(
        written("""
id: wait
trigger: message.received
steps:
  - id: payment
    wait_for: { trigger: { source: shop, event: order.paid }, timeout: 1h }
  - use: do.safe
    with: { order: "{{ steps.payment.output.event.number }}" }
""")
    )
    await world.say("I pay")
    await routes.work()
    await intake.take_in(source("shop"), told("order.new", 1, number="A1"))
    await intake.take_in(source("shop"), told("order.paid", 2, number="A2"))
    await routes.work()

    assert routes.inputs == [{"order": "A2"}]


# ---- moments


EVERY_HOUR = """
id: hourly
trigger: { schedule: "0 * * * *", timezone: UTC }
steps: [{ use: do.safe, with: { at: "{{ event.occurred_at }}" } }]
"""


def moments(world: HubWorld, routes: RouteWorld) -> Moments:
    return Moments(
        runs=world.store.runs, book=routes.book, clock=world.clock, new_id=world.new_id, texts=TEXTS
    )


def hour(world: HubWorld, ahead: int = 0) -> int:
    """The last full hour, or one ahead of it."""
    return (world.clock.now_ms() // 3_600_000 + ahead) * 3_600_000


async def test_a_moment_starts_its_route_once_whoever_looks(world: HubWorld, routes: RouteWorld) -> None:
    await routes.install(written(EVERY_HOUR))
    mine, theirs = moments(world, routes), moments(world, routes)
    assert await mine.fire() == []
    due_at = hour(world, 1)
    assert mine.next_at() == due_at

    world.clock.advance(due_at - world.clock.now_ms())
    verdicts = [each.verdict for fired in await asyncio.gather(mine.fire(), theirs.fire()) for each in fired]
    assert sorted(verdicts) == [RunVerdict.BEGUN, RunVerdict.DEDUPE]
    assert await mine.fire() == []
    await routes.drive()
    assert routes.inputs == [{"at": due_at}]


@pytest.mark.parametrize(("minutes", "count"), [(59, 1), (61, 0)])
async def test_a_moment_that_was_missed_is_made_up_for_within_an_hour(
    world: HubWorld, routes: RouteWorld, minutes: int, count: int
) -> None:
    daily = datetime.fromtimestamp(hour(world, 2) / 1000, UTC)
    await routes.install(written(EVERY_HOUR.replace("0 * *", f"0 {daily.hour} *")))
    world.clock.advance(hour(world, 2) + minutes * 60_000 - world.clock.now_ms())
    await moments(world, routes).fire()
    await routes.drive()

    assert len(routes.inputs) == count


async def test_moments_before_a_route_was_there_are_not_its_own(world: HubWorld, routes: RouteWorld) -> None:
    world.clock.advance(hour(world, 1) + 1 - world.clock.now_ms())
    await routes.install(written(EVERY_HOUR))
    await moments(world, routes).fire()

    assert await routes.drive() == []
