"""The scripted bridge is a bridge like any other: it passes the bridge conformance suite, idempotent or not."""

from __future__ import annotations

import pytest

from hub.model.ids import IdFactory
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeConformance, BridgeHarness
from tests.support.manual_time import ManualClock
from tests.support.scripted_bridge import Act, ScriptedBridge


class ScriptedHarness(BridgeHarness):
    def __init__(self, *, is_idempotent: bool) -> None:
        self.clock = ManualClock()
        self._bridge = ScriptedBridge(self.clock, is_idempotent=is_idempotent)
        self._new_id = IdFactory(0, self.clock.now_ms)

    @property
    def adapter(self) -> ScriptedBridge:
        return self._bridge

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return Operation(
            outbox_id=self._new_id(),
            line_handle="+15550100000",
            kind=kind,
            payload={"from": "+15550100000", "to": "+15550100001", **payload},
            dispatched_at=self.clock.now_ms(),
        )

    def timing_out(self) -> tuple[Operation, ...]:
        self._bridge.script.append(Act.LOST_ANSWER)
        return (self.operation(OperationKind.SEND, text="hello"),)

    def arrived(self, operation: Operation) -> int:
        return self._bridge.arrived(operation)

    async def seen(self) -> list[Observation]:
        return [observation async for observation in self._bridge.events(None)]


class TestScriptedBridge(BridgeConformance):
    @pytest.fixture(params=[False, True], ids=["plain", "idempotent"])
    def harness(self, request: pytest.FixtureRequest) -> BridgeHarness:
        return ScriptedHarness(is_idempotent=request.param)
