"""A WhatsApp bridge with a Meta behind it that tests steer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bridge.whatsapp.bridge import WhatsAppBridge
from bridge.whatsapp.hooks import WhatsAppHooks
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.bridge_kinds import HookReply, HookRequest
from hub.model.observation import Observation
from hub.model.outbox import Operation, OperationKind
from tests.bridge.conformance import BridgeHarness
from tests.bridge.networks import LINE, Desk, desk, serving
from tests.bridge.whatsapp.fake_meta import NUMBER_ID, SECRET, TOKEN, VERIFY, FakeMeta

LOSES_ANSWER, LOSES_REQUEST = "+15550100408", "+15550100504"
_SIGNS = {OperationKind.READ, OperationKind.TYPING}


class WhatsAppHarness(BridgeHarness):
    """The bridge, its webhooks and its network."""

    def __init__(self, desk: Desk, meta: FakeMeta) -> None:
        self.desk, self.meta = desk, meta
        self.restarted()

    def restarted(self, **settings: Any) -> WhatsAppBridge:
        """Give a new bridge on the same network, as after a crash or with other settings."""
        given = {
            "phone_numbers": {LINE: NUMBER_ID},
            "access_token": TOKEN,
            "app_secret": SECRET,
            "verify_token": VERIFY,
            "api_url": self.meta.url,
            **settings,
        }
        self.settings = WhatsAppSettings(**given)
        self._bridge = WhatsAppBridge(self.settings, self.desk.surroundings)
        self._hooks = WhatsAppHooks(self.settings, self.desk.surroundings)
        return self._bridge

    @property
    def adapter(self) -> WhatsAppBridge:
        return self._bridge

    @property
    def can_be_asked(self) -> bool:
        return False

    def operation(self, kind: OperationKind, **payload: object) -> Operation:
        """The contact has written: only then is there something to read."""
        more = {"last_received_guid": "wamid.LAST"} if kind in _SIGNS else {}
        return self.desk.operation(kind, **more, **payload)

    def timing_out(self) -> tuple[Operation, ...]:
        return tuple(self.desk.send("wait", to=to) for to in (LOSES_ANSWER, LOSES_REQUEST))

    def arrived(self, operation: Operation) -> int:
        marks = [each.get("biz_opaque_callback_data") for each in self.meta.messages.values()]
        return marks.count(operation.attempt_id)

    async def hook(self, request: HookRequest) -> HookReply:
        return await self._hooks.receive(request)

    async def hear(self) -> list[Observation]:
        came = self.meta.message("text", {"body": "hi"})
        return list((await self.hook(self.meta.hook(messages=[came]))).observations)

    async def seen(self) -> list[Observation]:
        """Everything is sent, delivered and read, and told in batches; then nothing is told without a webhook."""
        told: list[Observation] = []
        for word in ("sent", "delivered", "read"):
            self.desk.clock.advance(1_000)
            statuses = [self.meta.status(wamid, word) for wamid in self.meta.messages]
            told += (await self.hook(self.meta.hook(statuses=statuses))).observations
        return told + await self.desk.listen(self._bridge)


@pytest.fixture
async def harness() -> AsyncIterator[WhatsAppHarness]:
    async with desk() as opened:
        meta = FakeMeta(opened.clock)
        meta.loses_answer.add(LOSES_ANSWER.removeprefix("+"))
        meta.loses_request.add(LOSES_REQUEST.removeprefix("+"))
        async with serving(meta.app) as url:
            meta.url = url
            yield WhatsAppHarness(opened, meta)
