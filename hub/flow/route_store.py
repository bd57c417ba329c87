"""Routes and their runs as the use cases keep and read them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from hub.model.run import Decided, KeptRoute, Revision, Run, RunState, RunTally, RunWish, Triage
from hub.rules.runs.results import StepResult


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteChange:
    """A route that is new, or whose canonical form is."""

    id: str
    origin: str
    revision_id: int
    source: str
    file: str | None
    line: int | None


class Adding(Enum):
    """What became of a route that was to stand beside the others."""

    DONE = auto()
    #: Another one stands under its id.
    TAKEN = auto()
    #: As many of its origin stand as may.
    FULL = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class RunWait:
    """A run that listens."""

    run_id: int
    route_id: str
    path: str
    #: The revision whose route says what it listens for: that of the run.
    revision_id: int
    version: int
    facts: str
    #: As recorded.
    result: StepResult


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitNote:
    """What a run listens for from now on."""

    path: str
    event_types: tuple[str, ...]
    #: A chat, a person, or 0 for anywhere (hub.rules.runs.listening).
    place: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """An event for which a run waited."""

    run_id: int
    version: int
    results: tuple[StepResult, ...]


class ArrivalLost(Exception):
    """A run changed between the look for what waits and the decision: nothing was decided; look again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunCommit:
    """What became of a run; nothing of it counts if somebody else changed the run meanwhile."""

    run: Run
    #: The run as it was read; its version must still be that.
    version: int
    changes: tuple[StepResult, ...]
    #: All that it listens for now; None: as before.
    waits: tuple[WaitNote, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EventDecision:
    """What an event starts."""

    triage: Triage
    wishes: tuple[RunWish, ...]
    arrivals: tuple[Arrival, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFilter:
    """Which runs; None does not restrict."""

    route_id: str | None = None
    state: RunState | None = None
    event_id: int | None = None
    #: Both included.
    first_id: int | None = None
    last_id: int | None = None
    #: Only those that no other run has taken up again.
    is_not_replayed: bool = False


class Routes(Protocol):
    """Routes, their revisions, and how far events were looked at."""

    async def version(self) -> int:
        """Give a number that rises with each change of the routes."""
        ...

    async def current(self) -> list[KeptRoute]:
        """Give the routes that are not retired."""
        ...

    async def all(self) -> list[KeptRoute]:
        """Give the routes, those that are retired included."""
        ...

    async def get(self, route_id: str) -> KeptRoute | None: ...
    async def revisions(self, route_id: str, *, limit: int) -> list[Revision]:
        """Give the revisions of a route, the newest first."""
        ...

    async def standing_at(self, at_ms: int) -> list[Revision]:
        """Give the revision of each route that was the newest at an instant; of routes that came later, none."""
        ...

    async def sources(self, revision_ids: Collection[int]) -> Mapping[int, str]:
        """Give revisions by their ids."""
        ...

    async def install(
        self, origin: str, changed: Sequence[RouteChange], *, keep: Collection[str], now: int
    ) -> None:
        """Let an origin's routes stand at these revisions, and retire all others of the origin, in one step.

        Args:
            origin: Only routes of this origin are touched.
            changed: New ones and changed ones.
            keep: The ids that stay as they are.
            now: Unix ms.
        """
        ...

    async def add(self, change: RouteChange, *, most: int, now: int) -> Adding:
        """Let a route stand that did not, if fewer than `most` of its origin do, whoever adds at the same moment.

        `now` is Unix ms.
        """
        ...

    async def replace(self, change: RouteChange, *, now: int) -> bool:
        """Let a route stand at another revision; tell whether one of the same origin stood."""
        ...

    async def retire(self, route_id: str, *, origin: str, now: int) -> bool:
        """Let a route stand no more; tell whether one of the origin stood."""
        ...

    async def position(self) -> int:
        """Give the position up to which events were looked at."""
        ...

    async def skip_to(self, position: int) -> None:
        """Look at nothing up to here: there was nobody to look for."""
        ...

    async def decide(
        self, decisions: Sequence[EventDecision], *, before: int, position: int
    ) -> Sequence[Sequence[Decided]] | None:
        """Begin runs, end waits, keep what was decided, and go on to a position, in one step.

        Returns:
            What became of each wish; None if somebody else has gone on from `before`: nothing was done.

        Raises:
            ArrivalLost: As it says.
        """
        ...

    async def triage(self, event_id: int) -> Triage | None: ...


class Runs(Protocol):
    """Runs and the results of their steps."""

    async def begin(self, wish: RunWish, *, results: Sequence[StepResult] = ()) -> Decided:
        """Begin a run that no event started.

        Args:
            wish: What is wished for.
            results: What is over before it begins: it takes up another one again.
        """
        ...

    async def due(
        self, shards: Collection[int], *, now: int, without: Collection[int], limit: int
    ) -> list[Run]:
        """Give active runs whose time has come, the longest due first."""
        ...

    async def next_due_at(self, shards: Collection[int], *, after: int) -> int | None:
        """Give the next instant at which a run comes due."""
        ...

    async def results(self, run_ids: Collection[int]) -> dict[int, list[StepResult]]:
        """Give what is recorded, in the order in which it was first recorded."""
        ...

    async def commit(self, commits: Sequence[RunCommit]) -> set[int]:
        """Record what became of runs; a lane's next run takes its turn where one is over.

        Returns:
            The ids of those that had not been changed by somebody else.
        """
        ...

    async def awaited_types(self) -> frozenset[str]:
        """Give the event types that some run listens to."""
        ...

    async def waiting(self, event_type: str, places: Collection[int]) -> list[RunWait]: ...
    async def get(self, run_id: int) -> Run | None: ...
    async def page(
        self,
        wanted: RunFilter,
        *,
        before: int | None,
        limit: int,
        offset: int = 0,
        is_oldest_first: bool = False,
    ) -> list[Run]:
        """Give runs, the newest first unless asked otherwise.

        Args:
            wanted: Which.
            before: Only those with lesser ids.
            limit: How many at the most.
            offset: After so many.
            is_oldest_first: The other way round.
        """
        ...

    async def count(self, wanted: RunFilter) -> int:
        """Count runs."""
        ...

    async def some(self, run_ids: Collection[int]) -> Mapping[int, Run]:
        """Give runs by their ids."""
        ...

    async def replays(self, run_id: int) -> list[int]:
        """Give the ids of the runs that took a run up again, the oldest first."""
        ...

    async def cancel(self, run_id: int, *, reason: str, now: int) -> Run | None:
        """Cancel a run that is not over; None if it is, or is not there."""
        ...

    async def tally(self, route_ids: Collection[str]) -> Mapping[str, Mapping[RunState, RunTally]]:
        """Count the runs of routes by how they stand."""
        ...

    async def standing(self) -> Mapping[RunState, int]:
        """Count the runs that are not over."""
        ...


class RunRetention(Protocol):
    """Forgets runs."""

    async def drop_payloads(self, route_id: str, *, before_ms: int, limit: int) -> int:
        """Forget what runs of a route knew that were over before an instant; that they were stays."""
        ...

    async def drop_runs(self, route_id: str, *, before_ms: int, limit: int) -> int:
        """Delete runs of a route that were over before an instant, with their steps."""
        ...

    async def drop_revisions(self, *, before_ms: int) -> int:
        """Delete revisions that were superseded before an instant, and routes retired before, which no run has."""
        ...
