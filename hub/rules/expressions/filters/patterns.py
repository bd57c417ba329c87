"""Regular expressions by RE2: linear in the text, bounded in memory. The only place that knows it."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]  # google-re2 ships no types; `Pattern` says what we use

from hub.rules.expressions.limits import LONGEST_PATTERN, MOST_PATTERN_BYTES
from hub.rules.expressions.problems import Refused


class Found(Protocol):
    """What fits."""

    def group(self, group: int) -> str | None: ...


class Pattern(Protocol):
    """A compiled pattern, as far as we use it."""

    @property
    def groups(self) -> int: ...

    def search(self, text: str) -> Found | None: ...


def search(pattern: Pattern, text: str) -> Found | None:
    """Give the first place that fits, or None; None too for a text that RE2 cannot take, with halves of characters."""
    try:
        return pattern.search(text)
    except (re2.error, UnicodeError):
        return None


def compiled_pattern(pattern: str) -> Pattern:
    """Give the compiled pattern, or refuse it."""
    if len(pattern) > LONGEST_PATTERN:
        raise Refused(
            what=f"this pattern has {len(pattern)} characters",
            why=f"a pattern may have {LONGEST_PATTERN}",
            fix="Write a shorter one, or several",
        )
    return _compiled(pattern)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> Pattern:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MOST_PATTERN_BYTES
    try:
        return cast(Pattern, re2.compile(pattern, options))
    except re2.error as error:
        said = error.args[0].decode(errors="replace") if error.args else "it cannot be read"
        raise Refused(
            what=f"'{pattern[:40]}' is no regular expression that can be used here",
            why=said,
            fix=r"Write it in the syntax of RE2, without look-around (?=…) and back-references \1",
        ) from None
