"""The generator sends what it was told, counts only what was answered, and keeps the clock honestly."""

import asyncio

import pytest

from tests.load.generator import Generator, LoadOrder, LoadResult
from tests.load.generator_process import accepted_numbers, arrival_latencies
from tests.load.ingest_stand_in import IngestStandIn
from tests.load.observations import LoadPlan
from tests.load.signatures import standard_key

_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def _run(
    ingest: IngestStandIn, *, count: int, size: int = 1, rate: float | None = None, retries: bool = False
) -> tuple[LoadOrder, LoadResult]:
    server = await ingest.serve()
    plan = LoadPlan(
        run="t", lines=("+15550100001",), key=standard_key(_SECRET), count=count, events_per_request=size
    )
    port = server.sockets[0].getsockname()[1]
    order = LoadOrder(plan=plan, ports=(port,), connections=4, rate=rate, retries=retries, give_up_seconds=10)
    result = await Generator(order).run()
    server.close()
    return order, result


@pytest.mark.parametrize(("count", "size", "requests"), [(20, 1, 20), (20, 8, 3)])
async def test_closed_loop_posts_every_event_once(count: int, size: int, requests: int) -> None:
    """Signed so that the hub believes it; a last, smaller batch counts too."""
    ingest = IngestStandIn(_SECRET)

    order, result = await _run(ingest, count=count, size=size)

    assert accepted_numbers(order, result) == set(range(count))
    assert (len(ingest.seen), ingest.seen.total(), ingest.forged) == (requests, requests, 0)
    assert result.answers == {"202": requests}


async def test_open_loop_counts_from_the_moment_a_request_was_due() -> None:
    """Due times follow the rate, whatever the answers do."""
    _, result = await _run(IngestStandIn(_SECRET), count=10, rate=1000)

    assert [due - result.started_ns for due in result.due_ns] == [number * 1_000_000 for number in range(10)]
    assert all(0 < due <= accepted for due, accepted in zip(result.due_ns, result.accepted_ns, strict=True))


async def test_without_retries_what_fails_stays_failed() -> None:
    """The bench must see failures, not hide them."""
    ingest = IngestStandIn(_SECRET, mishaps=["503", "drop"])

    order, result = await _run(ingest, count=6)

    assert len(accepted_numbers(order, result)) == 4
    assert result.answers == {"503": 1, "lost": 1, "202": 4}


async def test_with_retries_a_request_is_repeated_under_its_id_until_it_is_answered() -> None:
    """As a bridge does; the second answer says `duplicate` and counts as accepted."""
    ingest = IngestStandIn(_SECRET, mishaps=["503", "drop", "503"])

    order, result = await _run(ingest, count=6, retries=True)

    assert accepted_numbers(order, result) == set(range(6))
    assert (len(ingest.seen), ingest.seen.total(), ingest.forged) == (6, 9, 0)
    assert result.answers == {"503": 2, "lost": 1, "202": 6}


async def test_an_unreachable_hub_is_tried_again() -> None:
    """Until the order's patience is over."""
    plan = LoadPlan(run="t", lines=("+15550100001",), key=b"k" * 24, count=1)
    order = LoadOrder(plan=plan, ports=(1,), retries=True, give_up_seconds=0.05)

    async with asyncio.timeout(5):
        result = await Generator(order).run()

    assert result.answers == {"refused connection": 1, "given up": 1}


def test_arrivals_are_joined_with_the_clock_of_their_request() -> None:
    """Event 3 of batches of two belongs to request 1."""
    plan = LoadPlan(run="t", lines=("+15550100001",), key=b"", count=4, first=2, events_per_request=2)
    order = LoadOrder(plan=plan, ports=(1,))

    summary = arrival_latencies(order, [1_000_000, 5_000_000], [(2, 2_000_000), (5, 9_000_000)])

    assert (summary.count, summary.p50, summary.worst) == (2, 1.0, 4.0)
