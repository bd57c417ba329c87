"""Follow what is recorded: one reader in each process, however many follow, and only while somebody does.

SQL is the truth: the reader goes on by position, so nothing is missed or told twice. A ring says that there may be
something new; without any, the reader looks by itself every half second. Signs of life pass through and are kept
nowhere. Not here: what came before somebody began to follow (hub.flow.follow).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final

import structlog

from hub.flow.event_store import Event, EventFilter, Events
from hub.model.live import LiveEvent

log = structlog.get_logger("feed")

SWEEP_SECONDS: Final = 0.5
#: Events in one read.
MOST_READ: Final = 500
EVERYTHING: Final = EventFilter()

Told = Event | LiveEvent


class CutOff(Exception):
    """The follower took too little: more waited for it than may wait."""


class FeedOver(Exception):
    """The process is about to stop."""


class Follower:
    """One who follows. What it does not take waits, up to a bound."""

    def __init__(self, wanted: EventFilter, *, most_waiting: int) -> None:
        self.wanted = wanted
        #: What is at or below this position is not told here.
        self.start = 0
        #: Everything up to this position has been offered, and nothing of it was left out for want of room.
        self.position = 0
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._most_waiting = most_waiting
        self._waiting: list[Told] = []
        self._stirred = asyncio.Event()
        self._end: Exception | None = None

    def offer(self, told: Told) -> None:
        """Let it wait to be taken; a sign of life for which there is no room is over anyway."""
        if self._end is not None or not self.wanted.fits(told.type, told.line_id, told.chat_id):
            return
        if len(self._waiting) < self._most_waiting:
            self._waiting.append(told)
            self._stirred.set()
        elif isinstance(told, Event):
            self.end(CutOff())

    def reach(self, position: int) -> None:
        """Everything up to here was offered."""
        if self._end is None:
            self.position = max(self.position, position)

    def end(self, why: Exception) -> None:
        """Tell nothing any more; what waits can still be taken."""
        self._end = self._end or why
        self._stirred.set()

    async def take(self, seconds: float) -> list[Told]:
        """Take what waits, or what comes within this time.

        Raises:
            CutOff: Nothing waits any more, and nothing will come.
            FeedOver: The same.
        """
        if not self._stirred.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._stirred.wait()
        taken, self._waiting = self._waiting, []
        if self._end is None:
            self._stirred.clear()
        elif not taken:
            raise self._end
        return taken


class Feed:
    """Reads for all who follow in this process.

    Args:
        events: What is recorded.
        most_waiting: Events that may wait for one follower.
        sweep_seconds: How often to look when nothing rings.
    """

    def __init__(self, events: Events, *, most_waiting: int, sweep_seconds: float = SWEEP_SECONDS) -> None:
        self._events = events
        self._most_waiting = most_waiting
        self._sweep_seconds = sweep_seconds
        self._joining: list[Follower] = []
        self._followers: list[Follower] = []
        self._position: int | None = None
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._is_closed = False
        #: Told when the first comes and when the last has gone.
        self.on_followed: Callable[[bool], None] = lambda is_followed: None

    @property
    def follower_count(self) -> int:
        return len(self._followers) + len(self._joining)

    def ring(self) -> None:
        """There may be something new. Costs nothing while nobody follows."""
        self._rung.set()

    def tell(self, event: LiveEvent) -> None:
        """Pass a sign of life on."""
        for follower in self._followers:
            follower.offer(event)

    def close(self) -> None:
        """End everybody's following, at once and from now on: the process is about to stop."""
        self._is_closed = True
        for follower in (*self._followers, *self._joining):
            follower.end(FeedOver())
        self.ring()

    async def stop(self) -> None:
        """Close, and read nothing any more: the store may be closed then."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None

    @contextlib.asynccontextmanager
    async def follow(self, wanted: EventFilter = EVERYTHING) -> AsyncIterator[Follower]:
        """Follow for the length of a block: all that is committed with a position above `start` is offered.

        Raises:
            StoreUnavailable: The events cannot be read.
        """
        follower = Follower(wanted, most_waiting=self._most_waiting)
        self._joining.append(follower)
        self._begin()
        try:
            await follower.joined
            yield follower
        finally:
            for place in (self._joining, self._followers):
                if follower in place:
                    place.remove(follower)
            if not self.follower_count:
                self.ring()  # for the reader to end

    def _begin(self) -> None:
        self._rung.set()
        if self._task is None or self._task.done():
            self._position = None
            self._task = asyncio.get_running_loop().create_task(self._read_on())
            self.on_followed(True)

    async def _read_on(self) -> None:
        while self.follower_count:
            self._rung.clear()
            try:
                is_end = await self._look()
            except Exception as error:
                log.warning("feed.unread", error=str(error) or type(error).__name__)
                self._refuse(error)
                is_end = True
            if is_end:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._sweep_seconds):
                        await self._rung.wait()
        self._task = None
        self.on_followed(False)

    async def _look(self) -> bool:
        """Read once and offer it; tell whether that was all.

        Who comes while a read is under way joins the next one: this one did not look for what they want.
        """
        if self._position is None:
            self._position = await self._events.newest_position()
        self._let_in(self._position)
        page = await self._events.read_on(_widest(self._followers), after=self._position, limit=MOST_READ)
        self._position = page.position
        for event in page.events:
            for follower in self._followers:
                follower.offer(event)
        for follower in self._followers:
            follower.reach(page.position)
        return page.is_end

    def _let_in(self, position: int) -> None:
        for follower in self._joining:
            follower.start = follower.position = position
            if not follower.joined.done():
                follower.joined.set_result(None)
            if self._is_closed:
                follower.end(FeedOver())
        self._followers += self._joining
        self._joining = []

    def _refuse(self, error: Exception) -> None:
        """Let those who wait to come in know; those who follow go on when the events can be read again."""
        for follower in self._joining:
            if not follower.joined.done():
                follower.joined.set_exception(error)
        self._joining = []


def _widest(followers: Iterable[Follower]) -> EventFilter:
    """The narrowest filter that lets through all that anybody wants."""
    types: set[str] | None = set()
    line_ids: set[int] | None = set()
    for follower in followers:
        wanted = follower.wanted
        types = None if types is None or wanted.types is None else types | wanted.types
        line_ids = None if line_ids is None or wanted.line_ids is None else line_ids | wanted.line_ids
    return EventFilter(
        types=None if types is None else frozenset(types),
        line_ids=None if line_ids is None else frozenset(line_ids),
    )
