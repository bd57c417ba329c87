"""Addresses of files that work without an API key, until they expire: what they allow is signed into them.

The same file, action and expiry give the same address, so one that is rendered into an event twice is the same text.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum
from typing import Final

_KEY_PURPOSE: Final = b"hub.files.links.1"


class LinkAction(StrEnum):
    """What an address allows."""

    READ = "read"
    UPLOAD = "upload"


class Verdict(StrEnum):
    """What an address is worth."""

    GOOD = "good"
    EXPIRED = "expired"
    FORGED = "forged"


def link_key(secret: bytes) -> bytes:
    """Derive the key for links from the hub's secret key: what signs links opens no secrets."""
    return hmac.digest(secret, _KEY_PURPOSE, hashlib.sha256)


def sign_link(key: bytes, action: LinkAction, file_id: str, *, expires_at: int) -> str:
    """Give the signature: 43 letters that a URL can hold as they are."""
    signed = f"{action}\n{file_id}\n{expires_at}".encode()
    return urlsafe_b64encode(hmac.digest(key, signed, hashlib.sha256)).rstrip(b"=").decode()


def judge_link(
    key: bytes, action: LinkAction, file_id: str, *, expires_at: int, signature: str, now_ms: int
) -> Verdict:
    """Tell whether an address is ours and still holds; one that was changed is forged, not expired."""
    expected = sign_link(key, action, file_id, expires_at=expires_at)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        return Verdict.FORGED
    return Verdict.GOOD if now_ms < expires_at else Verdict.EXPIRED
