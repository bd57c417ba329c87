"""Say whether a line rests, and until when. What the line's clock shows decides, so a night with a change of clocks
is as long as the clock makes it. What is due meanwhile is postponed to the end, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from hub.model.line_safety import DAYS, Day, QuietWindow
from hub.rules.local_time import instant, local

#: A window as text: `[days ]HH:MM-HH:MM[ new_conversations]`, days separated by commas.
WINDOW_FORM: Final = "[days ]HH:MM-HH:MM[ new_conversations], days among mon,tue,wed,thu,fri,sat,sun"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "|".join(DAYS)
WINDOW_PATTERN: Final = (
    rf"(?:(?P<days>(?:{_DAY})(?:,(?:{_DAY}))*) )?"
    rf"(?P<from>{_CLOCK})-(?P<to>{_CLOCK})(?P<new> new_conversations)?"
)

_MINUTE_MS = 60_000
_DAY_MINUTES = 24 * 60
_WEEK_MINUTES = 7 * _DAY_MINUTES


def read_window(text: str) -> QuietWindow:
    """Read a window from text.

    Raises:
        ValueError: It has not that form.
    """
    found = re.fullmatch(WINDOW_PATTERN, text)
    if found is None:
        raise ValueError(f"'{text}' is not of the form {WINDOW_FORM}")
    days = found["days"]
    return QuietWindow(
        days=msgspec.convert(days.split(","), tuple[Day, ...]) if days else DAYS,
        from_=found["from"],
        to=found["to"],
        holds="new_conversations" if found["new"] else "all",
    )


def is_quiet(windows: Sequence[QuietWindow], moment: datetime, *, is_new: bool) -> bool:
    """Tell whether a line rests when its clock shows this.

    Args:
        windows: The line's quiet hours.
        moment: By the line's clock.
        is_new: Whether what is to be sent would open a conversation.
    """
    minute, weekday = moment.hour * 60 + moment.minute, moment.weekday()
    return any(_covers(window, weekday, minute) for window in windows if is_new or window.holds == "all")


def quiet_until(windows: Sequence[QuietWindow], zone: ZoneInfo, now_ms: int, *, is_new: bool) -> int | None:
    """Give the first instant after now at which the line may send; None if it may now.

    Windows that follow one another are one rest. Of windows that leave no minute of the week free
    (`leaves_time` refuses them) a week is given.
    """
    if not windows or not is_quiet(windows, local(zone, now_ms), is_new=is_new):
        return None
    for end_ms in sorted(set(_ends(windows, zone, now_ms))):
        if end_ms > now_ms and not is_quiet(windows, local(zone, end_ms), is_new=is_new):
            return end_ms
    return now_ms + _WEEK_MINUTES * _MINUTE_MS


def leaves_time(windows: Sequence[QuietWindow]) -> bool:
    """Tell whether some minute of the week is free."""
    free = bytearray(b"\1") * _WEEK_MINUTES
    for window in windows:
        start, end = _minute(window.from_), _minute(window.to)
        length = (end - start) % _DAY_MINUTES or _DAY_MINUTES
        for day in window.days:
            first = DAYS.index(day) * _DAY_MINUTES + start
            for minute in range(first, first + length):
                free[minute % _WEEK_MINUTES] = 0
    return any(free)


def _covers(window: QuietWindow, weekday: int, minute: int) -> bool:
    start, end = _minute(window.from_), _minute(window.to)
    if start < end:
        return start <= minute < end and DAYS[weekday] in window.days
    return (minute >= start and DAYS[weekday] in window.days) or (
        minute < end and DAYS[weekday - 1] in window.days
    )


def _ends(windows: Sequence[QuietWindow], zone: ZoneInfo, now_ms: int) -> Iterator[int]:
    """Every instant of the coming week at which a window can end: at its time, or when the clock leaps over it."""
    midnight = local(zone, now_ms).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0, fold=0)
    for days in range(9):
        for window in windows:
            moment = midnight + timedelta(days=days, minutes=_minute(window.to))
            earlier, later = (instant(zone, moment.replace(fold=fold)) for fold in (1, 0))
            if earlier < later and local(zone, later).replace(tzinfo=None, fold=0) != moment:
                yield _leap(zone, earlier, later)
            else:
                yield from (earlier, later)


def _leap(zone: ZoneInfo, before_ms: int, after_ms: int) -> int:
    """Find the instant between two at which the clock was put forward, to the minute."""
    offset = local(zone, after_ms).utcoffset()
    while after_ms - before_ms > _MINUTE_MS:
        middle = (before_ms + after_ms) // 2 // _MINUTE_MS * _MINUTE_MS
        if local(zone, middle).utcoffset() == offset:
            after_ms = middle
        else:
            before_ms = middle
    return after_ms


def _minute(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
