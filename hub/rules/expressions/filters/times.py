"""Filters for times. A time is text of ISO 8601 with a zone or offset, or a number of Unix seconds or milliseconds."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from hub.rules.expressions.frame import Frame
from hub.rules.expressions.offered import NULL, NUMBER, TEXT, Example, Filter, Parameter, table
from hub.rules.expressions.problems import Refused
from hub.rules.expressions.values import described, legible
from hub.rules.local_time import find_zone
from hub.rules.problems import suggestion

#: Numbers below are seconds (until the year 5138), from here on milliseconds (since 1973).
_FIRST_MILLISECONDS: Final = 100_000_000_000
#: More than the calendar has.
_LAST_MILLISECONDS: Final = 10**15
_LONGEST_TIME: Final = 40
_LONGEST_FORMAT: Final = 200
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_HALF: Final = 12

#: The letters after %, and what they write. English, whatever the machine's language.
_FORMS: Final[dict[str, Callable[[datetime], str]]] = {
    "%": lambda at: "%",
    "A": lambda at: _DAYS[at.weekday()],
    "B": lambda at: _MONTHS[at.month - 1],
    "H": lambda at: f"{at.hour:02}",
    "I": lambda at: f"{at.hour % _HALF or _HALF:02}",
    "M": lambda at: f"{at.minute:02}",
    "S": lambda at: f"{at.second:02}",
    "Y": lambda at: f"{at.year:04}",
    "Z": lambda at: at.tzname() or "",
    "a": lambda at: _DAYS[at.weekday()][:3],
    "b": lambda at: _MONTHS[at.month - 1][:3],
    "d": lambda at: f"{at.day:02}",
    "f": lambda at: f"{at.microsecond // 1000:03}",
    "j": lambda at: f"{at.timetuple().tm_yday:03}",
    "m": lambda at: f"{at.month:02}",
    "p": lambda at: "AM" if at.hour < _HALF else "PM",
    "s": lambda at: str(int(at.timestamp())),
    "u": lambda at: str(at.isoweekday()),
    "y": lambda at: f"{at.year % 100:02}",
    "z": lambda at: at.strftime("%z"),
    "-H": lambda at: str(at.hour),
    "-I": lambda at: str(at.hour % _HALF or _HALF),
    "-d": lambda at: str(at.day),
    "-m": lambda at: str(at.month),
}
_DIRECTIVE: Final = re.compile(r"%(-?.|$)", re.DOTALL)
_SPAN: Final = re.compile(r"([+-])((?:[0-9]{1,6}(?:ms|[smhdw]))+)", re.ASCII)
_PART: Final = re.compile(r"([0-9]{1,6})(ms|[smhdw])", re.ASCII)
_EXACT: Final = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours"}


def format_date(frame: Frame, value: str | float, form: str, timezone: str | None) -> str:
    check_format(form)
    zone = known_zone(timezone or frame.surroundings.timezone)
    moment = read_time(value, zone).astimezone(zone)
    return _DIRECTIVE.sub(lambda found: _FORMS[found[1]](moment), form)


def shift(frame: Frame, value: str | float, span: str, timezone: str | None) -> str | int:
    sign, days, exact = read_span(span)
    zone = known_zone(timezone or frame.surroundings.timezone)
    try:
        local = read_time(value, zone).astimezone(zone) + sign * days
        moved = local.astimezone(UTC) + sign * exact
    except OverflowError:
        raise _beyond() from None
    if isinstance(value, str):
        return moved.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    milliseconds = round(moved.timestamp() * 1000)
    return milliseconds if abs(value) >= _FIRST_MILLISECONDS else milliseconds // 1000


def read_time(value: str | float, zone: ZoneInfo) -> datetime:
    """Give the instant that a value tells; a date alone is its midnight in the zone."""
    if isinstance(value, (int, float)):
        if abs(value) > _LAST_MILLISECONDS:
            raise _beyond()
        seconds = value / 1000 if abs(value) >= _FIRST_MILLISECONDS else value
        try:
            return datetime.fromtimestamp(seconds, UTC)
        except (OverflowError, ValueError, OSError):
            raise _beyond() from None
    try:
        moment = datetime.fromisoformat(_short(value))
    except ValueError:
        raise Refused(
            what=f"{described(value)} is no time",
            why="a time is text such as 2026-08-04T22:10:00Z, or Unix seconds or milliseconds",
            fix="Bring it into that form, for instance with regex_find and ~",
        ) from None
    if moment.tzinfo is None and _is_date(value):
        return moment.replace(tzinfo=zone)
    if moment.tzinfo is None:
        raise Refused(
            what=f"{described(value)} does not say in which time zone it is",
            why="the hour alone is another instant in each zone",
            fix="Put Z (for UTC) or an offset after it: (… ~ 'Z') | date",
        )
    return moment


def _short(value: str) -> str:
    text = value.strip()
    if len(text) > _LONGEST_TIME:
        raise ValueError("longer than any time")
    return text


def _is_date(value: str) -> bool:
    try:
        date.fromisoformat(value.strip())
    except ValueError:
        return False
    return True


def _beyond() -> Refused:
    return Refused(
        what="this time is outside of the calendar",
        why="years go from 1 to 9999",
        fix="Check whether it is seconds or milliseconds",
    )


def known_zone(name: str) -> ZoneInfo:
    """Give a time zone, or refuse its name."""
    zone = find_zone(name)
    if zone is not None:
        return zone
    known = {each.lower(): each for each in available_timezones()}
    meant = suggestion(name, known)
    raise Refused(
        what=f"'{legible(name)}' is no time zone",
        why="zones have the names of the IANA database",
        fix=f"Did you mean {known[meant]}" if meant else "Write for instance Europe/Berlin or UTC",
    )


def check_format(form: str) -> None:
    """Refuse a form of dates that has unknown letters."""
    unknown = [found[1] for found in _DIRECTIVE.finditer(form) if found[1] not in _FORMS]
    if unknown or len(form) > _LONGEST_FORMAT:
        what = f"%{legible(unknown[0])} means nothing" if unknown else "this form of dates is too long"
        raise Refused(
            what=what,
            why=f"known are {' '.join(f'%{each}' for each in _FORMS)}",
            fix="Write for instance '%Y-%m-%d %H:%M'",
        )


def read_span(span: str) -> tuple[int, timedelta, timedelta]:
    """Give the sign, the days and the rest of a span of time such as `+1d12h`."""
    found = _SPAN.fullmatch(span.replace(" ", "").lower()) if len(span) <= _LONGEST_TIME else None
    if found is None:
        raise Refused(
            what=f"'{legible(span)}' says not by how much to shift",
            why="it is a sign, numbers and units",
            fix="Write for instance '+2h', '-30m', '+1d12h' or '+2w'",
        )
    days, exact = timedelta(), timedelta()
    for number, unit in _PART.findall(found[2]):
        if unit in _EXACT:
            exact += timedelta(**{_EXACT[unit]: int(number)})
        else:
            days += timedelta(days=int(number) * (7 if unit == "w" else 1))
    return (1 if found[1] == "+" else -1), days, exact


_ZONE = Parameter(
    name="timezone",
    takes=TEXT | NULL,
    default=None,
    check=lambda name: None if name is None else known_zone(name),
)

FILTERS = table(
    Filter(
        name="date",
        summary="Writes a time by a clock: `%Y %y` year, `%m %-m %B %b` month, `%d %-d` day, `%A %a %u` weekday, `%H "
        "%-H %I %-I %p` hour, "
        "`%M` minute, `%S` second, `%f` milliseconds, `%j` day of the year, `%Z %z` zone, `%s` Unix seconds, "
        "`%%`. Names are English. "
        "The time is ISO 8601 with a zone, a date, or a number of Unix seconds (below 10^11) or milliseconds. "
        "Without a zone the route's `timezone` counts, else UTC.",
        takes=TEXT | NUMBER,
        gives=TEXT,
        apply=format_date,
        parameters=(Parameter(name="form", takes=TEXT, default="%Y-%m-%d", check=check_format), _ZONE),
        examples=(
            Example(expression="'2026-08-04T22:10:00Z' | date", gives="2026-08-04"),
            Example(
                expression="'2026-08-04T22:10:00Z' | date('%A, %-d %B, %H:%M %Z', 'Europe/Berlin')",
                gives="Wednesday, 5 August, 00:10 CEST",
            ),
            Example(expression="1785881400000 | date('%-I:%M %p', 'America/Los_Angeles')", gives="3:10 PM"),
        ),
    ),
    Filter(
        name="shift",
        summary="Moves a time by a span: `ms s m h d w`, with a sign. Days and weeks keep the hour by the clock of "
        "the zone, also when "
        "clocks change; the rest is exact. A number stays a number; text becomes UTC with milliseconds.",
        takes=TEXT | NUMBER,
        gives=TEXT | NUMBER,
        apply=shift,
        parameters=(Parameter(name="span", takes=TEXT, check=read_span), _ZONE),
        examples=(
            Example(expression="'2026-08-04T22:10:00Z' | shift('+2h')", gives="2026-08-05T00:10:00.000Z"),
            Example(
                expression="'2026-10-24T10:00:00Z' | shift('+1d', 'Europe/Berlin')",
                gives="2026-10-25T11:00:00.000Z",
            ),
            Example(expression="1785881400000 | shift('-10m')", gives=1785880800000),
        ),
    ),
)
