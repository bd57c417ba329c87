"""The worker's part for the sandbox line, without a worker: what is owed is performed, and evidence is taken in."""

from __future__ import annotations

import msgspec

from bridge.sandbox.bridge import SandboxBridge
from bridge.sandbox.fates import Delays
from hub.flow.guards import PERMISSIVE, SendGuard
from hub.flow.rows import OutboxRow
from hub.flow.send import Sending, SendTimeouts
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.lanes import shard_of
from hub.rules.sending import SendPolicy
from tests.support.hub_world import HubWorld
from tests.support.manual_time import EndOfTime, ManualAlarm

POLICY = SendPolicy(
    most_attempts=8,
    retry_ms=1_000,
    retry_max_ms=300_000,
    lookup_ms=5_000,
    unknown_after_ms=60_000,
    in_flight_ms=300_000,
    fleeting_ms=10_000,
)


class SandboxWorker:
    """Serves the sandbox line of a world, when a test says so."""

    def __init__(
        self, world: HubWorld, *, without: frozenset[str] = frozenset(), guard: SendGuard = PERMISSIVE
    ) -> None:
        self._world = world
        self.bridge = SandboxBridge(
            world.store.sandbox,
            clock=world.clock,
            alarm=ManualAlarm(world.clock),
            sleep=world.clock.sleep,
            delays=Delays(delivered_after_ms=20, read_after_ms=40),
            without=without,
        )
        self._sending = Sending(
            store=world.store.hot,
            recorder=world.recorder,
            clock=world.clock,
            policy=POLICY,
            timeouts=SendTimeouts(perform_seconds=30, lookup_seconds=30),
            links=world.parts.files.links,
            guard=guard,
        )

    async def tell_capabilities(self) -> None:
        """Let the bridge say what it can do."""
        able = await self.bridge.capabilities()
        await self._world.store.lines.tell_capabilities(self._world.sandbox_line.bridge_id, able)

    async def work(self) -> None:
        """Perform what is owed, then take in what the network shows until it is quiet."""
        await self.perform()
        await self.listen()

    async def owe(self, kind: OperationKind, **payload: object) -> int:
        """Owe an operation as the surface would; give the item's id."""
        number, now, line = self._world.new_id(), self._world.clock.now_ms(), self._world.sandbox_line
        text = msgspec.json.encode({"from": line.handle, **payload}).decode()
        row = OutboxRow(number, line.id, shard_of(line.id), None, kind, text, now, now)
        await self._world.store.hot.write(lambda tx: tx.insert_outbox([row]))
        return number

    async def perform(self) -> None:
        """Take each step that is due now, in turn."""
        line, hot = await self._line(), self._world.store.hot
        while True:
            now_ms = self._world.clock.now_ms()
            items = await hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 100))
            item = next((item for item in items if item.next_attempt_at <= now_ms), None)
            if item is None:
                return
            await self._sending.step(item, line, self.bridge)

    async def listen(self) -> None:
        """Take in what the network shows until it is quiet."""
        try:
            async for observation in self.bridge.events(None):
                await self._world.observe(self._world.sandbox_line, observation)
        except EndOfTime:
            return

    def attend(self) -> None:
        """Perform what is owed whenever somebody waits for a verdict."""

        async def meanwhile(seconds: float) -> None:
            await self.perform()

        self._world.naps.meanwhile = meanwhile

    async def _line(self) -> Line:
        directory = await self._world.directory.refresh()
        return directory.lines_by_id[self._world.sandbox_line.id]
