"""Drives the runs of this worker's shards, and looks at events while it owns the first shard.

Losing a wake-up only delays: the sweep looks, too. Not here: what a run does (hub.flow.routing).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from hub.flow.batching import Batcher
from hub.flow.event_store import Event, EventFilter, Events
from hub.flow.feed import CutOff, Feed, FeedOver
from hub.flow.follow import follow_from
from hub.flow.ports import Clock
from hub.flow.route_store import RunCommit, Runs
from hub.flow.routing.driving import Driver, RunLost
from hub.flow.routing.moments import Moments
from hub.flow.routing.triage import PAGE, TriageLost, Triages
from hub.model.run import Decided, Run
from hub.worker.connection_rounds import ConnectionRounds

log = structlog.get_logger("runs")

#: Whose owner looks at events: one of all workers.
TRIAGE_SHARD: Final = 0
#: Runs that are recorded in one transaction.
MOST_COMMITS: Final = 100
_REST_SECONDS: Final = 1.0
#: Between two looks for runs that are due: many that end or begin meanwhile cost one look.
_GATHER_SECONDS: Final = 0.005
#: A schedule that was added is noticed after this time.
_LOOK_SECONDS: Final = 5.0


class RunRounds:
    """Takes runs whose time has come, so many at once."""

    def __init__(self, *, runs: Runs, driver: Driver, clock: Clock, most_at_once: int) -> None:
        self._runs = runs
        self._driver = driver
        self._clock = clock
        self._most_at_once = most_at_once
        self._shards: frozenset[int] = frozenset()
        self._in_hand: dict[int, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._is_draining = False

    @property
    def in_hand(self) -> int:
        return len(self._in_hand)

    def own(self, shards: Iterable[int]) -> None:
        """Take the runs of these shards from now on, and no others."""
        self._shards = frozenset(shards)
        self.wake()

    def wake(self) -> None:
        """There may be a run whose time has come."""
        self._woken.set()

    async def run(self) -> None:
        """Go round for ever."""
        while True:
            await self._rest(await self._round())
            await asyncio.sleep(_GATHER_SECONDS)

    async def drain(self) -> None:
        """Take no more, and let those in hand come to where they can be left."""
        self._is_draining = True
        if self._in_hand:
            await asyncio.wait(self._in_hand.values())

    async def stop(self) -> None:
        """Leave those in hand where they are; what must not be repeated is on record as begun."""
        self._is_draining = True
        for task in self._in_hand.values():
            task.cancel()
        await self.drain()

    async def _round(self) -> float | None:
        """Begin what is due; give the seconds until something else is."""
        self._woken.clear()
        free = self._most_at_once - len(self._in_hand)
        if self._is_draining or not free or not self._shards:
            return None
        try:
            now_ms = self._clock.now_ms()
            due = await self._runs.due(self._shards, now=now_ms, without=self._in_hand.keys(), limit=free)
            next_at = await self._runs.next_due_at(self._shards, after=now_ms)
        except Exception as error:
            log.warning("runs.unread", error=str(error), reason="they are looked at again")
            return _REST_SECONDS
        for run in due:
            self._begin(run)
        return None if next_at is None else max(0.0, (next_at - now_ms) / 1000)

    def _begin(self, run: Run) -> None:
        self._in_hand[run.id] = asyncio.get_running_loop().create_task(self._drive(run))

    async def _drive(self, run: Run) -> None:
        try:
            await self._driver.drive(run, is_ours=lambda: run.shard in self._shards and not self._is_draining)
        except RunLost:
            log.warning("run.lost", run_id=run.id, reason="it is not there any more")
        except Exception:
            log.exception("run.broken", run_id=run.id)
            await asyncio.sleep(_REST_SECONDS)
        finally:
            del self._in_hand[run.id]
            self.wake()

    async def _rest(self, seconds: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()


class TriageRounds:
    """Looks at events as they come, while this worker owns the first shard."""

    def __init__(
        self, *, triages: Triages, feed: Feed, events: Events, on_decided: Callable[[list[Decided]], None]
    ) -> None:
        self._triages = triages
        self._feed = feed
        self._events = events
        self._on_decided = on_decided
        self._is_ours = asyncio.Event()
        self._woken = asyncio.Event()

    def own(self, shards: Iterable[int]) -> None:
        """Look, or leave it to the worker that owns the first shard."""
        if TRIAGE_SHARD in shards:
            self._is_ours.set()
        else:
            self._is_ours.clear()

    def wake(self) -> None:
        """Routes changed."""
        self._woken.set()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._is_ours.wait()
            self._woken.clear()
            try:
                position, types = await self._triages.position(), await self._triages.types()
                if types:
                    await self._follow(position, types)
                else:
                    await self._rest()
            except (CutOff, FeedOver, TriageLost):
                await asyncio.sleep(0)  # look again from where everybody is
            except Exception as error:
                log.warning("triage.failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(_REST_SECONDS)

    async def _follow(self, position: int, types: frozenset[str]) -> None:
        """Decide for events of these types as they are recorded; return when others are wanted.

        What nobody wanted is passed over for good before long: contacts and routes change, and what happened before
        must not be looked at with them, by whoever goes on from here. Where more is wanted by now, nothing of what came
        last is passed over: a run may have begun to listen before it.
        """
        loop = asyncio.get_running_loop()
        passed_at = loop.time()
        wanted = EventFilter(types=types)
        following = follow_from(self._feed, self._events, wanted, after=position, beat_seconds=_REST_SECONDS)
        async with contextlib.aclosing(following):
            async for progress in following:
                wanted_now = await self._triages.types()
                if wanted_now - types:
                    return
                events = [each for each in progress.told if isinstance(each, Event)]
                for start in range(0, len(events), PAGE):
                    some = events[start : start + PAGE]
                    decided, position = await self._triages.decide(some, before=position)
                    if decided:
                        self._on_decided(decided)
                is_leaving = not self._is_ours.is_set() or wanted_now != types
                is_due = is_leaving or loop.time() - passed_at >= _REST_SECONDS
                if is_due and progress.position > position:
                    position = await self._triages.pass_over(before=position, position=progress.position)
                    passed_at = loop.time()
                if is_leaving:
                    return

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                await self._woken.wait()


class MomentRounds:
    """Starts routes at their moments, while this worker owns the first shard."""

    def __init__(
        self, *, moments: Moments, clock: Clock, on_decided: Callable[[list[Decided]], None]
    ) -> None:
        self._moments = moments
        self._clock = clock
        self._on_decided = on_decided
        self._is_ours = asyncio.Event()

    def own(self, shards: Iterable[int]) -> None:
        """Look at the clock, or leave it to the worker that owns the first shard."""
        if TRIAGE_SHARD in shards:
            self._is_ours.set()
        else:
            self._is_ours.clear()

    async def run(self) -> None:
        """Look for ever: at each moment, and often enough to notice new schedules."""
        while True:
            await self._is_ours.wait()
            seconds = _LOOK_SECONDS
            try:
                decided = await self._moments.fire()
                if decided:
                    self._on_decided(decided)
                next_at = self._moments.next_at()
                if next_at is not None:
                    seconds = min(seconds, max(0.0, (next_at - self._clock.now_ms()) / 1000))
            except Exception as error:
                log.warning("schedules.failed", error=str(error) or type(error).__name__)
            await asyncio.sleep(seconds)


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteRounds:
    """All that a worker does for routes."""

    runs: RunRounds
    triage: TriageRounds
    moments: MomentRounds
    connections: ConnectionRounds

    def own(self, shards: Iterable[int]) -> None:
        """Work on these shards from now on, and no others."""
        for part in (self.runs, self.triage, self.moments, self.connections):
            part.own(shards)


def committing(runs: Runs) -> Callable[[RunCommit], Awaitable[bool]]:
    """Give a way to record runs many at a time."""

    async def process(commits: Iterable[RunCommit]) -> list[bool]:
        some = list(commits)
        kept = await runs.commit(some)
        return [each.run.id in kept for each in some]

    batcher: Batcher[RunCommit, bool] = Batcher(process, most_items=MOST_COMMITS)
    return batcher.submit
