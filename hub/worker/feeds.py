"""Listens to the bridges whose adapters run inside the hub, ingests what they see, and keeps what they can do.

The owner of a bridge's shard listens; bridges that push (POST /v1/bridge/events) need no feed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Mapping, Sequence

import msgspec
import structlog

from hub.flow.bridge_store import Bridges
from hub.flow.capabilities import CapabilityBook
from hub.flow.directory import DirectoryHolder
from hub.flow.heartbeats import Heartbeats
from hub.flow.ingest import BridgeRequest
from hub.flow.ports import BridgeAdapter, Clock
from hub.flow.refused import RefusedBook, of_another_line, unsound
from hub.flow.safety_repositories import Health
from hub.flow.sandbox import Ingesting
from hub.flow.soundness import sound
from hub.model.ids import IdFactory
from hub.model.observation import Observation, ObservedError
from hub.model.refused import Origin
from hub.rules.lanes import shard_of
from hub.rules.refusals import Refusal

log = structlog.get_logger("worker")

#: `online`, `degraded` or `offline`, and why.
Word = tuple[str, str | None]

RESTART_SECONDS = 1.0
#: How long a bridge may take to say what it can do.
ASK_SECONDS = 10.0


class Feeds:
    """One listening task a bridge."""

    def __init__(
        self,
        *,
        adapters: Mapping[int, BridgeAdapter],
        bridges: Bridges,
        ingest: Ingesting,
        new_id: IdFactory,
        capabilities: CapabilityBook,
        heartbeats: Heartbeats,
        directory: DirectoryHolder,
        clock: Clock,
        refused: RefusedBook,
        health: Health,
    ) -> None:
        self._refused = refused
        self._directory = directory
        self._clock = clock
        self._heartbeats = heartbeats
        self._capabilities = capabilities
        self._adapters = adapters
        self._bridges = bridges
        self._ingest = ingest
        self._new_id = new_id
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._owned: frozenset[int] = frozenset()
        #: Told of each observation that could not be taken in.
        self.on_refused: Callable[[], None] = lambda: None
        self._health = health
        #: (bridge id, line id) → what the bridge last said of the line.
        self._said: dict[tuple[int, int], Word] = {}
        #: Bridges whose adapters tell how their lines are among the events: nobody says it twice.
        self._tells_itself: set[int] = set()

    def own(self, shards: Iterable[int]) -> None:
        """Listen to the bridges of these shards only."""
        self._owned = frozenset(shards)
        wanted = {bridge_id for bridge_id in self._adapters if shard_of(bridge_id) in self._owned}
        for bridge_id in set(self._tasks) - wanted:
            self._tasks.pop(bridge_id).cancel()
            self._forget(bridge_id)
        for bridge_id in wanted - set(self._tasks):
            self._tasks[bridge_id] = asyncio.get_running_loop().create_task(self._listen(bridge_id))

    def adapters_changed(self, bridge_ids: Iterable[int]) -> None:
        """Listen to new adapters, and to gone ones no more."""
        for bridge_id in set(bridge_ids) & set(self._tasks):
            self._tasks.pop(bridge_id).cancel()
        self.own(self._owned)

    async def stop(self) -> None:
        """Stop listening; what was seen is ingested or will be seen again."""
        tasks = list(self._tasks.values())
        self.own(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def ask_capabilities(self) -> None:
        """Ask each bridge that we listen to what it can do now, for what changed while it was connected."""
        for bridge_id in list(self._tasks):
            try:
                async with asyncio.timeout(ASK_SECONDS):
                    await self._ask(bridge_id)
            except Exception as error:
                log.warning("bridge.silent", bridge_id=bridge_id, error=str(error) or type(error).__name__)

    async def _ask(self, bridge_id: int) -> None:
        adapter = self._adapters[bridge_id]
        await self._capabilities.told(bridge_id, await adapter.capabilities())
        state, reason = await adapter.health()
        if state != "offline":
            await self._heartbeats.heard(bridge_id)
        await self._tell_health(bridge_id, (state, reason))

    async def _tell_health(self, bridge_id: int, word: Word) -> None:
        """Tell how the lines of a bridge are: those for which that has changed, or that were told nothing yet."""
        lines = [line for line in self._directory.current.lines_by_id.values() if line.bridge_id == bridge_id]
        news = [line for line in lines if await self._is_news(bridge_id, line.id, word)]
        self._forget(bridge_id, but=[line.id for line in lines])
        if not news:
            return
        (state, reason), now_ms = word, self._clock.now_ms()
        error = None if reason is None else ObservedError(code=f"bridge_{state}", raw=reason[:4096])
        told = [
            Observation(v=1, line=line.handle, kind="line.status", at=now_ms, value=state, error=error)
            for line in news
        ]
        await self._take(bridge_id, told)
        self._said.update({(bridge_id, line.id): word for line in news})

    async def _is_news(self, bridge_id: int, line_id: int, word: Word) -> bool:
        """Tell whether a line was told something else; what was said before this process began counts, too."""
        known = self._said.get((bridge_id, line_id))
        if known is None or bridge_id in self._tells_itself:
            record = await self._health.get(line_id)
            if record is not None and record.bridge_status is not None:
                if bridge_id in self._tells_itself:
                    return False
                known = (record.bridge_status, record.bridge_reason)
            else:
                known = ("online", None)
            self._said[bridge_id, line_id] = known
        return known != word

    def _forget(self, bridge_id: int, *, but: Collection[int] = ()) -> None:
        """Forget what was said of lines that a bridge does not carry, or that another process looks after."""
        gone = [key for key in self._said if key[0] == bridge_id and key[1] not in but]
        for key in gone:
            del self._said[key]

    async def _listen(self, bridge_id: int) -> None:
        while True:
            try:
                await self._ask(bridge_id)
                told = self._adapters[bridge_id].events(await self._cursor(bridge_id))
                try:
                    async for found in told:
                        if not isinstance(found, tuple) and found.kind == "line.status":
                            self._tells_itself.add(bridge_id)
                        await self._take(bridge_id, found if isinstance(found, tuple) else (found,))
                finally:
                    if isinstance(told, AsyncGenerator):
                        await told.aclose()  # its connection must not outlive the listening
            except Exception:
                log.warning("bridge.feed_failed", bridge_id=bridge_id, exc_info=True)
            await asyncio.sleep(RESTART_SECONDS)

    async def _cursor(self, bridge_id: int) -> str | None:
        """How far the bridge was heard, by whichever process: no revision tells of it."""
        return next((each.cursor for each in await self._bridges.all() if each.id == bridge_id), None)

    async def _take(self, bridge_id: int, found: Sequence[Observation]) -> None:
        """Ingest first, then move the cursor: a crash between the two repeats, and repeats are harmless.

        What cannot be taken in is told of and passed over: it would never become better.
        """

        def note(observation: Observation, wrong: Refusal) -> None:
            self.on_refused()
            self._refused.note(bridge_id, unsound(observation, wrong, Origin.FEED))

        kept = sound(found, bridge_id=bridge_id, now_ms=self._clock.now_ms(), on_refused=note)
        if kept:
            body = msgspec.json.encode({"events": kept})
            request_id = f"feed.{self._new_id():x}"
            results = await self._ingest(BridgeRequest(bridge_id, request_id, body, kept))
            for each, result in zip(kept, results, strict=True):
                if result.status == "refused":
                    self._refused.note(bridge_id, of_another_line(each, Origin.FEED))
        await self._refused.flush(bridge_id)
        cursor = next((each.cursor for each in reversed(found) if each.cursor is not None), None)
        if cursor is not None:
            await self._bridges.save_cursor(bridge_id, cursor)
