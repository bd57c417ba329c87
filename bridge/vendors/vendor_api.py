"""Ask a vendor's JSON API: bearer key, JSON in and out. All input and output of an account goes through here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bridge.http_api import JSON, Answer, HttpApi
from bridge.vendors.account import VendorRefused
from hub.flow.bridge_kinds import Surroundings

_encode: Final = msgspec.json.Encoder().encode


class VendorApi:
    """One account's API."""

    def __init__(self, title: str, surroundings: Surroundings, *, url: str, api_key: str) -> None:
        self._title = title
        self._clock = surroundings.clock
        self._http = HttpApi(surroundings.caller, url=url, authorization=f"Bearer {api_key}")

    async def do(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, once_as: str | None = None
    ) -> Answer:
        """Ask for something to be done; raises CallFailed.

        Args:
            method: Of HTTP.
            path: Below the API's address.
            body: As JSON; none without.
            once_as: An idempotency key, where the vendor takes one.
        """
        return await self._http.ask(
            method,
            path,
            body=b"" if body is None else _encode(body),
            content_type="" if body is None else JSON,
            now_ms=self._clock.now_ms(),
            more=() if once_as is None else ((b"Idempotency-Key", once_as.encode()),),
        )

    async def upload(
        self,
        method: str,
        path: str,
        body: bytes,
        *,
        content_type: str,
        more: tuple[tuple[bytes, bytes], ...] = (),
    ) -> Answer:
        """Send bytes; raises CallFailed."""
        return await self._http.ask(
            method, path, body=body, content_type=content_type, now_ms=self._clock.now_ms(), more=more
        )

    async def show(self, path: str, **query: str | int | None) -> Mapping[str, Any]:
        """Ask for something that is there; raises CallFailed, VendorRefused."""
        answer = await self.ask(path, **query)
        if not answer.is_good:
            raise VendorRefused(self._title, answer)
        return answer.body

    async def ask(self, path: str, **query: str | int | None) -> Answer:
        """Ask, and give whatever is answered; raises CallFailed."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return await self._http.ask("GET", f"{path}?{asked}" if asked else path, now_ms=self._clock.now_ms())
