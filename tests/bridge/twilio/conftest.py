"""A Twilio bridge with a Twilio behind it that tests steer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.twilio.bridge import TwilioBridge
from bridge.twilio.hooks import TwilioHooks
from bridge.twilio.settings import TwilioSettings
from hub.flow.bridge_kinds import HookReply, HookRequest
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeHarness
from tests.bridge.networks import CONTACT, Desk, desk, serving
from tests.bridge.twilio.fake_twilio import ACCOUNT, TOKEN, FakeTwilio

LOSES_ANSWER, LOSES_REQUEST = "+15550100408", "+15550100504"


class TwilioHarness(BridgeHarness):
    """The bridge, its webhooks and its network."""

    def __init__(self, desk: Desk, twilio: FakeTwilio, url: str) -> None:
        self.desk, self.twilio, self._url = desk, twilio, url
        self.restarted()

    def restarted(self, **settings: Any) -> TwilioBridge:
        """Give a new bridge on the same network, as after a crash or with other settings."""
        given = {"account_sid": ACCOUNT, "auth_token": TOKEN, "api_url": self._url, **settings}
        self.settings = TwilioSettings(**given)
        self._bridge = TwilioBridge(self.settings, self.desk.surroundings)
        self._hooks = TwilioHooks(self.settings, self.desk.surroundings)
        return self._bridge

    @property
    def adapter(self) -> TwilioBridge:
        return self._bridge

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        return self.desk.operation(kind, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        return tuple(self.desk.send("wait", to=to) for to in (LOSES_ANSWER, LOSES_REQUEST))

    def arrived(self, operation: Operation) -> int:
        return sum(1 for url in self.twilio.callbacks.values() if operation.attempt_id in url)

    async def hook(self, request: HookRequest) -> HookReply:
        return await self._hooks.receive(request)

    async def hear(self) -> list[Observation]:
        came = [
            self.twilio.receive("hi", sender=CONTACT),
            self.twilio.receive("look", sender=CONTACT, files=2),
        ]
        return [each for request in came for each in (await self.hook(request)).observations]

    async def seen(self) -> list[Observation]:
        """Everything of ours is sent and delivered; then the list is read, too."""
        told: list[Observation] = []
        for sid in list(self.twilio.callbacks):
            for status in ("queued", "sent", "delivered"):
                self.desk.clock.advance(10)
                told += (await self.hook(self.twilio.progress(sid, status))).observations
        return told + await self.desk.listen(self._bridge)


@pytest.fixture
async def harness() -> AsyncIterator[TwilioHarness]:
    async with desk() as opened:
        twilio = FakeTwilio(opened.clock)
        twilio.loses_answer.add(LOSES_ANSWER)
        twilio.loses_request.add(LOSES_REQUEST)
        async with serving(twilio.app) as url:
            yield TwilioHarness(opened, twilio, url)
