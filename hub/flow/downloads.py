"""What it takes to fetch bytes from an address that somebody gave. Implemented by hub.outbound.downloads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from hub.model.errors import HubError


class DownloadFailed(HubError):
    """The bytes did not come. The message may be shown to whoever gave the address."""

    def __init__(self, message: str, *, is_refused: bool = False, is_permanent: bool = False) -> None:
        super().__init__(message)
        #: We may not call the address at all.
        self.is_refused = is_refused
        #: Asking again will not help.
        self.is_permanent = is_permanent or is_refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Download:
    """An answer whose bytes are on their way; `pieces` raises DownloadFailed where they break off."""

    #: As the far side names it, not cleaned yet.
    filename: str | None
    mime_type: str | None
    size: int | None
    pieces: AsyncIterator[bytes]


class Downloads(Protocol):
    """Fetches through the guarded client."""

    def open(
        self, url: str, *, most_bytes: int, timeout_seconds: float
    ) -> AbstractAsyncContextManager[Download]:
        """Ask for the bytes at an address; redirects are followed, each vetted like the first.

        Raises:
            DownloadFailed: There is nothing to read.
        """
        ...
