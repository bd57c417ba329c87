"""Read which event types a reader asks for: patterns between commas, as in `message.*,reaction.added`.

A reader may also ask for what is told live only, where it is told at all. Not here: what a webhook may ask for
(hub.rules.event_types), which is the stored types alone.
"""

from __future__ import annotations

from typing import Final

from hub.rules.event_types import EVENT_TYPES, EVERYTHING
from hub.rules.problems import Problem, suggestion

MOST_PATTERNS: Final = 50
#: About the hub itself, not about what people do on a line.
OPERATIONAL: Final = frozenset(each.name for each in EVENT_TYPES if each.name.startswith("webhook."))
STORED: Final = frozenset(each.name for each in EVENT_TYPES if each.is_subscribable)
LIVE: Final = frozenset(each.name for each in EVENT_TYPES) - STORED
_LONGEST_SHOWN: Final = 100


def _expansions() -> dict[str, frozenset[str]]:
    expansions: dict[str, frozenset[str]] = {EVERYTHING: STORED | LIVE}
    for name in STORED | LIVE:
        family = f"{name.partition('.')[0]}.*"
        expansions[name] = frozenset({name})
        expansions[family] = expansions.get(family, frozenset()) | {name}
    return expansions


_EXPANSIONS: Final = _expansions()
_FORM: Final = "Write types between commas, such as message.*,reaction.added"


def read_patterns(text: str, *, with_live: bool) -> frozenset[str] | Problem:
    """Give the types that patterns stand for.

    Args:
        text: Whole types, families (`message.*`) or `*`, between commas.
        with_live: Whether what is told live only may be asked for.
    """
    patterns = [part.strip() for part in text.split(",")]
    if len(patterns) > MOST_PATTERNS:
        return Problem(
            pointer="", what="there are too many patterns", why=f"{MOST_PATTERNS} are read", fix=_FORM
        )
    types: set[str] = set()
    for pattern in patterns:
        found = _EXPANSIONS.get(pattern)
        if found is None:
            return _unknown(pattern)
        if not with_live and found <= LIVE:
            return Problem(
                pointer="",
                what=f"{pattern!r} is never kept",
                why="such events are told live only",
                fix="Follow GET /v1/events/stream",
            )
        types |= found
    return frozenset(types if with_live else types - LIVE)


def _unknown(pattern: str) -> Problem:
    meant = suggestion(pattern, _EXPANSIONS)
    return Problem(
        pointer="",
        what=f"{pattern[:_LONGEST_SHOWN]!r} is no event type",
        why="no type or family has that name",
        fix=f"Did you mean {meant}" if meant else _FORM,
    )
