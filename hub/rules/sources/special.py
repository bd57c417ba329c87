"""Verifications that no table describes: Twilio signs its form sorted, Mailgun a part of its body."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha1, sha256, sha512
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any, Final
from urllib.parse import parse_qsl

from hub.rules.sources.bodies import loosely_read
from hub.rules.sources.model import TOLERANCE_MS, Check, Reason, Refused, SourceRequest, SourceSecret

DIGESTS: Final[Mapping[str, Any]] = {"sha1": sha1, "sha256": sha256, "sha512": sha512}
FORM: Final = "application/x-www-form-urlencoded"
_PORTS: Final = {"http": 80, "https": 443}
_PORT: Final = re.compile(r":\d+$", re.ASCII)
_TWILIO_SETTINGS: Final = "x-twilio-webhooks-signature-settings"
_TWILIO_DIGESTS: Final = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}
_STAMP: Final = re.compile(r"[1-9][0-9]{0,14}", re.ASCII)
_WRONG: Final = Refused(Reason.BAD_SIGNATURE, "No signature fits this with any of the source's secrets.")

Verifier = Callable[[Check, SourceRequest, Sequence[SourceSecret], int], Refused | None]


def verify_twilio(
    check: Check, request: SourceRequest, secrets: Sequence[SourceSecret], now_ms: int
) -> Refused | None:
    """X-Twilio-Signature: HMAC of the URL and the form's sorted names and values, as the vendor's 9.13 does it.

    Where the body is no form, the URL holds its digest, and alone is signed. SHA-1 unless another header names the
    digest of a shared key.
    """
    offered = request.headers.get("x-twilio-signature", "").encode("utf-8", "replace")
    if not offered:
        return Refused(Reason.MISSING_SIGNATURE, "The header x-twilio-signature is missing.")
    algorithm = _TWILIO_DIGESTS.get(_twilio_algorithm(request.headers.get(_TWILIO_SETTINGS, "")))
    if algorithm is None:
        return Refused(Reason.BAD_SIGNATURE, "It is signed with a digest that we do not know.")
    form = b""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        form = _sorted_form(request.body)
    elif request.body:
        named = request.query.get("bodySHA256", "").encode("utf-8", "replace")
        if not compare_digest(sha256(request.body).hexdigest().encode(), named):
            return Refused(Reason.BAD_SIGNATURE, "bodySHA256 in the URL is not the digest of this body.")
    fits = [
        compare_digest(_twilio_signature(secret, url, form, algorithm), offered)
        for secret in secrets
        for url in with_and_without_port(request.url)
    ]
    return None if any(fits) else _WRONG


def _twilio_algorithm(settings: str) -> str:
    """Read `key=…,algorithm=HMAC_SHA256`; the older form says nothing."""
    for entry in settings.split(","):
        name, _, value = entry.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return "HMAC_SHA1"


def _twilio_signature(secret: SourceSecret, url: str, form: bytes, algorithm: str) -> bytes:
    content = url.encode("utf-8", "replace") + form
    return base64.b64encode(hmac_digest(secret.text.encode(), content, algorithm))


def _sorted_form(body: bytes) -> bytes:
    """Names in order, each with its different values in order, nothing between."""
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    return "".join(name + value for name, value in sorted(set(pairs))).encode("utf-8", "replace")


def with_and_without_port(url: str) -> tuple[str, str]:
    """Write a URL both ways: Twilio signs it with or without the port, whatever it called."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    port = _PORT.search(place)
    bare = place if port is None else place[: port.start()]
    number = f":{_PORTS.get(scheme, 443)}" if port is None else port[0]
    return f"{scheme}://{bare}{number}{slash}{path}", f"{scheme}://{bare}{slash}{path}"


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
