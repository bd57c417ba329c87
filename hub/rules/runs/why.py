"""What a route can say to an event, in a word. How it comes to say so: hub.rules.runs.answering."""

from __future__ import annotations

from enum import StrEnum


class Why(StrEnum):
    """Why an event started a route, or did not."""

    BEGUN = "begun"
    #: It went into a run that had not begun yet, or that waited for it.
    JOINED = "joined"
    DEDUPE = "dedupe"
    THROTTLE = "throttle"
    CONCURRENCY = "concurrency"
    #: Its `if`, or one of its keys, has no value for this event.
    ERROR = "error"
    LOOP = "loop"
    #: A line of its `when` does not hold.
    WHEN = "when"
    IF = "if"
    #: A route before it has `stop_others`.
    STOPPED = "stopped"
    #: Another source's, or another event of the source.
    OTHER_SOURCE = "other_source"
    DISABLED = "disabled"
    INSTALLED_LATER = "installed_later"
    #: As things are known now it would start the route; nobody may have looked at it yet.
    NOT_YET = "not_yet"
    #: As things are known now it would start the route, and it did not then.
    CHANGED_SINCE = "changed_since"
