"""A line with an outbox, on a bridge of the test's choice and the real store."""

from __future__ import annotations

import asyncio

import msgspec

from hub.flow.guards import PERMISSIVE, SendGuard
from hub.flow.ports import BridgeAdapter
from hub.flow.record import Recorder
from hub.flow.rows import OutboxRow
from hub.flow.send import Sending, SendTimeouts
from hub.model.line import Bridge, Line
from hub.model.line_safety import LineSafety
from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.model.webhook import StoredSecret
from hub.rules.lanes import shard_of
from hub.rules.sending import SendPolicy
from hub.worker.lines import LineLanes
from tests.support.webhooks import SECRET
from tests.worker.rig import Rig
from tests.worker.time_by_hand import eventually

POLICY = SendPolicy(
    most_attempts=8,
    retry_ms=1_000,
    retry_max_ms=300_000,
    lookup_ms=5_000,
    unknown_after_ms=60_000,
    in_flight_ms=300_000,
    fleeting_ms=10_000,
)


class Desk:
    """A line on a bridge, with the lanes that drain its outbox."""

    def __init__(self, rig: Rig, line: Line, adapter: BridgeAdapter) -> None:
        self.rig = rig
        self.line = line
        self.adapter = adapter
        self.guard: SendGuard = PERMISSIVE
        self.ids: list[int] = []
        #: What chance gives the lanes, 0 <= draw < 1.
        self.draw = 0.0
        self.lanes = self._lanes(perform_seconds=30.0)

    def restarted(self, *, perform_seconds: float = 30.0) -> LineLanes:
        """New lanes on the same outbox, as after a crash."""
        self.lanes.own(())
        self.lanes = self._lanes(perform_seconds=perform_seconds)
        return self.lanes

    def _lanes(self, *, perform_seconds: float) -> LineLanes:
        rig = self.rig
        lanes = LineLanes(
            store=rig.hot,
            directory=rig.directory,
            sending=Sending(
                store=rig.hot,
                recorder=Recorder(
                    store=rig.hot,
                    directory=rig.directory,
                    take_ids=rig.new_id.take,
                    wake_ups=rig.wake_ups,
                    clock=rig.clock,
                ),
                clock=rig.clock,
                guard=self.guard,
                policy=POLICY,
                timeouts=SendTimeouts(perform_seconds=perform_seconds, lookup_seconds=30.0),
            ),
            adapters={self.line.bridge_id: self.adapter},
            wake_ups=rig.wake_ups,
            clock=rig.clock,
            timers=rig.timers,
            draw=lambda: self.draw,
            jitter_ratio=0.1,
        )
        lanes.own(range(16))
        return lanes

    async def owe(
        self,
        count: int = 1,
        kind: OperationKind = OperationKind.SEND,
        to: str = "+15550100001",
        *,
        priority: int = 0,
        in_ms: int = 0,
    ) -> list[int]:
        now = self.rig.clock.now_ms()
        ids = self.rig.new_id.take(count)
        payload = {"from": self.line.handle, "to": to, "text": "hello"}
        text = msgspec.json.encode(payload).decode()
        rows = [
            OutboxRow(
                number,
                self.line.id,
                shard_of(self.line.id),
                None,
                kind,
                text,
                now + in_ms,
                now,
                priority=priority,
            )
            for number in ids
        ]
        await self.rig.store.hot.write(lambda tx: tx.insert_outbox(rows))
        self.ids += ids
        return ids

    async def items(self) -> list[OutboxItem]:
        found = [await self.rig.store.outbox.get(number) for number in self.ids]
        return [item for item in found if item is not None]

    async def states(self) -> list[OutboxState]:
        return [item.state for item in await self.items()]

    async def until(self, *expected: OutboxState) -> None:
        """Wait until the items stand so."""
        for _ in range(4_000):
            if await self.states() == list(expected):
                return
            await asyncio.sleep(0.002)
        raise AssertionError(f"{await self.states()} instead of {expected}")

    async def later(self, milliseconds: int) -> None:
        """Let time pass, and let the deferred wake-ups fire."""
        self.rig.timers.advance(milliseconds)
        self.lanes.line_due(self.line.id)
        await self.calm()

    async def calm(self) -> None:
        await eventually(lambda: not self.lanes.is_busy)


async def a_desk(
    rig: Rig, adapter: BridgeAdapter, *, pace_ms: int = 0, jitter_ratio: float | None = None
) -> Desk:
    now = rig.clock.now_ms()
    bridge = Bridge(
        id=rig.new_id(),
        name="test",
        kind=adapter.kind,
        secrets=(StoredSecret(text=SECRET),),
        cursor=None,
        is_enabled=True,
        created_at=now,
    )
    line = Line(
        id=rig.new_id(),
        bridge_id=bridge.id,
        handle="+15550100000",
        label=None,
        service="imessage",
        is_active=True,
        is_contact_first=False,
        pace_ms=pace_ms,
        status="online",
        status_reason=None,
        created_at=now,
        safety=LineSafety(jitter_ratio=jitter_ratio),
    )
    await rig.store.bridges.add(bridge)
    await rig.store.lines.add(line)
    await rig.directory.refresh()
    desk = Desk(rig, line, adapter)
    await desk.calm()  # the first look at what is owed is over before a test owes anything
    return desk
