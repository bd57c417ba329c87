"""The bridge before the fake server, over real HTTP and a real WebSocket; time is a test's."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import count
from typing import Any

from bridge.bluebubbles.bridge import BlueBubblesBridge
from bridge.bluebubbles.settings import BlueBubblesSettings
from bridge.bluebubbles.wire import Patience
from hub.flow.bridge_kinds import Surroundings
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from hub.outbound import OutboundClient
from hub.outbound.calling import GuardedCaller
from hub.outbound.sockets import GuardedSockets
from hub.rules.egress import read_allow_list
from tests.bridge.bluebubbles.mac import Mac
from tests.bridge.bluebubbles.server import BlueBubblesServer, serving
from tests.bridge.bluebubbles.telling import PASSWORD
from tests.bridge.conformance import MEMBERS, BridgeHarness
from tests.support.manual_time import ManualClock

LINE = "+15550100000"
CONTACT = "+15550100001"
#: So long nothing is told: all was.
QUIET_SECONDS = 0.25
PATIENCE = Patience(probe=5.0, greeting=0.05, read=5.0, send=0.4, file=2.0)


class ManualSleep:
    """Sleeps on a clock that a test moves; a fleeting sleep may be let through."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock
        self._order = count()
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        #: Sleeps up to this pass at once.
        self.passing_seconds = 2.0

    async def __call__(self, seconds: float) -> None:
        if seconds <= self.passing_seconds:
            await asyncio.sleep(0.001)
            return
        future = asyncio.get_running_loop().create_future()
        heapq.heappush(
            self._sleepers, (self._clock.now_ms() + round(seconds * 1000), next(self._order), future)
        )
        await future

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake whom it wakes."""
        self._clock.advance(round(seconds * 1000))
        while self._sleepers and self._sleepers[0][0] <= self._clock.now_ms():
            future = heapq.heappop(self._sleepers)[2]
            if not future.done():
                future.set_result(None)


class Files:
    """Files of the hub."""

    def __init__(self) -> None:
        self.gone: set[str] = set()
        self.content = b"12345"
        self.mime_type = "image/png"

    async def open_file(self, file_id: str) -> OutgoingFile:
        if file_id in self.gone:
            raise AttachmentGone("gone")

        async def chunks() -> AsyncIterator[bytes]:
            yield self.content[:2]
            yield self.content[2:]

        name = f"{file_id}.png"
        return OutgoingFile(filename=name, mime_type=self.mime_type, size=len(self.content), chunks=chunks())


class _Links:
    def address(self, file_id: str) -> str | None:
        return None


class BlueBubblesHarness(BridgeHarness):
    """A bridge, a server and a Mac."""

    def __init__(self, server: BlueBubblesServer, client: OutboundClient, clock: ManualClock) -> None:
        self.server = server
        self.mac = server.mac
        self.clock = clock
        self.sleep = ManualSleep(clock)
        self.files = Files()
        self.lines: Sequence[str] = (LINE,)
        self.hook_url: str | None = None
        self._client = client
        self._new_id = IdFactory(0, clock.now_ms)
        self._deeds: dict[int, int] = {}
        self.chat = server.mac.direct(CONTACT)
        self._adapter = self.restarted()

    def settings(self, **given: Any) -> BlueBubblesSettings:
        fields: dict[str, Any] = {"url": self.server.url, "password": PASSWORD, **given}
        return BlueBubblesSettings(**fields)

    def surroundings(self) -> Surroundings:
        return Surroundings(
            clock=self.clock,
            sleep=self.sleep,
            caller=GuardedCaller(self._client),
            sockets=GuardedSockets(self._client),
            files=self.files,
            links=_Links(),
            lines=lambda: self.lines,
            draw=lambda: 0.5,
            hook_url=self.hook_url,
        )

    def restarted(self, *, page: int = 1000, **given: Any) -> BlueBubblesBridge:
        """Give a new bridge before the same server, as after a crash."""
        self._adapter = BlueBubblesBridge(
            self.settings(**given), self.surroundings(), patience=PATIENCE, page=page
        )
        return self._adapter

    @property
    def adapter(self) -> BlueBubblesBridge:
        return self._adapter

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        self.clock.advance(1)
        operation = Operation(
            outbox_id=self._new_id(),
            line_handle=LINE,
            kind=kind,
            payload={"from": LINE, "to": CONTACT, **payload},
            dispatched_at=self.clock.now_ms(),
        )
        self._deeds[operation.outbox_id] = len(self.mac.deeds)
        if payload.get("message_guid") == "TARGET-GUID" and self.mac.row("TARGET-GUID") is None:
            self.mac.write(self.chat, "target", author=CONTACT, guid="TARGET-GUID")
        return operation

    async def send(self, words: str = "hello", **payload: object) -> OperationOutcome:
        return await self._adapter.perform(self.operation(OperationKind.SEND, **{"text": words, **payload}))

    def timing_out(self) -> tuple[Operation, ...]:
        fates = ("hang_sent", "hang_unsent", "lost", "timeout")
        self.server.faults.by_words |= {f"words of {fate}": fate for fate in fates}
        return tuple(self.operation(OperationKind.SEND, text=f"words of {fate}") for fate in fates)

    @property
    def shown_as(self) -> str:
        faults = self.server.faults
        return f"bluebubbles {faults.is_private_api} {faults.os_version} {self.mac.service}"

    def arrived(self, operation: Operation) -> int:
        if operation.kind is OperationKind.SEND:
            return self.mac.sent.get(operation.attempt_id, 0)
        return len(self.mac.deeds) - self._deeds[operation.outbox_id]

    async def group(self) -> str:
        made = await self.adapter.perform(
            self.operation(OperationKind.GROUP_CREATE, participants=MEMBERS, text="welcome")
        )
        return str((made.result or {}).get("chat_key", "no-group"))

    async def hear(self) -> list[Observation]:
        """As it comes, twice: the server is known for it."""
        async with self.listening('{"at":1}') as told:
            while not self.server.sockets:  # noqa: ASYNC110 - the server has no bell
                await asyncio.sleep(0.01)
            await told.quiet()
            row = self.mac.write(self.chat, "hi", author=CONTACT)
            for _ in range(2):
                await self.server.new_message(row)
            await told.quiet()
            return told.seen

    async def seen(self) -> list[Observation]:
        async with self.listening('{"at":1}') as told:
            await told.quiet()
            return told.seen

    @contextlib.asynccontextmanager
    async def listening(self, cursor: str | None = None) -> AsyncIterator[Told]:
        """Listen for the length of a block."""
        told = Told()
        task = asyncio.create_task(told.listen(self._adapter, cursor))
        try:
            yield told
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


class Told:
    """What a bridge tells."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self._news = asyncio.Event()

    async def listen(self, adapter: BlueBubblesBridge, cursor: str | None) -> None:
        events = adapter.events(cursor)
        try:
            async for found in events:
                self.seen += found if isinstance(found, tuple) else (found,)
                self._news.set()
        finally:
            await events.aclose()  # type: ignore[attr-defined]  # a generator

    async def quiet(self) -> None:
        """Wait until nothing was told for a moment."""
        while True:
            self._news.clear()
            try:
                async with asyncio.timeout(QUIET_SECONDS if self.seen else 5.0):
                    await self._news.wait()
            except TimeoutError:
                return

    async def until(self, is_there: Callable[[Observation], bool]) -> Observation:
        """Wait for an observation."""
        async with asyncio.timeout(10):
            while True:
                found = next((each for each in self.seen if is_there(each)), None)
                if found is not None:
                    return found
                self._news.clear()
                await self._news.wait()

    async def kind(self, kind: str) -> Observation:
        return await self.until(lambda each: each.kind == kind)

    def of(self, kind: str) -> list[Observation]:
        return [each for each in self.seen if each.kind == kind]


@contextlib.asynccontextmanager
async def bluebubbles() -> AsyncIterator[BlueBubblesHarness]:
    """Run all of it."""
    clock = ManualClock()
    client = OutboundClient(read_allow_list(["127.0.0.1"]))
    async with serving(Mac(now_ms=clock.now_ms)) as server:
        try:
            yield BlueBubblesHarness(server, client, clock)
        finally:
            server.gone.set()
            await client.aclose()
