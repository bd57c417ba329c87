"""Who asks: the API key in `Authorization: Bearer sk_live_…` (contracts: messages.dev §1).

A key that was found is believed for a second without asking the store again, so a revocation reaches every
process within a second; in the process that revoked it, at once. A key that was not found is looked up each time.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Final

from hub.flow.keys import KeyRing, is_live
from hub.model.errors import InvalidRequest
from hub.model.key import ApiKey

BELIEVED_MS: Final = 1_000
MOST_BELIEVED: Final = 4_096

_BEARER: Final = re.compile(r"bearer +([!-~]+) *", re.IGNORECASE | re.ASCII)


class Authenticator:
    """Finds the key of a request."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        #: Text of a key → (the key, until when it is believed).
        self._believed: OrderedDict[str, tuple[ApiKey, int]] = OrderedDict()

    async def identify(self, headers: Mapping[bytes, bytes], now_ms: int) -> ApiKey:
        """Give the caller's key.

        Raises:
            InvalidRequest: missing_api_key without the header; invalid_api_key for anything but a live key.
        """
        if b"authorization" not in headers:
            raise InvalidRequest(
                "missing_api_key", "No API key: send the header 'Authorization: Bearer sk_live_…'."
            )
        key = await self.look_up(headers, now_ms)
        if key is not None and is_live(key, now_ms):
            return key
        is_bearer = _BEARER.fullmatch(headers[b"authorization"].decode("latin-1")) is not None
        form = "" if is_bearer else " The header has the form 'Authorization: Bearer sk_live_…'."
        raise InvalidRequest("invalid_api_key", f"Invalid API key.{form}")

    async def look_up(self, headers: Mapping[bytes, bytes], now_ms: int) -> ApiKey | None:
        """Give the key that the caller shows, live or not; None for none of ours."""
        bearer = _BEARER.fullmatch(headers.get(b"authorization", b"").decode("latin-1"))
        return await self._find(bearer[1], now_ms) if bearer else None

    def forget(self) -> None:
        """Believe nothing any more: a key was changed in this process."""
        self._believed.clear()

    async def _find(self, text: str, now_ms: int) -> ApiKey | None:
        believed = self._believed.get(text)
        if believed is not None and now_ms < believed[1] <= now_ms + BELIEVED_MS:
            return believed[0]
        key = await self._keys.find(text)
        self._believed.pop(text, None)
        if key is not None:
            self._believed[text] = (key, now_ms + BELIEVED_MS)
            if len(self._believed) > MOST_BELIEVED:
                self._believed.popitem(last=False)
        return key


def require_scope(key: ApiKey, scope: str) -> None:
    """Refuse a key that lacks the scope.

    Raises:
        InvalidRequest: insufficient_scope.
    """
    if not key.may(scope):
        raise InvalidRequest("insufficient_scope", f"This API key lacks the scope '{scope}'.")
