"""Usage of language models is counted exactly, and limits hold whoever asks at the same time, on both databases."""

from __future__ import annotations

import asyncio

import pytest

from hub.flow.repositories import Store
from hub.model.draft import AiLimit, AiLimits, Spending

NOON = 20_000 * 86_400_000 + 43_200_000
HOUR = 3_600_000
DAY = 24 * HOUR
NO_LIMITS = AiLimits(requests_per_hour=0, tokens_per_day=0, cost_micros_per_day=0)
SOME = Spending(tokens=100, cost_micros=50)


async def test_a_reservation_is_settled_by_what_was_taken(store: Store) -> None:
    assert await store.ai_usage.reserve(SOME, limits=NO_LIMITS, now=NOON) is None
    await store.ai_usage.settle(SOME, spent=Spending(tokens=30, cost_micros=10), reserved_at=NOON)

    tally = await store.ai_usage.tally(now=NOON)
    assert (
        tally.hour_requests,
        tally.day_requests,
        tally.day_tokens,
        tally.day_cost_micros,
    ) == (1, 1, 30, 10)


async def test_a_draft_that_ends_after_midnight_belongs_to_the_day_before(store: Store) -> None:
    await store.ai_usage.reserve(SOME, limits=NO_LIMITS, now=NOON)
    await store.ai_usage.reserve(SOME, limits=NO_LIMITS, now=NOON + DAY)
    await store.ai_usage.settle(SOME, spent=Spending(tokens=1, cost_micros=1), reserved_at=NOON)

    assert (await store.ai_usage.tally(now=NOON)).day_tokens == 1
    assert (await store.ai_usage.tally(now=NOON + DAY)).day_tokens == 100


@pytest.mark.parametrize(
    ("limits", "met"),
    [
        (AiLimits(requests_per_hour=2, tokens_per_day=0, cost_micros_per_day=0), AiLimit.REQUESTS),
        (AiLimits(requests_per_hour=0, tokens_per_day=299, cost_micros_per_day=0), AiLimit.TOKENS),
        (AiLimits(requests_per_hour=0, tokens_per_day=0, cost_micros_per_day=149), AiLimit.COST),
    ],
)
async def test_what_would_pass_a_limit_is_refused_and_not_counted(
    store: Store, limits: AiLimits, met: AiLimit
) -> None:
    answers = [await store.ai_usage.reserve(SOME, limits=limits, now=NOON) for _ in range(3)]

    assert answers == [None, None, met]
    assert (await store.ai_usage.tally(now=NOON)).day_requests == 2


async def test_each_hour_begins_anew(store: Store) -> None:
    limits = AiLimits(requests_per_hour=1, tokens_per_day=0, cost_micros_per_day=0)

    assert await store.ai_usage.reserve(SOME, limits=limits, now=NOON) is None
    assert await store.ai_usage.reserve(SOME, limits=limits, now=NOON + HOUR - 1) is AiLimit.REQUESTS
    assert await store.ai_usage.reserve(SOME, limits=limits, now=NOON + HOUR) is None


async def test_limits_hold_for_those_who_ask_at_the_same_time(store: Store) -> None:
    limits = AiLimits(requests_per_hour=0, tokens_per_day=1_000, cost_micros_per_day=0)
    answers = await asyncio.gather(
        *(store.ai_usage.reserve(SOME, limits=limits, now=NOON) for _ in range(30))
    )

    assert answers.count(None) == 10
    assert (await store.ai_usage.tally(now=NOON)).day_tokens == 1_000
