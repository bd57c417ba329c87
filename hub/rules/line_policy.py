"""Resolve what holds for a line: its own settings over those of the hub, and check settings that somebody wants.

The sandbox is a playground: no budget, no rest and no warning unless the line itself asks for it, and what its
contacts say stays there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from hub.model.line_safety import LineSafety, SafetyPolicy
from hub.rules.consent import folded
from hub.rules.local_time import find_zone
from hub.rules.problems import Problem
from hub.rules.quiet_hours import leaves_time

#: Lists that a line adds to; all other settings replace the hub's.
_ADDED: Final = ("stop_words", "start_words", "help_words")
#: Settings that no rule asks for: the worker reads them where it paces.
_ELSEWHERE: Final = frozenset({"jitter_ratio"})
_UTC: Final = ZoneInfo("UTC")


def sandbox_defaults(defaults: SafetyPolicy) -> SafetyPolicy:
    """What holds for the lines of a simulated network."""
    return replace(
        defaults,
        consent_scope="line",
        new_conversations_per_hour=0,
        new_conversations_per_day=0,
        warm_up_per_day=(),
        messages_per_day=0,
        quiet_hours=(),
        unanswered_warning=0,
        ratio_warning=0.0,
        failed_warning=0.0,
        undelivered_warning=0.0,
    )


@lru_cache(maxsize=4096)
def resolve(defaults: SafetyPolicy, own: LineSafety) -> SafetyPolicy:
    """Give the policy of a line."""
    changes = {
        name: value
        for name, value in msgspec.structs.asdict(own).items()
        if value is not None and name not in _ELSEWHERE
    }
    for name in _ADDED:
        if name in changes:
            changes[name] = (*getattr(defaults, name), *changes[name])
    return replace(defaults, **changes)


def zone_of(policy: SafetyPolicy) -> ZoneInfo:
    """The line's time zone; UTC if this machine no longer knows it."""
    return find_zone(policy.time_zone) or _UTC


def find_problem(policy: SafetyPolicy) -> Problem | None:
    """Say what is wrong with a policy beyond the form of its values, at the name of the setting."""
    if find_zone(policy.time_zone) is None:
        return Problem(
            pointer="time_zone",
            what=f"'{policy.time_zone}' is not a time zone",
            why="zones have the names of the IANA database",
            fix="Write for instance Europe/Berlin, America/New_York or UTC",
        )
    return _word_problem(policy) or _quiet_problem(policy)


def _word_problem(policy: SafetyPolicy) -> Problem | None:
    seen: dict[str, str] = {}
    for name in _ADDED:
        for word in getattr(policy, name):
            key = folded(word)
            if not key:
                return _bad_word(name, word, "nothing is left of it without punctuation", "Write a word")
            if seen.setdefault(key, name) != name:
                return _bad_word(
                    name, word, f"it stands among the {seen[key]} too", "Leave it out of one of the lists"
                )
    if policy.help_reply is not None and folded(policy.help_reply) in seen:
        why = "two hubs would answer each other for ever"
        return Problem(pointer="help_reply", what="it is a keyword itself", why=why, fix="Write a sentence")
    return None


def _bad_word(name: str, word: str, why: str, fix: str) -> Problem:
    return Problem(pointer=name, what=f"'{word}' cannot be a keyword", why=why, fix=fix)


def _quiet_problem(policy: SafetyPolicy) -> Problem | None:
    for number, window in enumerate(policy.quiet_hours):
        if window.from_ == window.to:
            return Problem(
                pointer=f"quiet_hours[{number}].to",
                what="it is the same as `from`",
                why="that is either no time or the whole day",
                fix="Write two times that differ",
            )
    if not leaves_time(policy.quiet_hours):
        return Problem(
            pointer="quiet_hours",
            what="no minute of the week is left",
            why="nothing could ever be sent",
            fix='Switch the line off instead: {"is_active": false}',
        )
    return None
