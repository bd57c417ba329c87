"""A bridge behind an agent is a bridge like any other: hub, wire and agent between the question and the sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.flow.ports import BridgeAdapter
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from hub.worker.remote import RemoteAdapter
from tests.bridge.conformance import BridgeConformance, BridgeHarness
from tests.bridge.sandbox_harness import SandboxHarness
from tests.support.agent_stage import AgentStage, Unheard
from tests.support.hub_world import open_world


class RemoteHarness(BridgeHarness):
    """The sandbox at an agent; what it tells goes to the hub by another way (tests/agent)."""

    def __init__(self, sandbox: SandboxHarness, remote: RemoteAdapter) -> None:
        self._sandbox = sandbox
        self._remote = remote

    @property
    def adapter(self) -> BridgeAdapter:
        return self._remote

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return self._sandbox.operation(kind, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        return self._sandbox.timing_out()

    def arrived(self, operation: Operation) -> int:
        return self._sandbox.arrived(operation)

    async def seen(self) -> list[Observation]:
        return await self._sandbox.seen()


class TestBehindAnAgent(BridgeConformance):
    @pytest.fixture
    async def harness(self, tmp_path: Path) -> AsyncIterator[BridgeHarness]:
        sandbox = SandboxHarness()
        async with open_world(tmp_path) as world:
            stage = AgentStage.of(world, tmp_path / "agent")
            async with stage.agent(Unheard(sandbox.adapter)):
                yield RemoteHarness(sandbox, stage.remote())
