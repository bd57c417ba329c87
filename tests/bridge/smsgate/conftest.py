"""A bridge with a phone behind it that tests steer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.smsgate.bridge import SmsGateBridge
from bridge.smsgate.hooks import SmsGateHooks
from bridge.smsgate.ids import message_id
from bridge.smsgate.settings import SmsGateSettings
from hub.flow.bridge_kinds import HookReply, HookRequest
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeHarness
from tests.bridge.networks import Desk, desk, serving
from tests.bridge.smsgate.fake_phone import KEY, PASSWORD, USER, FakePhone

LOSES_ANSWER, LOSES_REQUEST = "+15550100408", "+15550100504"


class SmsGateHarness(BridgeHarness):
    """The bridge, its webhooks and its phone."""

    def __init__(self, desk: Desk, phone: FakePhone, url: str) -> None:
        self.desk, self.phone, self._url = desk, phone, url
        self.restarted()

    def restarted(self, **settings: Any) -> SmsGateBridge:
        """Give a new bridge to the same phone, as after a crash or with other settings."""
        given = {"url": self._url, "username": USER, "password": PASSWORD, "signing_key": KEY, **settings}
        self.settings = SmsGateSettings(**given)
        self._bridge = SmsGateBridge(self.settings, self.desk.surroundings)
        self._hooks = SmsGateHooks(self.settings, self.desk.surroundings)
        return self._bridge

    @property
    def adapter(self) -> SmsGateBridge:
        return self._bridge

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return self.desk.operation(kind, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        """Only the one that arrives: of the other the phone itself says that it has it not, and may be believed."""
        return (self.desk.send("wait", to=LOSES_ANSWER),)

    def arrived(self, operation: Operation) -> int:
        return self.phone.sent.get(message_id(operation.attempt_id), 0)

    async def hook(self, request: HookRequest) -> HookReply:
        return await self._hooks.receive(request)

    async def hear(self) -> list[Observation]:
        return list((await self.hook(self.phone.receive("hi"))).observations)

    async def seen(self) -> list[Observation]:
        """Everything of ours is sent and delivered; then the list is read, too."""
        told: list[Observation] = []
        for own_id in list(self.phone.messages):
            for event in ("sms:sent", "sms:delivered"):
                self.desk.clock.advance(10)
                told += (await self.hook(self.phone.progress(own_id, event))).observations
        return told + await self.desk.listen(self._bridge)


@pytest.fixture
async def harness() -> AsyncIterator[SmsGateHarness]:
    async with desk() as opened:
        phone = FakePhone(opened.clock)
        phone.loses_answer.add(LOSES_ANSWER)
        phone.loses_request.add(LOSES_REQUEST)
        async with serving(phone.app) as url:
            yield SmsGateHarness(opened, phone, url)
