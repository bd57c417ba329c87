"""Routes as they are kept, and their runs: work that was begun because of an event, a moment or a person."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Literal


class RunState(IntEnum):
    """Where a run is."""

    #: Something of it is due at `next_at`: an attempt, the end of a delay, the end of waiting for an event.
    ACTIVE = 0
    #: Its turn comes when another run of its lane is over.
    PARKED = 1
    COMPLETED = 2
    FAILED = 3
    CANCELLED = 4


UNFINISHED = frozenset({RunState.ACTIVE, RunState.PARKED})


class RunVerdict(StrEnum):
    """What became of an event that a route wants."""

    BEGUN = "begun"
    #: Its event went into a run that had not begun yet, or that waited for it.
    JOINED = "joined"
    #: The same key had started a run.
    DEDUPE = "dedupe"
    THROTTLE = "throttle"
    CONCURRENCY = "concurrency"
    #: Its `if`, or one of its keys, has no value for this event.
    ERROR = "error"
    #: The event stems from too many runs: routes that trigger one another.
    LOOP = "loop"


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRoute:
    """A route, and which revision of it runs."""

    id: str
    #: Where it comes from: `files` or `api`.
    origin: str
    revision_id: int
    #: JSON: a document of this one route with its defaults.
    source: str
    #: The file, and the line where it begins; null for those of no file.
    file: str | None
    line: int | None
    #: Events at or below this position are not for this route: it came later.
    since_position: int
    changed_at: int
    #: Unix ms; set when it is in no file any more, or was deleted.
    retired_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run. Times are Unix ms."""

    id: int
    route_id: str
    revision_id: int
    #: None for what a moment or a person started.
    event_id: int | None
    state: RunState
    shard: int
    #: Runs of one lane take turns; None: of none.
    lane: int | None
    lane_limit: int
    next_at: int
    #: Rises with each change: who changes an older one has lost.
    version: int
    created_at: int
    finished_at: int | None
    #: JSON: what it knows from its beginning.
    facts: str
    is_shadow: bool
    hops: int
    #: Why it was stopped, or what failed.
    reason: str | None = None
    error_class: str | None = None
    failed_path: str | None = None
    warnings: int = 0
    #: The run that it takes up again.
    origin_run_id: int | None = None
    #: The run under whose keys its steps ask, where it takes up what failed of that one; None: under its own.
    key_run_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """The same key starts one run within a time."""

    key: bytes
    until_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttled:
    """So many runs of a key within a time."""

    key: bytes
    limit: int
    per_ms: int
    then: Literal["skip", "wait", "last"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gathered:
    """What comes in quick succession is one run."""

    key: bytes
    wait_ms: int
    max_ms: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunWish:
    """A run that a route wants for an event, and what may hold it back. Asked in this order."""

    run: Run
    #: JSON: the event, for a run that is joined.
    event: str
    once: Once | None = None
    throttled: Throttled | None = None
    gathered: Gathered | None = None
    #: When its lane is full.
    then: Literal["wait", "skip", "replace"] = "wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decided:
    """What became of one route's wish."""

    route_id: str
    revision_id: int
    verdict: RunVerdict
    run_id: int | None = None
    #: Of an error.
    reason: str | None = None
    #: Of what was joined because a run waited for the event: its step, by name or path.
    step: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Triage:
    """What was decided for an event, and what was known then: enough to work out again why."""

    event_id: int
    decided_at: int
    #: JSON: what routes see of the event beyond its data.
    context: str
    decided: tuple[Decided, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTally:
    """Runs of one route that stand alike."""

    count: int
    #: The newest of them.
    last_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A route as it was written from some time on."""

    id: int
    route_id: str
    created_at: int
