"""Short-lived tokens for streams: a browser's EventSource can send no header, and an API key must not stand in a URL.

A token opens the stream and nothing else, for the key that asked for it, and shows no more than it was made for. It
is signed, not stored, so every process reads it; a revoked key ends its tokens.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import Final

import msgspec

from hub.flow.keys import KeyRing, is_live
from hub.model.errors import InvalidRequest
from hub.model.key import ApiKey

PREFIX: Final = "st_"
#: Whose tokens the command line makes: it holds the hub's own key, and needs no API key.
CONSOLE: Final = ApiKey(
    id=0,
    name="console",
    hint="console",
    scopes=frozenset({"events:read"}),
    line_ids=None,
    requests_per_hour=0,
    created_at=0,
    expires_at=None,
    revoked_at=None,
)
_LONGEST: Final = 2_000


class StreamGrant(msgspec.Struct, frozen=True, array_like=True):
    """What a token opens."""

    key_id: int
    #: Unix ms; a stream that is open by then goes on.
    expires_at: int
    #: As in hub.flow.repositories.EventFilter; None does not restrict beyond the key.
    types: tuple[str, ...] | None = None
    line_id: int | None = None
    chat_id: int | None = None


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(StreamGrant).decode


class StreamTokens:
    """Makes and reads tokens.

    Args:
        secret: The same in all processes of the hub.
        keys: Where the keys behind tokens are found.
    """

    def __init__(self, secret: bytes, keys: KeyRing) -> None:
        self._secret = secret
        self._keys = keys

    def make(self, grant: StreamGrant) -> str:
        """Write a token."""
        return write_token(self._secret, grant)

    def read(self, text: str, now_ms: int) -> StreamGrant:
        """Read a token.

        Raises:
            InvalidRequest: invalid_api_key for one that is not ours, and for one whose time is over.
        """
        grant = _opened(self._secret, text)
        if grant is None or grant.expires_at <= now_ms:
            raise InvalidRequest(
                "invalid_api_key",
                "The stream token is not valid, or its time is over: ask for another with "
                "POST /v1/events/stream-token.",
                param="token",
            )
        return grant

    async def holder(self, text: str, now_ms: int) -> ApiKey:
        """Give the key behind a token.

        Raises:
            InvalidRequest: invalid_api_key; also when the key was revoked or has expired since.
        """
        return await self.key_of(self.read(text, now_ms).key_id, now_ms)

    async def key_of(self, key_id: int, now_ms: int) -> ApiKey:
        """Give a key that must still be live.

        Raises:
            InvalidRequest: invalid_api_key.
        """
        if key_id == CONSOLE.id:
            return CONSOLE
        try:
            key = await self._keys.get(key_id)
        except InvalidRequest:
            key = None
        if key is None or not is_live(key, now_ms):
            raise InvalidRequest("invalid_api_key", "The API key was revoked or has expired.")
        return key


def stream_secret(encryption_key: bytes) -> bytes:
    """Derive the secret of the tokens from the hub's own key."""
    return hmac.digest(encryption_key, b"hub stream token 1", sha256)


def write_token(secret: bytes, grant: StreamGrant) -> str:
    """Sign what a token opens."""
    content = _encode(grant)
    return PREFIX + urlsafe_b64encode(hmac.digest(secret, content, sha256) + content).decode().rstrip("=")


def _opened(secret: bytes, text: str) -> StreamGrant | None:
    if not text.startswith(PREFIX) or len(text) > _LONGEST:
        return None
    body = text.removeprefix(PREFIX)
    try:
        raw = urlsafe_b64decode(body.encode("ascii") + b"=" * (-len(body) % 4))
    except (binascii.Error, UnicodeError, ValueError):
        return None
    signature, content = raw[:32], raw[32:]
    if not hmac.compare_digest(hmac.digest(secret, content, sha256), signature):
        return None
    try:
        return _decode(content)
    except msgspec.MsgspecError:
        return None
