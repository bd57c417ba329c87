"""The part of Twilio's REST API that the bridge asks. All of the bridge's input and output is here."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from bridge.http_api import FORM, Answer, HttpApi, header_of
from bridge.list_reading import entries_in
from bridge.taming import iso_text, list_in, mapping_in
from bridge.twilio.reading import media_path
from bridge.twilio.sending import Form
from bridge.twilio.settings import TwilioSettings
from hub.flow.calling import UploadCaller
from hub.model.errors import AttachmentGone, BridgeError

_VERSION: Final = "/2010-04-01"
#: A file is at its address, or one or two addresses on (the store of files behind Twilio).
_MOST_HOPS: Final = 4
_GONE: Final = frozenset({404, 410})


class TwilioRefused(BridgeError):
    """Twilio answered, and not with what was asked for."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"Twilio answered with status {answer.status}")
        self.answer = answer


class TwilioApi:
    """One account at Twilio."""

    def __init__(self, settings: TwilioSettings, caller: UploadCaller) -> None:
        user = settings.api_key_sid or settings.account_sid
        secret = settings.api_key_secret if settings.api_key_sid else settings.auth_token
        key = base64.b64encode(f"{user}:{secret or ''}".encode()).decode()
        self._base = settings.api_url.rstrip("/")
        self._account = f"{_VERSION}/Accounts/{settings.account_sid}"
        self._api = HttpApi(caller, url=self._base, authorization=f"Basic {key}")

    async def create(self, form: Form, *, now_ms: int) -> Answer:
        """Send a message; raises CallFailed."""
        return await self._api.ask(
            "POST",
            f"{self._account}/Messages.json",
            body=urlencode(form).encode(),
            content_type=FORM,
            now_ms=now_ms,
        )

    async def account(self) -> Answer:
        """Show the account."""
        return await self._api.ask("GET", f"{self._account}.json")

    async def number(self, handle: str) -> Mapping[str, Any] | None:
        """Show one of the account's numbers; None where it is not one. Raises CallFailed, TwilioRefused."""
        query = urlencode({"PhoneNumber": handle})
        answer = await self._good(f"{self._account}/IncomingPhoneNumbers.json?{query}")
        return next(iter(map(mapping_in, list_in(answer.body.get("incoming_phone_numbers")))), None)

    async def page(self, query: str) -> list[Any]:
        """List messages: the first page, each as it came. Raises CallFailed, TwilioRefused."""
        answer = await self._good(f"{self._account}/Messages.json?{query}")
        return entries_in(answer.body.get("messages"))

    async def since(self, at_ms: int, *, most_pages: int) -> tuple[list[Any], bool]:
        """List messages that were sent since then, latest first, each as it came; and whether that is all of them."""
        messages: list[Any] = []
        query = urlencode({"DateSent>": iso_text(at_ms), "PageSize": "1000"})
        place: str | None = f"{self._account}/Messages.json?{query}"
        for _ in range(most_pages):
            answer = await self._good(place)
            messages += entries_in(answer.body.get("messages"))
            place = self._next(answer)
            if place is None:
                return messages, True
        return messages, False

    async def media(self, message_sid: str) -> list[Mapping[str, Any]]:
        """List the files of a message. Raises CallFailed, TwilioRefused."""
        answer = await self._good(f"{self._account}/Messages/{message_sid}/Media.json")
        return list(map(mapping_in, list_in(answer.body.get("media_list"))))

    async def file(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of a file; the key goes to Twilio's API only.

        Raises:
            AttachmentGone: Twilio does not have it (any more).
            BridgeError: It did not come this time.
        """
        path = media_path(ref)
        if path is None:
            raise AttachmentGone("Twilio has no file of this name")
        url, is_first = f"{self._base}{self._account}{path}", True
        for _ in range(_MOST_HOPS):
            async with self._api.open(url, is_authorized=is_first) as reply:
                if 300 <= reply.status < 400:
                    url, is_first = self._target(url, header_of(reply, b"location")), False
                    continue
                if reply.status in _GONE:
                    raise AttachmentGone("Twilio does not have the file any more")
                if reply.status != 200:
                    raise BridgeError(f"Twilio answered with status {reply.status}")
                async for piece in reply.pieces:
                    yield piece
                return
        raise BridgeError("Twilio sends from one address to the next without end")

    def _target(self, url: str, location: str | None) -> str:
        if not location:
            raise BridgeError("Twilio sends elsewhere and does not say where")
        if location.startswith("/"):
            parts = urlsplit(url)
            return f"{parts.scheme}://{parts.netloc}{location}"
        return location

    async def _good(self, place: str | None) -> Answer:
        answer = await self._api.ask("GET", place or "")
        if not answer.is_good:
            raise TwilioRefused(answer)
        return answer

    def _next(self, answer: Answer) -> str | None:
        """The next page is a path of the account: an answer leads nowhere else."""
        place = answer.body.get("next_page_uri")
        return place if isinstance(place, str) and place.startswith(f"{self._account}/") else None
