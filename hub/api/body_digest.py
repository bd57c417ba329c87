"""Compare bodies that are too large to keep: a digest, made while the body arrives.

A client draws a fresh boundary each time it sends a form, so boundaries are left out of the digest: the same files
under another boundary are the same request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from hub.api.parts import Receive
from hub.api.uploads import find_boundary, is_form

_GAP: Final = b"\0boundary\0"


def normal_type(headers: Mapping[bytes, bytes]) -> bytes:
    """Give the media type of a body; of a form without its boundary."""
    kind = headers.get(b"content-type", b"").strip()
    return kind.partition(b";")[0].strip().lower() if is_form(headers) else kind


class BodyDigest:
    """Takes a body piece by piece; how it is cut makes no difference."""

    def __init__(self, headers: Mapping[bytes, bytes]) -> None:
        self._digest = hashlib.sha256()
        self._boundary = (find_boundary(headers) or "").encode("latin-1") if is_form(headers) else b""
        #: What may be the beginning of a boundary.
        self._rest = b""
        #: Bytes that came.
        self.length = 0
        #: Whether the body came to its end.
        self.is_whole = False

    def listening(self, receive: Receive) -> Receive:
        """Give the server's messages, and take the body that they bring."""

        async def receive_and_add() -> Any:
            message = await receive()
            if message["type"] == "http.request":
                self.add(message.get("body", b""))
                self.is_whole = not message.get("more_body", False)
            return message

        return receive_and_add

    def add(self, chunk: bytes) -> None:
        """Take the next piece."""
        self.length += len(chunk)
        if not self._boundary:
            self._digest.update(chunk)
            return
        *before, self._rest = (self._rest + chunk).split(self._boundary)
        for piece in before:
            self._digest.update(piece)
            self._digest.update(_GAP)
        settled = max(0, len(self._rest) - len(self._boundary) + 1)
        self._digest.update(self._rest[:settled])
        self._rest = self._rest[settled:]

    def finished(self) -> bytes:
        """Give the digest of the whole body; nothing may be added any more."""
        self._digest.update(self._rest)
        self._rest = b""
        return self._digest.digest()
