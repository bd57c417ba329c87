"""Both signatures, written from the specifications and not from the product: Standard Webhooks 1.0.0 and
contracts: messages.dev §6. The generator signs with them, the receiver verifies with them."""

from __future__ import annotations

import hmac
from base64 import b64decode
from binascii import b2a_base64

SECRET_PREFIX = "whsec_"


def standard_key(secret: str) -> bytes:
    """Decode a `whsec_` secret."""
    encoded = secret.removeprefix(SECRET_PREFIX)
    return b64decode(encoded + "=" * (-len(encoded) % 4))


def sign_standard(key: bytes, webhook_id: bytes, timestamp: bytes, body: bytes) -> bytes:
    """Give the `webhook-signature` of one request."""
    digest = hmac.digest(key, webhook_id + b"." + timestamp + b"." + body, "sha256")
    return b"v1," + b2a_base64(digest, newline=False)


def verify_standard(key: bytes, webhook_id: bytes, timestamp: bytes, body: bytes, header: bytes) -> bool:
    """Tell whether any signature of the list is right."""
    expected = sign_standard(key, webhook_id, timestamp, body)
    return any(hmac.compare_digest(expected, offered) for offered in header.split(b" "))


def verify_native(secret: bytes, timestamp_ms: int, body: bytes, header: bytes) -> bool:
    """Check `X-Webhook-Signature`: the key is the secret's text, the timestamp that of the body."""
    expected = hmac.digest(secret, b"%d.%b" % (timestamp_ms, body), "sha256").hex().encode()
    return hmac.compare_digest(expected, header)
