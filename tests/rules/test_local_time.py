"""Days and hours by a line's clock tile time, through every change of clocks."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules.local_time import day_of, days_before, days_between, find_zone, hour_of, instant, local

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # changed its clocks at midnight
    "Asia/Beirut",
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kathmandu",  # +05:45
    "Pacific/Apia",  # left a day out in 2011
]
#: 2005 to 2035.
instants = st.integers(1_104_537_600_000, 2_051_222_400_000)
HOUR = 3_600_000


@given(st.sampled_from(ZONES), instants)
def test_days_and_hours_hold_their_instants_and_tile_time(name: str, now_ms: int) -> None:
    """No instant is in none or in two of them."""
    zone = ZoneInfo(name)
    day, hour = day_of(zone, now_ms), hour_of(zone, now_ms)

    assert day.start_ms <= now_ms < day.end_ms
    assert hour.start_ms <= now_ms < hour.end_ms
    assert day.start_ms <= hour.start_ms
    assert hour.end_ms <= day.end_ms
    assert day_of(zone, day.end_ms).start_ms == day.end_ms
    assert day_of(zone, day.start_ms - 1).end_ms == day.start_ms
    assert hour_of(zone, hour.end_ms).start_ms == hour.end_ms
    assert local(zone, day.start_ms).date() == local(zone, now_ms).date()
    assert 0 < hour.end_ms - hour.start_ms <= HOUR


@pytest.mark.parametrize(
    ("moment", "hours"),
    [("2026-03-29T12:00", 23), ("2026-10-25T12:00", 25), ("2026-06-01T12:00", 24)],
)
def test_a_day_is_as_long_as_the_clock_makes_it(moment: str, hours: int) -> None:
    """Berlin changes its clocks in March and October."""
    zone = ZoneInfo("Europe/Berlin")
    day = day_of(zone, instant(zone, datetime.fromisoformat(moment)))

    assert (day.end_ms - day.start_ms) / HOUR == hours


def test_days_are_counted_by_midnights() -> None:
    """One minute can be a day."""
    zone = ZoneInfo("Europe/Berlin")
    evening = instant(zone, datetime.fromisoformat("2026-05-01T23:59"))

    assert days_between(zone, evening, evening + 59_000) == 0
    assert days_between(zone, evening, evening + 60_000) == 1
    assert days_before(zone, evening, 1).end_ms == day_of(zone, evening).start_ms


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "a" * 300, "\0"]
)
def test_what_is_no_zone_is_none(name: str) -> None:
    """Whatever somebody writes."""
    assert find_zone(name) is None
