"""Read what starts a route: our events, those of sources, moments, a path of its own, or a person."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from hub.rules.event_types import expand_pattern, validate_pattern
from hub.rules.local_time import find_zone
from hub.rules.problems import Problem
from hub.rules.routes.document import Reading, at, shown
from hub.rules.routes.model import (
    EventTrigger,
    ManualTrigger,
    ScheduleTrigger,
    SourceTrigger,
    Trigger,
    WebhookTrigger,
)
from hub.rules.routes.schedules import next_fire

_PATH: Final = re.compile(r"[a-z0-9][a-z0-9_-]{7,127}", re.ASCII)
_FORMS: Final = ("source", "schedule", "webhook", "manual")
#: The fields of a schedule, with their ranges.
_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
#: 2024-01-01: a leap year.
_ANY_TIME_MS: Final = 1_704_067_200_000
_FIELD: Final = re.compile(r"(\*|\d{1,2}(?:-\d{1,2})?)(?:/(\d{1,2}))?", re.ASCII)


def read_triggers(
    reading: Reading, value: object, pointer: str, *, timezone: str | None
) -> tuple[Trigger, ...]:
    """Read `trigger`: one, or a list of which each is enough."""
    items = value if isinstance(value, list) else [value]
    names = [each for each in items if isinstance(each, str)]
    found: list[Trigger] = []
    if names:
        found.append(_events(reading, items, pointer, is_list=isinstance(value, list)))
    for index, each in enumerate(items):
        if isinstance(each, str):
            continue
        here = at(pointer, index) if isinstance(value, list) else pointer
        trigger = _other(reading, each, here, timezone=timezone)
        if trigger is not None:
            found.append(trigger)
    return tuple(found)


def read_waited(reading: Reading, value: object, pointer: str) -> Trigger | None:
    """Read what a `wait_for` waits for: an event of ours or of a source."""
    if isinstance(value, Mapping) and "source" not in value:
        what, why = "this cannot be waited for", "events of the hub and of sources can"
        reading.refuse(pointer, what, why, "Write trigger: message.received")
        return None
    found = read_triggers(reading, value, pointer, timezone=None)
    return found[0] if found else None


def _events(reading: Reading, items: list[Any], pointer: str, *, is_list: bool) -> EventTrigger:
    patterns: list[str] = []
    for index, each in enumerate(items):
        if not isinstance(each, str):
            continue
        kept = validate_pattern(each)
        if isinstance(kept, Problem):
            here = at(pointer, index) if is_list else pointer
            reading.refuse(here, kept.what.replace("subscribed to", "a trigger"), kept.why, kept.fix)
        elif expand_pattern(kept):
            patterns.append(kept)
    return EventTrigger(patterns=tuple(dict.fromkeys(patterns)))


def _other(reading: Reading, value: object, pointer: str, *, timezone: str | None) -> Trigger | None:
    if not isinstance(value, Mapping) or sum(form in value for form in _FORMS) != 1:
        why = "it is an event's name, or a map with source, schedule, webhook or manual"
        fix = "Write trigger: message.received"
        reading.refuse(pointer, f"`trigger` is {shown(value)}", why, fix)
        return None
    if "source" in value:
        return _source(reading, value, pointer)
    if "schedule" in value:
        return _schedule(reading, value, pointer, timezone=timezone)
    if "webhook" in value:
        reading.map(value, pointer, noun="a webhook trigger", keys=("webhook",))
        path = value["webhook"]
        if not isinstance(path, str) or not _PATH.fullmatch(path):
            why = "it is 8 to 128 small letters, digits, - and _, so that nobody guesses it"
            reading.refuse(
                at(pointer, "webhook"), f"`webhook` is {shown(path)}", why, "Write a long, odd word"
            )
            return None
        return WebhookTrigger(path=path)
    reading.map(value, pointer, noun="a manual trigger", keys=("manual",))
    if value["manual"] is not True:
        fix = "Write manual: true"
        reading.refuse(at(pointer, "manual"), f"`manual` is {shown(value['manual'])}", "it is true", fix)
    return ManualTrigger()


def _source(reading: Reading, value: Mapping[Any, Any], pointer: str) -> SourceTrigger | None:
    reading.map(value, pointer, noun="a source trigger", keys=("source", "event"))
    name = reading.slug(value["source"], at(pointer, "source"), noun="`source`")
    here, written = at(pointer, "event"), value.get("event")
    events = reading.texts(written, here, noun="`event`")
    for place, each in enumerate(events):
        if each == "*" or "*" in each[:-1]:
            why = "a * stands at the end, for whatever follows"
            fix = "Take `event` away for all" if each.strip("*") == "" else "Write it like invoice.*"
            reading.refuse(
                at(here, place) if isinstance(written, list) else here, f"`event` is {shown(each)}", why, fix
            )
    return None if name is None else SourceTrigger(source=name, events=events, pointer=pointer)


def _schedule(
    reading: Reading, value: Mapping[Any, Any], pointer: str, *, timezone: str | None
) -> ScheduleTrigger | None:
    reading.map(value, pointer, noun="a schedule", keys=("schedule", "timezone"))
    here, written = at(pointer, "schedule"), value["schedule"]
    fault = schedule_fault(written)
    if fault is not None:
        fix = 'Write "0 9 * * 1-5" for nine o\'clock on working days'
        reading.refuse(here, f"`schedule` is {shown(written)}", fault, fix)
    zone = value.get("timezone", timezone)
    if not isinstance(zone, str) or find_zone(zone) is None:
        why = "it names no time zone" if zone is None else f"{shown(zone)} is no time zone"
        reading.refuse(pointer, "a schedule needs a time zone", why, "Write timezone: Europe/Berlin")
        return None
    return (
        None if fault is not None else ScheduleTrigger(schedule=" ".join(str(written).split()), timezone=zone)
    )


def schedule_fault(written: object) -> str | None:
    """Say why a text is no schedule of five fields, or None."""
    if not isinstance(written, str):
        return "it is a text of five fields"
    fields = written.split()
    if len(fields) != len(_FIELDS):
        return f"it has five fields, minute hour day month weekday, not {len(fields)}"
    for text, (name, least, most) in zip(fields, _FIELDS, strict=True):
        for part in text.split(","):
            match = _FIELD.fullmatch(part)
            numbers = [int(number) for number in match[1].split("-")] if match and match[1] != "*" else []
            is_right = match is not None and all(least <= number <= most for number in numbers)
            is_step = match is None or match[2] is None or 1 <= int(match[2]) <= most
            if not is_right or not is_step or (len(numbers) == 2 and numbers[0] > numbers[1]):
                sunday = " (0 and 7 are Sunday)" if name == "weekday" else ""
                return f"{part!r} is no {name}; it goes from {least} to {most}{sunday}"
    return None if next_fire(" ".join(fields), "UTC", _ANY_TIME_MS) is not None else "no year has such a day"
