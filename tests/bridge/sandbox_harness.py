"""A sandbox whose time a test moves."""

from __future__ import annotations

from bridge.sandbox.bridge import SandboxBridge
from bridge.sandbox.fates import FATES, Answer, Delays
from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeHarness
from tests.support.manual_time import EndOfTime, ManualAlarm, ManualClock
from tests.support.sandbox_network import MemorySandboxNetwork

LINE = "+15550100000"
CONTACT = "+15550100001"
DELAYS = Delays(delivered_after_ms=200, read_after_ms=1_000)


class CountingNetwork(MemorySandboxNetwork):
    """Counts what arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived: dict[str, int] = {}

    async def accept(self, send: dict[str, object]) -> bool:
        is_new = await super().accept(send)
        attempt_id = str(send["attempt_id"])
        self.arrived[attempt_id] = self.arrived.get(attempt_id, 0) + is_new
        return is_new


class SandboxHarness(BridgeHarness):
    """The sandbox behind the bridge conformance suite, and more for its own tests."""

    def __init__(self, *, without: frozenset[str] = frozenset()) -> None:
        self._without = without
        self.clock = ManualClock()
        self.network = CountingNetwork()
        self._new_id = IdFactory(0, self.clock.now_ms)
        self._bridge = self.restarted()

    @property
    def adapter(self) -> SandboxBridge:
        return self._bridge

    def restarted(self) -> SandboxBridge:
        """Give a new bridge on the same network, as after a crash."""
        self._bridge = SandboxBridge(
            self.network,
            clock=self.clock,
            alarm=ManualAlarm(self.clock),
            sleep=self.clock.sleep,
            delays=DELAYS,
            without=self._without,
        )
        return self._bridge

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return Operation(
            outbox_id=self._new_id(),
            line_handle=LINE,
            kind=kind,
            payload={"from": LINE, "to": CONTACT, **payload},
            dispatched_at=self.clock.now_ms(),
        )

    def send_to(self, number: str | None, text: str = "hello") -> Operation:
        """Make a send to one of the documented numbers."""
        return self.operation(OperationKind.SEND, to=number or CONTACT, text=text)

    def timing_out(self) -> tuple[Operation, ...]:
        answers = {Answer.TIMEOUT_SENT, Answer.TIMEOUT_UNSENT}
        return tuple(self.send_to(fate.number) for fate in FATES if fate.answer in answers)

    def arrived(self, operation: Operation) -> int:
        return self.network.arrived.get(operation.attempt_id, 0)

    async def seen(self) -> list[Observation]:
        told: list[Observation] = []
        try:
            async for observation in self._bridge.events(None):
                told.append(observation)  # noqa: PERF401 - what was told before the end must stay
        except EndOfTime:
            return told
        raise AssertionError("the events of a bridge never end")
