"""The part of the app's API that the bridge asks. All of the bridge's input and output is here."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bridge.http_api import JSON, Answer, HttpApi
from bridge.smsgate.settings import SmsGateSettings
from bridge.taming import iso_text, mapping_in
from hub.flow.calling import UploadCaller
from hub.model.errors import AttachmentGone, BridgeError

_REF: Final = re.compile(r"([A-Za-z0-9_.\-]{1,400})/([0-9]{1,20})", re.ASCII)
_PAGE: Final = 100


class PhoneRefused(BridgeError):
    """The phone answered, and not with what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the phone answered with status {answer.status}")
        self.answer = answer


class PhoneApi:
    """One phone, or its place in the app's cloud."""

    def __init__(self, settings: SmsGateSettings, caller: UploadCaller) -> None:
        key = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
        self._api = HttpApi(caller, url=settings.url, authorization=f"Basic {key}")

    async def create(self, message: Mapping[str, object], *, now_ms: int) -> Answer:
        """Send a message; raises CallFailed."""
        body = msgspec.json.encode(message)
        return await self._api.ask("POST", "/messages", body=body, content_type=JSON, now_ms=now_ms)

    async def message(self, message_id: str) -> Answer:
        """Show a message; raises CallFailed."""
        return await self._api.ask("GET", f"/messages/{message_id}")

    async def webhooks(self) -> Answer:
        """List what the phone tells to whom; raises CallFailed."""
        return await self._api.ask("GET", "/webhooks")

    async def set_webhook(self, *, name: str, url: str, event: str) -> None:
        """Let the phone tell of an event, in the place of what it told under this name."""
        body = msgspec.json.encode({"id": name, "url": url, "event": event})
        answer = await self._api.ask("POST", "/webhooks", body=body, content_type=JSON)
        if not answer.is_good:
            raise PhoneRefused(answer)

    async def tell_again(self, since_ms: int, until_ms: int) -> None:
        """Let the phone send the webhooks of what came in between once more."""
        body = msgspec.json.encode({"since": iso_text(since_ms), "until": iso_text(until_ms)})
        answer = await self._api.ask("POST", "/messages/inbox/export", body=body, content_type=JSON)
        if not answer.is_good:
            raise PhoneRefused(answer)

    async def sent(self, since_ms: int, until_ms: int, *, most_pages: int) -> list[Mapping[str, Any]]:
        """List messages that were asked for in between."""
        listed: list[Mapping[str, Any]] = []
        for page in range(most_pages):
            query = {
                "from": iso_text(since_ms),
                "to": iso_text(until_ms),
                "limit": str(_PAGE),
                "offset": str(page * _PAGE),
            }
            answer = await self._api.ask("GET", f"/messages?{urlencode(query)}")
            if not answer.is_good:
                raise PhoneRefused(answer)
            listed += map(mapping_in, answer.items)
            if len(answer.items) < _PAGE:
                break
        return listed

    async def file(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of a file that came in.

        Raises:
            AttachmentGone: The phone does not have it (any more).
            BridgeError: It did not come this time.
        """
        found = _REF.fullmatch(ref)
        if found is None:
            raise AttachmentGone("the phone has no file of this name")
        url = f"{self._api.url}/inbox/{found[1]}/attachments/{found[2]}"
        async with self._api.open(url, is_authorized=True) as reply:
            if reply.status in (404, 410):
                raise AttachmentGone("the phone does not have the file any more")
            if reply.status != 200:
                raise BridgeError(f"the phone answered with status {reply.status}")
            async for piece in reply.pieces:
                yield piece
