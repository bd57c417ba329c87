"""When schedules fire: by the clock of their place, also when that is changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hub.rules.routes.schedules import last_fire, next_fire


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("schedule", "zone", "after", "fires"),
    [
        ("0 9 * * 1-5", "UTC", "2026-08-07T09:00:00", "2026-08-10T09:00:00"),
        ("0 9 * * 1-5", "America/New_York", "2026-08-07T12:59:59", "2026-08-07T13:00:00"),
        ("*/15 * * * *", "UTC", "2026-08-07T09:01:00", "2026-08-07T09:15:00"),
        ("0 0 29 2 *", "UTC", "2026-08-07T00:00:00", "2028-02-29T00:00:00"),
        ("0 12 * * 7", "UTC", "2026-08-07T00:00:00", "2026-08-09T12:00:00"),
        # 02:30 is skipped in Berlin that night: it fires when the clock has leapt.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00", "2026-03-29T01:00:00"),
        # 02:30 is there twice: it fires once.
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00", "2026-10-26T01:30:00"),
    ],
)
def test_the_next_moment(schedule: str, zone: str, after: str, fires: str) -> None:
    assert next_fire(schedule, zone, at(after)) == at(fires)


def test_a_day_that_never_comes() -> None:
    assert next_fire("0 0 31 2 *", "UTC", at("2026-01-01T00:00:00")) is None


def test_of_moments_that_were_missed_the_last_one_counts() -> None:
    since, until = at("2026-08-07T09:00:00"), at("2026-08-07T10:00:00")

    assert last_fire("*/10 * * * *", "UTC", since_ms=since, until_ms=until) == until
    assert last_fire("30 9 * * *", "UTC", since_ms=since, until_ms=until) == at("2026-08-07T09:30:00")
    assert last_fire("0 9 * * *", "UTC", since_ms=since, until_ms=until) is None
