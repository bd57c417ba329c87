"""Fetch files from addresses that others gave: GET through the guarded client, redirects vetted one by one.

hub.flow.downloads.Downloads. Nothing is decompressed: a compressed answer is refused, as nobody asked for one.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

from hub.flow.downloads import Download, DownloadFailed
from hub.outbound.client import OutboundClient
from hub.outbound.errors import OutboundCode, OutboundError
from hub.outbound.messages import Request, StreamedResponse
from hub.rules.file_names import read_disposition_name

MOST_REDIRECTS: Final = 5
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: Statuses that another try may mend.
_PASSING: Final = frozenset({404, 408, 409, 425, 429})
_REFUSED: Final = frozenset(
    {OutboundCode.URL_REFUSED, OutboundCode.HEADER_REFUSED, OutboundCode.ADDRESS_REFUSED}
)


class GuardedDownloads:
    """Fetches through one client."""

    def __init__(self, client: OutboundClient) -> None:
        self._client = client

    @contextlib.asynccontextmanager
    async def open(self, url: str, *, most_bytes: int, timeout_seconds: float) -> AsyncIterator[Download]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                place, answer = await self._follow(stack, url, most_bytes, timeout_seconds)
            except OutboundError as error:
                raise _failed(error) from None
            _require_success(answer, most_bytes)
            kind = answer.header(b"content-type")
            yield Download(
                filename=_name(answer, place),
                mime_type=None if kind is None else kind.decode("latin-1"),
                size=_length(answer),
                pieces=_told(answer.pieces),
            )

    async def _follow(
        self, stack: contextlib.AsyncExitStack, url: str, most_bytes: int, timeout_seconds: float
    ) -> tuple[str, StreamedResponse]:
        for _ in range(MOST_REDIRECTS + 1):
            request = Request(
                method="GET",
                url=url,
                headers=((b"Accept", b"*/*"),),
                timeout_seconds=timeout_seconds,
                max_response_bytes=most_bytes,
            )
            hop = await stack.enter_async_context(contextlib.AsyncExitStack())
            answer = await hop.enter_async_context(self._client.stream(request))
            target = answer.header(b"location")
            if answer.status not in _REDIRECTS or target is None:
                return url, answer
            await hop.aclose()
            url = urljoin(url, target.decode("latin-1"))
        raise DownloadFailed(f"it redirects more than {MOST_REDIRECTS} times", is_permanent=True)


def _require_success(answer: StreamedResponse, most_bytes: int) -> None:
    status = answer.status
    if status != 200:
        is_permanent = 400 <= status < 500 and status not in _PASSING
        raise DownloadFailed(f"it answered with status {status}", is_permanent=is_permanent)
    coding = answer.header(b"content-encoding")
    if coding is not None and coding.strip().lower() not in (b"", b"identity"):
        raise DownloadFailed("its answer is compressed, which was not asked for", is_permanent=True)
    size = _length(answer)
    if size is not None and size > most_bytes:
        raise DownloadFailed(f"it has {size} bytes, and {most_bytes} are allowed", is_permanent=True)


def _length(answer: StreamedResponse) -> int | None:
    text = (answer.header(b"content-length") or b"").strip()
    return int(text) if text.isdigit() and len(text) < 19 else None


def _name(answer: StreamedResponse, url: str) -> str | None:
    """Give the name that the answer gives, or the last part of its address."""
    disposition = answer.header(b"content-disposition")
    named = None if disposition is None else read_disposition_name(disposition)
    return named or unquote(urlsplit(url).path.rpartition("/")[2]) or None


async def _told(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in pieces:
            yield piece
    except OutboundError as error:
        raise _failed(error) from None


def _failed(error: OutboundError) -> DownloadFailed:
    is_permanent = error.code is OutboundCode.BODY_TOO_LARGE
    return DownloadFailed(error.detail, is_refused=error.code in _REFUSED, is_permanent=is_permanent)
