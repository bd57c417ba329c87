"""Ask a vendor's JSON API: bearer key, JSON in and out. All input and output of an account goes through here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bridge.http_api import JSON, MOST_FILE_BYTES, Answer, HttpApi, put_off
from bridge.outgoing_files import NotSent, open_outgoing, reading
from bridge.vendors.account import VendorRefused
from hub.flow.bridge_kinds import Surroundings
from hub.flow.calling import CallFailed, StreamedBody
from hub.flow.ports import OutgoingFile
from hub.model.outbox import OperationOutcome

_encode: Final = msgspec.json.Encoder().encode
#: What cannot be asked for by this name, now or later: to ask again would change nothing.
_GONE: Final = frozenset({400, 404, 405, 410, 414, 422})


class VendorApi:
    """One account's API."""

    def __init__(self, title: str, surroundings: Surroundings, *, url: str, api_key: str) -> None:
        self._title = title
        self._clock = surroundings.clock
        self._files = surroundings.files
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
        self, path: str, body: StreamedBody, *, content_type: str, more: tuple[tuple[bytes, bytes], ...] = ()
    ) -> Answer:
        """Send a file, to be named in a send that follows.

        Raises:
            NotSent: It did not get there, or it cannot be read.
        """
        now_ms = self._clock.now_ms()
        try:
            with reading():
                return await self._http.upload(
                    path, body, content_type=content_type, now_ms=now_ms, more=more
                )
        except CallFailed as error:
            raise NotSent(not_uploaded(error.detail)) from None

    async def open_file(self, file_id: str) -> OutgoingFile:
        """Open a file of ours; raises NotSent."""
        return await open_outgoing(self._files, file_id, most_bytes=MOST_FILE_BYTES)

    async def show(self, path: str, **query: str | int | None) -> Mapping[str, Any]:
        """Ask for something that is there; raises CallFailed, VendorRefused."""
        return self._shown(await self.ask(path, **query))

    async def find(self, path: str, **query: str | int | None) -> Mapping[str, Any] | None:
        """Ask for something that may be gone; None then. Raises CallFailed, VendorRefused."""
        answer = await self.ask(path, **query)
        return None if answer.status in _GONE else self._shown(answer)

    def _shown(self, answer: Answer) -> Mapping[str, Any]:
        """Give what is shown; what cannot be read is not believed to be nothing."""
        if not answer.is_good or not answer.is_read:
            raise VendorRefused(self._title, answer)
        return answer.body

    async def ask(self, path: str, **query: str | int | None) -> Answer:
        """Ask, and give whatever is answered; raises CallFailed."""
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return await self._http.ask("GET", f"{path}?{asked}" if asked else path, now_ms=self._clock.now_ms())


def not_uploaded(detail: str) -> OperationOutcome:
    """Say that a file did not get there: nothing was sent yet."""
    return put_off("upload_failed", detail, wait_ms=None)
