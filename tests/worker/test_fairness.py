"""One bad receiver, or many, do not keep a healthy lane's deliveries from being made."""

from __future__ import annotations

import asyncio

import pytest

from tests.worker.receiver import Arrival, Gate, Reply, never
from tests.worker.rig import Rig
from tests.worker.time_by_hand import eventually


async def drip(arrival: Arrival) -> bytes:
    """Begin an answer, and never come to its end."""
    return b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 10_000


@pytest.mark.slow
async def test_dead_dripping_and_flooding_receivers_leave_a_healthy_one_alone(rig: Rig) -> None:
    flood_gate = Gate()
    rig.receiver.answering.update({"/dead": never, "/drip": drip, "/flood": flood_gate})
    bad = [await rig.webhook(path) for path in ("/dead", "/drip", "/flood")]
    healthy = await rig.webhook("/healthy")
    for webhook in bad:
        await rig.owe(webhook, 500)
    worker = rig.start(most_in_flight=14, lane_queue=50, most_queued=100)
    await eventually(lambda: len(rig.receiver.arrivals) == 12)

    owed = await rig.owe(healthy, 100)
    worker.dispatcher.sweep()
    await eventually(lambda: len(rig.receiver.at("/healthy")) == 100)

    assert sorted(rig.receiver.deliveries("/healthy")) == sorted(owed)
    assert [len(rig.receiver.at(webhook.url[-5:])) for webhook in bad[:2]] == [4, 4]


@pytest.mark.slow
async def test_floods_in_many_lanes_share_the_places_with_a_late_comer(rig: Rig) -> None:
    """All places are taken by lanes that never run dry; a lane that comes later gets its turn."""
    arrived: list[str] = []

    async def answer(arrival: Arrival) -> Reply:
        arrived.append(arrival.path)
        await asyncio.sleep(0)
        return Reply()

    floods = [await rig.webhook(f"/flood{number}") for number in range(3)]
    late = await rig.webhook("/late")
    for path in ("/flood0", "/flood1", "/flood2", "/late"):
        rig.receiver.answering[path] = answer
    for webhook in floods:
        await rig.owe(webhook, 1_000)
    worker = rig.start(most_in_flight=3, lane_queue=100)
    await eventually(lambda: len(arrived) > 50)
    await rig.owe(late, 20)
    worker.dispatcher.sweep()
    await eventually(lambda: arrived.count("/late") == 20)

    first = arrived.index("/late")
    turns = arrived[first : len(arrived) - arrived[::-1].index("/late")]
    assert len(turns) < 20 * 8  # about every fourth place was the late comer's
    assert len(arrived) < 3_000


@pytest.mark.slow
async def test_a_full_committer_starts_nothing_and_spins_nowhere(rig: Rig) -> None:
    webhook, other = await rig.webhook("/a", concurrency=50), await rig.webhook("/b", concurrency=50)
    await rig.owe(webhook, 3_000)
    await rig.owe(other, 3_000)
    rig.hot.may_write.clear()
    worker = rig.start(most_in_flight=100, lane_queue=10_000, most_queued=10_000)
    await eventually(lambda: worker.committer.is_full and not worker.dispatcher.in_flight)
    assert len(rig.receiver.arrivals) < 4_096 + 100

    rig.hot.may_write.set()
    await eventually(lambda: len(rig.receiver.arrivals) == 6_000)
    await rig.until_quiet(worker)
