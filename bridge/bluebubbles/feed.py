"""All that a bridge tells, for ever: the history first, live events meanwhile kept, then both as they come.

Every (re)connect reads the history from ten minutes before the cursor. While that is not done, live events are told
but the cursor stays: whatever ends the process then, nothing between is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
import structlog

from bridge.bluebubbles.catching_up import History
from bridge.bluebubbles.cursors import OVERLAP_MS, Place, read_place
from bridge.bluebubbles.event_names import ABOUT_ROWS, ALIASES
from bridge.bluebubbles.frames import Event
from bridge.bluebubbles.looking import Looking
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.shapes import mapping, number, text
from bridge.bluebubbles.socket_feed import Due, Expired, Item, Lost, SocketFeed, Waiting, pause_seconds
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.webhooks import ensure_registered
from bridge.bluebubbles.wire import Server
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed
from hub.model.observation import Observation, ObservedError

log = structlog.get_logger("bridges")

#: Without a sign of life, typing is over.
TYPING_SECONDS: Final = 60.0
#: Tries in a row without a socket before a line is called offline.
_OFFLINE_AFTER: Final = 3
_NO_LINES_SECONDS: Final = 1.0
#: Rows of the history whose observations are recorded as one.
_TOLD_AT_ONCE: Final = 100


class Feed:
    """One run of `events`."""

    def __init__(
        self,
        server: Server,
        state: ServerState,
        looking: Looking,
        *,
        settings: BlueBubblesSettings,
        surroundings: Surroundings,
        page: int,
    ) -> None:
        self._server = server
        self._state = state
        self._looking = looking
        self._history = History(server, looking, page=page)
        self._settings = settings
        self._surroundings = surroundings
        self._waiting = Waiting()
        self._tasks: set[asyncio.Task[None]] = set()
        self._typing: dict[str, int] = {}
        self._turn = 0
        self._failures = 0
        self._moved_to: str | None = None
        #: Why there is no socket; None while there is one, or was a moment ago.
        self._without_socket: str | None = None

    async def told(self, cursor: str | None) -> AsyncGenerator[Observation | tuple[Observation, ...], None]:
        """Tell all from a cursor on; history in pages."""
        added_at, days = self._surroundings.clock.now_ms(), self._settings.history_days
        while not self._surroundings.lines():
            await self._surroundings.sleep(_NO_LINES_SECONDS)
        now_ms = self._surroundings.clock.now_ms()
        if cursor is None:
            # A line that moves here is told by nobody until this bridge has noticed it.
            now_ms = max(added_at, now_ms - OVERLAP_MS)
        place = read_place(cursor, now_ms=now_ms, history_days=days)
        self._start(self._poll())
        if self._settings.feed == "socket":
            self._start(SocketFeed(self._server, self._surroundings, self._waiting).listen())
        else:
            self._waiting.put(Due())
        try:
            while True:
                async for found in self._of(await self._waiting.take(), place):
                    yield _with_cursor(found, place.cursor())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _of(self, item: Item, place: Place) -> AsyncIterator[Observation | tuple[Observation, ...]]:
        if isinstance(item, Due):
            if item.is_back:
                self._without_socket = None
            async for each in self._catch_up(place):
                yield each
        elif isinstance(item, Lost):
            self._note_loss(item, place)
        elif isinstance(item, Expired):
            for each in self._of_expiry(item):
                yield each
        else:
            for each in await self._of_event(item, place):
                yield each

    async def _catch_up(self, place: Place) -> AsyncIterator[Observation | tuple[Observation, ...]]:
        place.is_whole = False
        began_at = self._surroundings.clock.now_ms()
        place.mend(began_at)
        since = place.since
        try:
            if self._settings.feed == "webhook" and self._surroundings.hook_url is not None:
                await ensure_registered(self._server, self._surroundings.hook_url)
            async for rows in self._history.since(since):
                for first in range(0, len(rows), _TOLD_AT_ONCE):
                    page, failure = await self._page(rows[first : first + _TOLD_AT_ONCE], place, began_at)
                    if page:
                        yield page
                    if failure is not None:
                        raise failure
            for row in await self._history.changed(since, await self._state.info()):
                for each in await self._looking.of_row(row):
                    yield each
        except CallFailed as failure:
            self._failures += 1
            self._start(self._again(pause_seconds(self._failures, self._surroundings.draw())))
            if self._failures >= _OFFLINE_AFTER:
                for each in self._line_states(place, "offline", failure.detail):
                    yield each
            return
        self._failures = 0
        place.is_whole = True
        place.reached(began_at, now_ms=began_at)
        state, why = await self._state.health()
        if state == "online" and self._without_socket is not None:
            state, why = "degraded", f"news comes late, for the socket does not open: {self._without_socket}"
        for each in self._line_states(place, state, why):
            yield each

    async def _page(
        self, rows: Sequence[Any], place: Place, began_at: int
    ) -> tuple[tuple[Observation, ...], CallFailed | None]:
        """Read rows of the history; where the server fails in the middle, what was read before it counts."""
        told: list[Observation] = []
        for row in rows:
            try:
                told += await self._looking.of_row(row)
            except CallFailed as failure:
                return tuple(told), failure
            place.reached(number(row, "dateCreated") or 0, now_ms=began_at)
        return tuple(told), None

    async def _of_event(self, event: Event, place: Place) -> tuple[Observation, ...]:
        if event.name in ABOUT_ROWS:
            return await self._of_row_event(event, place)
        if event.name == "typing-indicator":
            return self._of_typing(event)
        if event.name == "new-server":
            self._follow(event.data)
        elif event.name in ALIASES:
            self._state.forget()
            self._waiting.put(Due())
        else:
            self._looking.pass_over_event(event.name, event.data)
        return ()

    async def _of_row_event(self, event: Event, place: Place) -> tuple[Observation, ...]:
        try:
            shown = await self._looking.of_event(event.name, event.data)
        except CallFailed:
            place.is_whole = False
            self._waiting.put(Due())  # the history has it, as soon as the server answers again
            return ()
        created_at = number(mapping(event.data), "dateCreated")
        if place.is_whole and created_at is not None:
            place.reached(created_at, now_ms=self._surroundings.clock.now_ms())
        return shown

    def _of_typing(self, event: Event) -> tuple[Observation, ...]:
        shown = self._looking.of_typing(event.data)
        guid = text(mapping(event.data), "guid", most=512)
        if not shown or guid is None:
            return shown
        if shown[0].kind == "typing.stopped":
            self._typing.pop(guid, None)
            return shown
        if len(self._typing) >= 1_000:
            return shown
        self._turn += 1
        self._typing[guid] = self._turn
        self._start(self._expire(guid, self._turn))
        return shown

    def _of_expiry(self, item: Expired) -> tuple[Observation, ...]:
        """The server tells no end where the Mac missed it."""
        if self._typing.get(item.chat_guid) != item.turn:
            return ()
        del self._typing[item.chat_guid]
        return self._looking.of_typing({"display": False, "guid": item.chat_guid})

    def _note_loss(self, lost: Lost, place: Place) -> None:
        self._state.forget()
        place.is_whole = False
        if lost.failures in {1, _OFFLINE_AFTER}:
            log.warning("bluebubbles.socket_lost", reason=lost.why, failures=lost.failures)
        if lost.failures >= _OFFLINE_AFTER:
            self._without_socket = lost.why
        if lost.failures == _OFFLINE_AFTER:
            self._waiting.put(Due())  # which tells whether the server is away, or only its socket

    def _line_states(self, place: Place, state: str, why: str | None) -> list[Observation]:
        """Tell how the lines are, where that changed; what was told stands in the cursor."""
        if state == place.state:
            return []
        place.state = state
        now_ms = self._surroundings.clock.now_ms()
        error = None if why is None else ObservedError(code="bridge", raw=why[:4096])
        return [
            Observation(v=1, line=line, kind="line.status", at=now_ms, value=state, error=error)
            for line in self._surroundings.lines()
        ]

    def _follow(self, data: Any) -> None:
        """A tunnel has a new address: follow only where the owner has said so, for the password goes along."""
        url = data if isinstance(data, str) and len(data) <= 1024 else ""
        parts = urlsplit(url) if url.startswith(("https://", "http://")) else None
        host = None if parts is None else parts.hostname
        if parts is None or host is None or parts.username is not None:
            self._looking.pass_over("unreadable address")
        elif self._server.is_https and parts.scheme != "https":
            self._looking.pass_over("address without https")  # the password goes along
        elif host in self._settings.follow_hosts:
            self._server.move_to(url)
            self._state.forget()
            log.warning("bluebubbles.moved", host=host)
        elif self._moved_to != host:
            self._moved_to = host
            reason = (
                "the server says that its address has changed: set `url`, or list the host in `follow_hosts`"
            )
            log.warning("bluebubbles.not_followed", host=host, reason=reason)

    async def _poll(self) -> None:
        while True:
            await self._surroundings.sleep(self._settings.poll_seconds)
            self._waiting.put(Due())

    async def _again(self, seconds: float) -> None:
        await self._surroundings.sleep(seconds)
        self._waiting.put(Due())

    async def _expire(self, guid: str, turn: int) -> None:
        await self._surroundings.sleep(TYPING_SECONDS)
        self._waiting.put(Expired(chat_guid=guid, turn=turn))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _with_cursor(
    found: Observation | tuple[Observation, ...], cursor: str
) -> Observation | tuple[Observation, ...]:
    if isinstance(found, tuple):
        return tuple(msgspec.structs.replace(each, cursor=cursor) for each in found)
    return msgspec.structs.replace(found, cursor=cursor)
