"""The part of Meta's Graph API that the bridge asks. All of the bridge's input and output is here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

from bridge.file_forms import file_form
from bridge.http_api import JSON, Answer, HttpApi
from bridge.whatsapp.sending import Json, shown_name
from bridge.whatsapp.settings import WhatsAppSettings
from hub.flow.calling import UploadCaller
from hub.flow.ports import OutgoingFile
from hub.model.errors import AttachmentGone, BridgeError

#: Where Meta keeps files: the token is shown to nobody else.
_HOSTS: Final = (".facebook.com", ".fbcdn.net", ".fbsbx.com", ".whatsapp.net")
_MEDIA_ID: Final = re.compile("[0-9A-Za-z_-]{1,128}", re.ASCII)
_GONE: Final = frozenset({400, 404, 410})
#: Shown of a number, for health and examination (field names from memory).
_FIELDS: Final = "display_phone_number,verified_name,quality_rating"


class WhatsAppApi:
    """One app at Meta."""

    def __init__(self, settings: WhatsAppSettings, caller: UploadCaller) -> None:
        self._url = f"{settings.api_url.rstrip('/')}/{settings.graph_version}"
        self._host = urlsplit(settings.api_url).hostname
        self._api = HttpApi(caller, url=self._url, authorization=f"Bearer {settings.access_token}")

    async def message(self, number_id: str, body: Json, *, now_ms: int) -> Answer:
        """Send a message, a reaction or a sign; raises CallFailed."""
        content = msgspec.json.encode(body)
        path = f"/{number_id}/messages"
        return await self._api.ask("POST", path, body=content, content_type=JSON, now_ms=now_ms)

    async def upload(self, number_id: str, file: OutgoingFile, *, now_ms: int) -> Answer:
        """Bring a file; raises CallFailed, and whatever reading the file raises."""
        fields = (("messaging_product", "whatsapp"), ("type", file.mime_type))
        form = file_form(file, field="file", filename=shown_name(file.filename), fields=fields)
        path = f"/{number_id}/media"
        return await self._api.upload(path, form.body, content_type=form.content_type, now_ms=now_ms)

    async def number(self, number_id: str) -> Answer:
        """Show a number; raises CallFailed."""
        return await self._api.ask("GET", f"/{number_id}?fields={_FIELDS}")

    async def callbacks(self, number_id: str) -> Answer:
        """Show where Meta tells of a number; raises CallFailed."""
        return await self._api.ask("GET", f"/{number_id}?fields=webhook_configuration")

    async def file(self, ref: str) -> AsyncIterator[bytes]:
        """Give the bytes of a file that came in. Its address lives for five minutes, so it is asked for each time.

        Raises:
            AttachmentGone: Meta does not have it (any more).
            BridgeError: It did not come this time.
        """
        if not _MEDIA_ID.fullmatch(ref):
            raise AttachmentGone("Meta has no file of this name")
        answer = await self._api.ask("GET", f"/{ref}")
        if answer.status in _GONE:
            raise AttachmentGone("Meta does not have the file any more")
        if not answer.is_good:
            raise BridgeError(f"Meta answered with status {answer.status}")
        async with self._api.open(self._address(answer.body), is_authorized=True) as reply:
            if reply.status != 200:
                raise BridgeError(f"the store of files answered with status {reply.status}")
            async for piece in reply.pieces:
                yield piece

    def _address(self, body: Mapping[str, object]) -> str:
        url = body.get("url")
        host = urlsplit(url).hostname if isinstance(url, str) else None
        if not isinstance(url, str) or host is None:
            raise BridgeError("Meta does not say where the file is")
        if host != self._host and not host.endswith(_HOSTS):
            raise BridgeError("Meta says that the file is at an address of somebody else")
        return url
