"""Read an HTTP-date (RFC 9110 §5.6.7) in its three forms.

Written here because the standard library's reader guesses: it takes any zone, any order and two-digit years
by another rule, and a receiver's header must not be read into something it did not say.
"""

import re
from datetime import UTC, datetime
from typing import Final

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMS: Final = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
        rf"[a-z]{{3}}, (?P<day>[0-9]{{2}}) (?P<month>[a-z]{{3}}) (?P<year>[0-9]{{4}}) {_TIME} (?:GMT|UTC)",
        # RFC 850: Sunday, 06-Nov-94 08:49:37 GMT
        rf"[a-z]{{6,9}}, (?P<day>[0-9]{{2}})-(?P<month>[a-z]{{3}})-(?P<year>[0-9]{{2}}) {_TIME} (?:GMT|UTC)",
        # asctime: Sun Nov  6 08:49:37 1994
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[ 0-9][0-9]) {_TIME} (?P<year>[0-9]{{4}})",
    )
)
_LEAP_SECOND: Final = 60


def parse_http_date(text: str, now_ms: int) -> int | None:
    """Return the instant in Unix ms, or None if `text` is none of the three forms or names no real day."""
    for form in _FORMS:
        match = form.fullmatch(text)
        if match is None:
            continue
        month = match["month"].lower()
        if month not in _MONTHS:
            return None
        second = int(match["second"])
        try:
            moment = datetime(
                _full_year(match["year"], now_ms),
                _MONTHS.index(month) + 1,
                int(match["day"]),
                int(match["hour"]),
                int(match["minute"]),
                min(second, 59) if second <= _LEAP_SECOND else second,
                tzinfo=UTC,
            )
        except ValueError:  # the 31st of February, 25 o'clock
            return None
        return (int(moment.timestamp()) + (second == _LEAP_SECOND)) * 1000
    return None


def _full_year(text: str, now_ms: int) -> int:
    """Two digits that seem more than 50 years ahead mean the past century (RFC 9110 §5.6.7)."""
    year = int(text)
    if len(text) == 4:
        return year
    this_year = datetime.fromtimestamp(now_ms / 1000, tz=UTC).year
    year += this_year - this_year % 100
    return year - 100 if year > this_year + 50 else year
