"""An account at any vendor is a bridge like any other; the vendor is a hub of ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from hub.flow.ports import BridgeAdapter
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind, OperationOutcome
from tests.bridge.conformance import MEMBERS, OPERATIONS, Asking, BridgeConformance, BridgeHarness
from tests.bridge.networks import CONTACT, Desk, desk
from tests.bridge.vendors.peer import Peer, files_of_all_kinds, ids_in, links_to
from tests.support.sandbox_worker import SandboxWorker

LOSES_ANSWER, LOSES_REQUEST = "+15550100031", "+15550100032"


class _Noted:
    """The adapter, and whose operation is under way."""

    def __init__(self, adapter: BridgeAdapter, peer: Peer) -> None:
        self._adapter, self._peer = adapter, peer
        self.answers: dict[int, set[str]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    async def perform(self, operation: Operation) -> OperationOutcome:
        before = len(self._peer.way.written)
        try:
            return await self._adapter.perform(operation)
        finally:
            written = self._peer.way.written[before:]
            made = ids_in(written, lambda call: True)
            self.answers.setdefault(operation.outbox_id, set()).update(made)
            if operation.kind is OperationKind.SEND:
                # What is sent can be changed next.
                await SandboxWorker(self._peer.world).perform()

    async def lookup(self, operation: Operation) -> OperationOutcome:
        """The vendor has gone on meanwhile."""
        await SandboxWorker(self._peer.world).perform()
        return await self._adapter.lookup(operation)


class VendorHarness(BridgeHarness):
    """The bridge, its webhooks and the vendor."""

    def __init__(self, desk: Desk, peer: Peer, known: str) -> None:
        self.desk, self.peer, self._known = desk, peer, known
        settings = msgspec.convert(peer.settings, peer.vendor.kind.settings)
        surroundings = peer.surroundings(desk.surroundings)
        self._open = partial(peer.vendor.kind.open, settings, surroundings)
        self._bridge: Any = _Noted(self._open(), peer)
        make = peer.vendor.kind.open_hooks
        self.hooks = None if make is None else make(settings, surroundings)

    @property
    def adapter(self) -> BridgeAdapter:
        adapter: BridgeAdapter = self._bridge
        return adapter

    def restarted(self) -> BridgeAdapter:
        self._bridge._adapter = self._open()
        return self.adapter

    @property
    def shown_as(self) -> str:
        return self.peer.vendor.name

    async def group(self) -> str:
        """Vendors' groups begin with the first words."""
        made = await self.adapter.perform(
            self.operation(OperationKind.GROUP_CREATE, participants=MEMBERS, text="hi all")
        )
        return str((made.result or {}).get("chat_key", "no-group"))

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        for name in ("message_guid", "reply_to_guid"):
            if str(payload.get(name, "")).endswith("-GUID"):
                payload[name] = self._known
        return self.desk.operation(kind, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        return tuple(self.desk.send("wait", to=to) for to in (LOSES_ANSWER, LOSES_REQUEST))

    def arrived(self, operation: Operation) -> int:
        return len(self._bridge.answers.get(operation.outbox_id, ()))

    async def hear(self) -> list[Observation]:
        said = await self.peer.act("say", contact=CONTACT, text="hi")
        await self.peer.act("react", message_id=said["message_guid"], type="love")
        return []  # webhooks tell it with the rest

    async def seen(self) -> list[Observation]:
        told: list[Observation] = []
        await self.peer.work()
        for request in await self.peer.deliveries():
            assert self.hooks is not None
            reply = await self.hooks.receive(request)
            assert reply.status == 200, reply.reason
            told += reply.observations
        return told + await self.desk.listen(self.adapter)


@pytest_asyncio.fixture(loop_scope="module")
async def harness(peer: Peer) -> AsyncIterator[VendorHarness]:
    async with desk() as opened:
        opened.clock = peer.world.clock
        opened.links, opened.files = links_to(peer), files_of_all_kinds()
        opened.lines = [peer.world.sandbox_line.handle]
        said = await peer.act("say", contact=CONTACT, text="first")
        for each in (LOSES_ANSWER, LOSES_REQUEST):
            await peer.act("say", contact=each, text="first")
        peer.way.loses_answer.add(LOSES_ANSWER[1:].encode())
        peer.way.loses_request.add(LOSES_REQUEST[1:].encode())
        yield VendorHarness(opened, peer, await peer.name_of(said["message_guid"]))


class TestVendors(BridgeConformance):
    """`harness` stands above."""

    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest.mark.parametrize(("capability", "ask", "tells"), OPERATIONS, ids=[each[0] for each in OPERATIONS])
    async def test_capability_is_honoured_or_the_operation_refused(
        self, harness: BridgeHarness, capability: str, ask: Asking, tells: frozenset[str]
    ) -> None:
        assert isinstance(harness, VendorHarness)
        operation = await ask(harness)
        if harness.peer.vendor.name == "messages-dev" and operation.payload.get("remove"):
            # Its API adds reactions and cannot take them back: the one thing is no reason to refuse the other.
            assert (await harness.adapter.perform(operation)).code == "unsupported"
            return
        await super().test_capability_is_honoured_or_the_operation_refused(harness, capability, ask, tells)
