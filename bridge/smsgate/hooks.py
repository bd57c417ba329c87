"""The phone's webhooks: hex HMAC-SHA256 over the raw body and the header X-Timestamp. Verified before they are read."""

from __future__ import annotations

import re
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Final

from bridge.smsgate.reading import Sims, read_event
from bridge.smsgate.settings import SmsGateSettings
from bridge.taming import json_in
from bridge.unread import NO_JSON, Unread, passed_over
from hub.flow.bridge_kinds import HookReply, HookRequest, Surroundings
from hub.model.observation import Observation
from hub.model.refused import RefusalCode
from hub.rules.sources.verification import judged_age

#: The phone signs each attempt anew, but its clock may be off.
TOLERANCE_MS: Final = 15 * 60_000
#: An MMS may bring its pictures along.
MOST_BYTES: Final = 4_194_304
_STAMP: Final = re.compile(r"[0-9]{1,12}", re.ASCII)


class SmsGateHooks:
    """The way in of one phone."""

    def __init__(self, settings: SmsGateSettings, surroundings: Surroundings) -> None:
        self._key = settings.signing_key.encode()
        self._sims = settings.sims
        self._device_id = settings.device_id
        self._around = surroundings

    async def receive(self, request: HookRequest) -> HookReply:
        now_ms = self._around.clock.now_ms()
        if request.method != "POST":
            return HookReply(status=405, reason="The phone's webhooks are POST.")
        if len(request.body) > MOST_BYTES:
            return HookReply(status=413, reason="The body is larger than any that is read.")
        refused = self._refusal(request, now_ms)
        if refused is not None:
            return HookReply(status=401, reason=refused)
        return await self.read(request)

    async def read(self, request: HookRequest) -> HookReply:
        read = self._read(json_in(request.body), self._around.clock.now_ms())
        return passed_over(read) if isinstance(read, str) else HookReply(observations=read)

    def _read(self, found: object, now_ms: int) -> tuple[Observation, ...] | str:
        if not isinstance(found, dict):
            return NO_JSON
        if self._device_id not in (None, found.get("deviceId")):
            return Unread("another phone than `device_id` tells it", RefusalCode.OTHER_LINE)
        return read_event(found, Sims(lines=self._around.lines(), numbers=self._sims), now_ms=now_ms)

    def _refusal(self, request: HookRequest, now_ms: int) -> str | None:
        offered, stamp = request.headers.get("x-signature", ""), request.headers.get("x-timestamp", "")
        if not offered or not _STAMP.fullmatch(stamp):
            return "X-Signature or X-Timestamp is missing: set a signing key in the app."
        expected = hmac_digest(self._key, request.body + stamp.encode(), "sha256").hex()
        if not compare_digest(expected.encode(), offered.lower().encode("utf-8", "replace")):
            return "The signature is not one of signing_key: it stands in the app's settings, under Webhooks."
        late = judged_age(now_ms - int(stamp) * 1000, TOLERANCE_MS)
        return None if late is None else late.detail
