"""What a run knows from its beginning, and what never changes while it lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hub.model.actions import ActionSpec
from hub.rules.routes.model import Route


class RevisionUnknown(Exception):
    """A revision that a run has named is not there, or this version of the hub cannot read it."""


class Callees(Protocol):
    """The routes that a run may call."""

    def newest(self, route_id: str) -> int | None:
        """Give the revision at which a route stands now; None if there is none that runs."""
        ...

    def route(self, revision: int) -> Route:
        """Give the route of a revision; every revision that an unfinished run has named is there.

        Raises:
            RevisionUnknown: It was written for another version of the hub.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """A run as it began."""

    #: `run_…`.
    id: str
    #: Where a person can look at it.
    url: str
    #: Unix ms.
    started_at: int
    #: As routes see it.
    event: Mapping[str, Any]
    #: All of a debounced run; else the one.
    events: tuple[Mapping[str, Any], ...]
    #: Of windows and dates that name none.
    timezone: str = "UTC"
    #: Of the person whom the event is about; None where nobody knows.
    contact_timezone: str | None = None
    env_name: str = ""
    #: How many runs the event stems from, this one included.
    hops: int = 1
    is_shadow: bool = False
    #: What keys of attempts are made of: the run's id, or that of the run that it takes up again.
    key_seed: str = ""
    #: What was handed to it by whoever started it by hand.
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What everything that runs has in common."""

    actions: Mapping[str, ActionSpec]
    callees: Callees
