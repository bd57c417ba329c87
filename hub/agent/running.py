"""An agent from start to stop: it says hello, again and again, works and listens; and notices when it slept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog

from hub import __version__
from hub.agent.enrolling import system_name
from hub.agent.feed import EventFeed
from hub.agent.journal import Journal
from hub.agent.link import HubAway, HubLink, HubRefused, Superseded
from hub.agent.pauses import Pauses
from hub.agent.work import Work, WorkParts
from hub.flow.ports import BridgeAdapter, Clock
from hub.flow.refused import RefusedBook
from hub.rules.agent_versions import PROGRAM

log = structlog.get_logger("agent")

HELLO_SECONDS: Final = 20.0
#: How long the adapter may take to say what it can do, and how it is.
ASK_SECONDS: Final = 10.0
DRAIN_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 5.0
#: More time than that between two looks means that the machine slept.
SLEPT_MS: Final = 30_000


class Welcomed(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub tells an agent."""

    fence: int
    lines: tuple[str, ...]
    max_body_bytes: int
    max_events: int
    #: Whether the hub keeps a WebSocket for us; one of before does not say.
    has_sockets: bool = False


@dataclass(slots=True)
class KnownLines:
    """The bridge's lines, as the hub last told."""

    handles: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AgentParts:
    """What an agent is made of."""

    kind: str
    adapter: BridgeAdapter
    link: HubLink
    journal: Journal
    clock: Clock
    sleep: Callable[[float], Awaitable[None]]
    draw: Callable[[], float]
    draw_id: Callable[[], str]
    #: The secret as it is kept by now; None where it cannot be read.
    secret: Callable[[], str | None] = lambda: None
    lines: KnownLines = field(default_factory=KnownLines)
    #: What the bridge brought and cannot be taken in.
    refused: RefusedBook


class Agent:
    """Runs one adapter for one hub."""

    def __init__(self, parts: AgentParts) -> None:
        self._parts = parts
        self._welcome = Welcomed(fence=0, lines=(), max_body_bytes=65_536, max_events=100)
        self._capabilities: frozenset[str] = frozenset()
        #: Set once the hub has heard us.
        self.welcomed = asyncio.Event()
        self._work = Work(
            WorkParts(
                link=parts.link,
                journal=parts.journal,
                adapter=parts.adapter,
                clock=parts.clock,
                sleep=parts.sleep,
                draw=parts.draw,
                fence=lambda: self._welcome.fence,
                max_body_bytes=lambda: self._welcome.max_body_bytes,
            )
        )
        self._feed = EventFeed(
            adapter=parts.adapter,
            link=parts.link,
            journal=parts.journal,
            clock=parts.clock,
            pauses=self._pauses,
            draw_id=parts.draw_id,
            most_events=lambda: self._welcome.max_events,
            refused=parts.refused,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Run until it is told to stop; what was begun is finished, within a limit.

        Raises:
            Superseded: Another agent has taken the bridge over.
        """
        loop = asyncio.get_running_loop()
        stopping = loop.create_task(stop.wait())
        tasks: list[asyncio.Task[Any]] = [loop.create_task(self._greet())]
        try:
            await asyncio.wait({tasks[0], stopping}, return_when=asyncio.FIRST_COMPLETED)
            if tasks[0].done():
                tasks[0].result()
                log.info("agent.started", kind=self._parts.kind, fence=self._welcome.fence)
                tasks += [
                    loop.create_task(each)
                    for each in (
                        self._keep_greeting(),
                        self._work.run(),
                        self._feed.run(),
                        self._watch_time(),
                        self._keep_socket(),
                    )
                ]
                await asyncio.wait({*tasks[1:], stopping}, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks[1:]:
                    if task.done():
                        task.result()
                log.info("agent.stopping")
                await self._work.drain(DRAIN_SECONDS)
        finally:
            for task in (*tasks, stopping):
                task.cancel()
            await asyncio.gather(*tasks, stopping, return_exceptions=True)
            await self._parts.adapter.aclose()

    async def _greet(self) -> None:
        """Say hello until the hub hears it."""
        pauses = self._pauses()
        while True:
            try:
                await self._hello()
                return
            except Superseded:
                raise
            except HubAway as error:
                log.warning("hub.away", error=str(error))
            except HubRefused as error:
                log.error("hub.refused", code=error.code, reason=str(error))
            await pauses.take()

    async def _keep_greeting(self) -> None:
        while True:
            await self._parts.sleep(HELLO_SECONDS)
            await self._greet()

    async def _hello(self) -> None:
        secret = self._parts.secret()
        if secret is not None and self._parts.link.take_secret(secret):
            log.info("agent.secret_taken")
        state, reason = await self._health()
        told = {
            "agent": self._parts.journal.name,
            "version": __version__,
            "kind": self._parts.kind,
            "program": PROGRAM,
            "os": system_name(),
            "capabilities": sorted(self._capabilities),
            "health": {"state": state, "reason": None if reason is None else reason[:2000]},
        }
        self._welcome = await self._parts.link.ask("hello", told, Welcomed)
        self._parts.lines.handles = self._welcome.lines
        self.welcomed.set()

    async def _health(self) -> tuple[str, str | None]:
        adapter = self._parts.adapter
        try:
            async with asyncio.timeout(ASK_SECONDS):
                self._capabilities = await adapter.capabilities()
                return await adapter.health()
        except Exception as error:
            log.warning("bridge.silent", kind=adapter.kind, error=str(error) or type(error).__name__)
            return "offline", f"the adapter does not answer ({type(error).__name__})"

    async def _keep_socket(self) -> None:
        if (socket := self._parts.link.socket) is None:
            await asyncio.Event().wait()
        else:
            await socket.run(lambda: self._welcome.has_sockets, self._parts.sleep)

    async def _watch_time(self) -> None:
        """Catch up after the machine slept: connections look alive then, and are not."""
        seen_ms = self._parts.clock.now_ms()
        while True:
            await self._parts.sleep(LOOK_SECONDS)
            now_ms = self._parts.clock.now_ms()
            if not 0 <= now_ms - seen_ms <= SLEPT_MS:
                log.info("agent.woke", slept_seconds=(now_ms - seen_ms) // 1000)
                self._feed.resume()
                if self._parts.link.socket is not None:
                    self._parts.link.socket.reset()
            seen_ms = now_ms

    def _pauses(self) -> Pauses:
        return Pauses(self._parts.sleep, self._parts.draw)
