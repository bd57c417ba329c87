"""Verifications that no table describes: Twilio signs its form sorted, Mailgun a part of its body."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1, sha256, sha512
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from hub.rules.sources.bodies import loosely_read
from hub.rules.sources.model import TOLERANCE_MS, Check, Reason, Refused, SourceRequest, SourceSecret

DIGESTS: Final[Mapping[str, Any]] = {"sha1": sha1, "sha256": sha256, "sha512": sha512}
_PORTS: Final = {"http": 80, "https": 443}
_STAMP: Final = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_WRONG: Final = Refused(Reason.BAD_SIGNATURE, "No signature fits this with any of the source's secrets.")

Verifier = Callable[[Check, SourceRequest, Sequence[SourceSecret], int], Refused | None]


def verify_twilio(
    check: Check, request: SourceRequest, secrets: Sequence[SourceSecret], now_ms: int
) -> Refused | None:
    """X-Twilio-Signature: HMAC-SHA1 of the URL and the form's sorted names and values.

    Where the body is JSON, the URL holds its digest, and alone is signed.
    """
    offered = request.headers.get("x-twilio-signature", "")
    if not offered:
        return Refused(Reason.MISSING_SIGNATURE, "The header x-twilio-signature is missing.")
    digest = request.query.get("bodySHA256")
    form = b""
    if digest is not None:
        if not compare_digest(sha256(request.body).hexdigest().encode(), digest.encode("utf-8", "replace")):
            return Refused(Reason.BAD_SIGNATURE, "bodySHA256 in the URL is not the digest of this body.")
    else:
        form = _sorted_form(request.body)
    fits = [
        compare_digest(
            _sha1(secret, url.encode("utf-8", "replace") + form), offered.encode("utf-8", "replace")
        )
        for secret in secrets
        for url in with_and_without_port(request.url)
    ]
    return None if any(fits) else _WRONG


def _sha1(secret: SourceSecret, content: bytes) -> bytes:
    return base64.b64encode(hmac_digest(secret.text.encode(), content, "sha1"))


def _sorted_form(body: bytes) -> bytes:
    """Names in order, each with its different values in order, nothing between."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return "".join(name + value for name, value in sorted(set(pairs))).encode("utf-8", "replace")


def with_and_without_port(url: str) -> tuple[str, str]:
    """Write a URL both ways: Twilio signs it with or without the port, whatever it called."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = parts.port or _PORTS.get(parts.scheme, 443)
    return (parts._replace(netloc=f"{host}:{port}").geturl(), parts._replace(netloc=host).geturl())


def verify_mailgun(
    check: Check, request: SourceRequest, secrets: Sequence[SourceSecret], now_ms: int
) -> Refused | None:
    """`signature` in the body: HMAC-SHA256 of its timestamp and token. The event itself is not signed."""
    body = loosely_read(request.body)
    found = body.get("signature") if isinstance(body, dict) else None
    texts = (
        [found.get(name) for name in ("timestamp", "token", "signature")] if isinstance(found, dict) else []
    )
    stamp, token, offered = texts if len(texts) == 3 else (None, None, None)
    stamp = str(stamp) if isinstance(stamp, int) and not isinstance(stamp, bool) else stamp
    if not isinstance(stamp, str) or not isinstance(token, str) or not isinstance(offered, str) or not token:
        return Refused(
            Reason.MISSING_SIGNATURE, "The body has no `signature` with timestamp, token and signature."
        )
    if not _STAMP.fullmatch(stamp):
        return Refused(Reason.BAD_TIMESTAMP, "The time of the signature is unreadable.")
    content = f"{stamp}{token}".encode("utf-8", "replace")
    theirs = offered.encode("utf-8", "replace")
    fits = [
        compare_digest(hmac_digest(secret.text.encode(), content, "sha256").hex().encode(), theirs)
        for secret in secrets
    ]
    if not any(fits):
        return _WRONG
    age_ms = now_ms - int(stamp) * 1000
    if abs(age_ms) <= TOLERANCE_MS:
        return None
    reason = Reason.TOO_OLD if age_ms > 0 else Reason.TOO_NEW
    return Refused(
        reason, f"It was signed {age_ms // 1000} s ago; {TOLERANCE_MS // 1000} s are allowed either way."
    )


#: Alphabetical.
VERIFIERS: Final[Mapping[str, Verifier]] = {"mailgun": verify_mailgun, "twilio": verify_twilio}
