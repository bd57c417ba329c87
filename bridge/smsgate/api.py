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
from bridge.taming import iso_text
from hub.flow.calling import UploadCaller
from hub.model.errors import AttachmentGone, BridgeError

_REF: Final = re.compile(r"([A-Za-z0-9_.\-]{1,400})/([0-9]{1,20})", re.ASCII)
_PAGE: Final = 100
#: Older versions of the app, and of its cloud, do not have it.
_UNKNOWN: Final = frozenset({400, 404, 405, 501})


class PhoneRefused(BridgeError):
    """The phone answered, and not with what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"the phone answered with status {answer.status}")
        self.answer = answer


class PhoneApi:
    """One phone, or its place in the app's cloud."""

    def __init__(self, settings: SmsGateSettings, caller: UploadCaller) -> None:
        #: Says which phone is meant, where that was set.
        self._phone: dict[str, object] = (
            {} if settings.device_id is None else {"deviceId": settings.device_id}
        )
        key = base64.b64encode(f"{settings.username}:{settings.password}".encode()).decode()
        self._api = HttpApi(caller, url=settings.url, authorization=f"Basic {key}")

    async def create(self, message: dict[str, object], *, now_ms: int) -> Answer:
        """Send a message; raises CallFailed."""
        return await self._post("/messages", message | self._phone, now_ms=now_ms)

    async def message(self, message_id: str) -> Answer:
        """Show a message; raises CallFailed."""
        return await self._api.ask("GET", f"/messages/{message_id}")

    async def webhooks(self) -> Answer:
        """List what the phone tells to whom; raises CallFailed."""
        return await self._api.ask("GET", "/webhooks")

    async def devices(self) -> Answer:
        """List the phones behind the address: the app shows itself, its cloud all of the account."""
        answer = await self._api.ask("GET", "/device")
        return await self._api.ask("GET", "/devices") if answer.status in _UNKNOWN else answer

    async def set_webhook(self, *, name: str, url: str, event: str) -> None:
        """Let the phone tell of an event, in the place of what it told under this name."""
        answer = await self._post("/webhooks", {"id": name, "url": url, "event": event} | self._phone)
        if not answer.is_good:
            raise PhoneRefused(answer)

    async def tell_again(self, since_ms: int, until_ms: int) -> None:
        """Let the phone send the webhooks of what came in between once more."""
        wish: dict[str, object] = {"since": iso_text(since_ms), "until": iso_text(until_ms)}
        more = {"messageTypes": ["SMS", "MMS"], "triggerWebhooks": True, **self._phone}
        answer = await self._post("/inbox/refresh", wish | more)
        if answer.status in _UNKNOWN:
            answer = await self._post("/messages/inbox/export", wish | self._phone)
        if not answer.is_good:
            raise PhoneRefused(answer)

    async def _post(self, path: str, wish: Mapping[str, object], *, now_ms: int = 0) -> Answer:
        body = msgspec.json.encode(wish)
        return await self._api.ask("POST", path, body=body, content_type=JSON, now_ms=now_ms)

    async def sent(self, since_ms: int, until_ms: int, *, most_pages: int) -> list[Any]:
        """List messages that were asked for in between; an object in the place of a list stands as one entry."""
        listed: list[Any] = []
        for page in range(most_pages):
            query = {
                "from": iso_text(since_ms),
                "to": iso_text(until_ms),
                "limit": str(_PAGE),
                "offset": str(page * _PAGE),
            }
            answer = await self._api.ask("GET", f"/messages?{urlencode(query)}")
            if not answer.is_good or not answer.is_read:
                raise PhoneRefused(answer)
            listed += answer.items or ([answer.body] if answer.body else [])
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
