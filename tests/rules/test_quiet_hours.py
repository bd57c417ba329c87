"""Rest by the line's clock: until when, through changes of clocks, and never for ever."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.model.line_safety import DAYS, QuietWindow
from hub.rules.local_time import instant, local
from hub.rules.quiet_hours import is_quiet, leaves_time, quiet_until, read_window

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietWindow(from_="21:00", to="08:00")
MINUTE = 60_000


def at(moment: str, *, fold: int = 0, zone: ZoneInfo = BERLIN) -> int:
    return instant(zone, datetime.fromisoformat(moment).replace(fold=fold))


@pytest.mark.parametrize(
    ("windows", "now", "until"),
    [
        pytest.param([NIGHT], "2026-06-01T20:59", None, id="before"),
        pytest.param([NIGHT], "2026-06-01T21:00", "2026-06-02T08:00", id="at-its-beginning"),
        pytest.param([NIGHT], "2026-06-02T07:59", "2026-06-02T08:00", id="the-morning-after"),
        pytest.param([NIGHT], "2026-06-02T08:00", None, id="at-its-end"),
        pytest.param(
            [QuietWindow(days=("fri",), from_="21:00", to="08:00")], "2026-06-06T03:00", "2026-06-06T08:00",
            id="friday-night-lasts-into-saturday",
        ),
        pytest.param(
            [QuietWindow(days=("fri",), from_="21:00", to="08:00")], "2026-06-05T03:00", None,
            id="thursday-night-is-free",
        ),
        pytest.param(
            [NIGHT, QuietWindow(days=("sun",), from_="08:00", to="21:00")], "2026-06-06T22:00", "2026-06-08T08:00",
            id="windows-that-meet-are-one-rest",
        ),
        pytest.param([NIGHT], "2026-03-28T23:00", "2026-03-29T08:00", id="the-short-night"),
        pytest.param([NIGHT], "2026-10-24T23:00", "2026-10-25T08:00", id="the-long-night"),
        pytest.param(
            [QuietWindow(from_="00:00", to="02:30")], "2026-03-29T01:00", "2026-03-29T03:00",
            id="its-end-is-leapt-over",
        ),
        pytest.param([QuietWindow(from_="12:00", to="12:01")], "2026-06-01T12:00", "2026-06-01T12:01", id="a-minute"),
    ],
)  # fmt: skip
def test_until_when(windows: list[QuietWindow], now: str, until: str | None) -> None:
    """By the clock in Berlin."""
    expected = None if until is None else at(until)

    assert quiet_until(windows, BERLIN, at(now), is_new=False) == expected


def test_a_window_may_hold_back_new_conversations_only() -> None:
    """Answers go out at any time."""
    windows = [QuietWindow(from_="21:00", to="08:00", holds="new_conversations")]

    assert quiet_until(windows, BERLIN, at("2026-06-01T22:00"), is_new=False) is None
    assert quiet_until(windows, BERLIN, at("2026-06-01T22:00"), is_new=True) == at("2026-06-02T08:00")


clocks = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
windows = st.builds(
    QuietWindow,
    days=st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True).map(tuple),
    from_=clocks,
    to=clocks,
    holds=st.sampled_from(["all", "new_conversations"]),
)
zones = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
).map(ZoneInfo)
#: Half of them within two days of a change of clocks.
instants = st.one_of(
    st.integers(1_735_689_600_000, 1_830_297_600_000),
    st.builds(
        lambda change, minutes: change + minutes * MINUTE,
        st.sampled_from([1_774_746_000_000, 1_792_890_000_000, 1_772_953_200_000, 1_793_512_800_000]),
        st.integers(-2880, 2880),
    ),
)


@settings(deadline=None)
@given(found=st.lists(windows, min_size=1, max_size=3), zone=zones, now_ms=instants, is_new=st.booleans())
def test_the_end_is_the_first_free_minute(
    found: list[QuietWindow], zone: ZoneInfo, now_ms: int, *, is_new: bool
) -> None:
    """As counted minute by minute on the line's clock."""
    until = quiet_until(found, zone, now_ms, is_new=is_new)

    step = now_ms // MINUTE * MINUTE
    for _ in range(8 * 24 * 60):
        if not is_quiet(found, local(zone, max(step, now_ms)), is_new=is_new):
            break
        step += MINUTE
    else:
        assert until == now_ms + 7 * 24 * 60 * MINUTE
        assert not leaves_time(found)
        return
    assert until == (None if step <= now_ms else step)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([NIGHT], True),
        ([QuietWindow(from_="00:00", to="12:00"), QuietWindow(from_="12:00", to="00:00")], False),
        ([QuietWindow(from_="00:00", to="12:00"), QuietWindow(from_="12:00", to="23:59")], True),
        ([QuietWindow(from_="05:00", to="05:00")], False),
    ],
)
def test_some_minute_of_the_week_must_be_free(found: list[QuietWindow], *, expected: bool) -> None:
    """Quiet hours are no switch."""
    assert leaves_time(found) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("21:00-08:00", NIGHT),
        (
            "sat,sun 00:00-10:00 new_conversations",
            QuietWindow(days=("sat", "sun"), from_="00:00", to="10:00", holds="new_conversations"),
        ),
    ],
)
def test_a_window_can_be_written_in_a_line(text: str, expected: QuietWindow) -> None:
    """As settings have it."""
    assert read_window(text) == expected


@pytest.mark.parametrize(
    "text", ["", "21-8", "24:00-08:00", "sat, sun 10:00-11:00", "fre 10:00-11:00", "10:00-11:00 x"]
)
def test_another_form_is_refused(text: str) -> None:
    """With the form that is accepted."""
    with pytest.raises(ValueError, match="HH:MM"):
        read_window(text)
