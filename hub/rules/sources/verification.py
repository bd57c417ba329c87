"""Verify one request against a source's secrets, over the raw bytes; every secret is tried, in constant time.

Pure: the clock is an argument, and what a foreign request holds never raises.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from hmac import compare_digest
from hmac import digest as hmac_digest
from typing import Any, Final

from hub.rules.sources import special
from hub.rules.sources.bodies import loosely_read
from hub.rules.sources.keys import key_bytes, public_key
from hub.rules.sources.model import Check, Reason, Refused, Source, SourceRequest, SourceSecret, TimestampRule
from hub.rules.sources.signed_text import decoded_url, render
from hub.rules.sources.special import DIGESTS

#: One spelling: what is signed is the text, and 007 would be another text of the same time.
_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_ID: Final = re.compile(r"[!-~]{1,255}", re.ASCII)
#: Signatures in one header that are looked at.
_MOST_SIGNATURES: Final = 20
_MISSING: Final = Refused(Reason.MISSING_SIGNATURE, "The header that holds the signature is missing.")
_WRONG: Final = Refused(
    Reason.BAD_SIGNATURE, "No signature fits these bytes with any of the source's secrets."
)


def verify(source: Source, request: SourceRequest, *, now_ms: int) -> Refused | None:
    """Tell why a request may not be believed; None if it may.

    Args:
        source: With every secret that may sign now.
        request: Its body as it came, not as anybody parsed it.
        now_ms: Unix ms.
    """
    check = source.definition.check
    if not source.secrets:
        return Refused(Reason.NO_SECRET, "The source has no secret yet; set it in connections.yaml.")
    match check.kind:
        case "static":
            return _static(check, request, source.secrets)
        case "python":
            return special.VERIFIERS[check.variant](check, request, source.secrets, now_ms)
        case _:
            return _signed(check, request, source.secrets, now_ms)


def _signed(
    check: Check, request: SourceRequest, secrets: Sequence[SourceSecret], now_ms: int
) -> Refused | None:
    header = next((request.headers[name] for name in check.headers if name in request.headers), None)
    if not header:
        return _MISSING
    offered = [each for each in (_decoded(check, text) for text in _signatures(check, header)) if each]
    if not offered:
        return Refused(
            Reason.BAD_SIGNATURE, "The signature's header cannot be read as this source writes it."
        )
    stamp = None
    if check.timestamp is not None:
        stamp = _stamp(check, check.timestamp, request, header)
        refused = _judged(check.timestamp, stamp, now_ms)
        if refused is not None:
            return refused
    delivery_id = request.headers.get(check.id_header, "") if check.id_header else ""
    if check.id_header and not _ID.fullmatch(delivery_id):
        return Refused(Reason.MISSING_SIGNATURE, f"The header {check.id_header} is missing or unreadable.")
    fits = [
        _fits(check, secret, content, offered)
        for secret in secrets
        for content in _contents(check, request, secret, stamp or "", delivery_id)
    ]
    return None if any(fits) else _WRONG


def _contents(
    check: Check, request: SourceRequest, secret: SourceSecret, stamp: str, delivery_id: str
) -> Iterator[bytes]:
    values = {
        "body": request.body,
        "id": delivery_id.encode("utf-8", "replace"),
        "method": request.method.encode(),
        "secret": secret.text.encode(),
        "timestamp": stamp.encode("utf-8", "replace"),
        "url": request.url.encode("utf-8", "replace"),
        "url_decoded": decoded_url(request.url).encode("utf-8", "replace"),
    }
    made = (render(template, values) for template in check.sign)
    yield from (content for content in made if content is not None)


def _fits(check: Check, secret: SourceSecret, content: bytes, offered: Sequence[bytes]) -> bool:
    """Compare with every signature, so that the time taken does not tell which one fitted."""
    if check.kind == "public_key":
        verifier = public_key(check, secret)
        return not isinstance(verifier, str) and any(verifier(each, content) for each in offered)
    if check.kind == "hash":
        expected = DIGESTS[check.variant](content).digest()
    else:
        key = key_bytes(check, secret)
        if isinstance(key, str):
            return False
        expected = hmac_digest(key, content, check.variant)
    compared = [compare_digest(expected, each) for each in offered]
    return any(compared)


def _signatures(check: Check, header: str) -> list[str]:
    entries = header.split(check.items)[:_MOST_SIGNATURES] if check.items else [header]
    found = []
    for entry in entries:
        text = entry.strip()
        if check.pair:
            name, _, text = text.partition(check.pair)
            if name.strip() != check.field:
                continue
        if text.startswith(check.prefix):
            found.append(text.removeprefix(check.prefix))
    return found


def _decoded(check: Check, text: str) -> bytes | None:
    try:
        if check.encoding == "hex":
            return bytes.fromhex(text) if re.fullmatch(r"[0-9a-fA-F]{2,1024}", text, re.ASCII) else None
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return None


def _stamp(check: Check, rule: TimestampRule, request: SourceRequest, header: str) -> str | None:
    if rule.header is not None:
        return request.headers.get(rule.header)
    if rule.field is not None:
        for entry in header.split(check.items)[:_MOST_SIGNATURES]:
            name, _, text = entry.strip().partition(check.pair)
            if name.strip() == rule.field:
                return text
        return None
    assert rule.path is not None, "a timestamp stands in a header, a field or the body"
    found = rule.path.find({"body": loosely_read(request.body)})
    return str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else None


def _judged(rule: TimestampRule, stamp: str | None, now_ms: int) -> Refused | None:
    at_ms = None if stamp is None else _milliseconds(rule, stamp)
    if at_ms is None:
        return Refused(Reason.BAD_TIMESTAMP, "The time of the signature is missing or unreadable.")
    return judged_age(now_ms - at_ms, rule.tolerance_ms)


def judged_age(age_ms: int, tolerance_ms: int) -> Refused | None:
    """Tell whether a signature is from another time; both directions count."""
    if tolerance_ms and age_ms > tolerance_ms:
        return Refused(
            Reason.TOO_OLD, f"It was signed {age_ms // 1000} s ago; {tolerance_ms // 1000} s are allowed."
        )
    if tolerance_ms and age_ms < -tolerance_ms:
        ahead = -age_ms // 1000
        return Refused(Reason.TOO_NEW, f"It was signed {ahead} s in the future; check the clocks.")
    return None


def _milliseconds(rule: TimestampRule, stamp: str) -> int | None:
    if rule.unit == "iso":
        try:
            at = datetime.fromisoformat(stamp)
            return round(at.timestamp() * 1000) if at.tzinfo is not None else None
        except (ValueError, OverflowError):
            return None
    if not _SECONDS.fullmatch(stamp):
        return None
    return int(stamp) * (1000 if rule.unit == "s" else 1)


def _static(check: Check, request: SourceRequest, secrets: Sequence[SourceSecret]) -> Refused | None:
    offered = _offered(check, request)
    if not isinstance(offered, str) or not offered:
        return Refused(Reason.MISSING_SIGNATURE, f"The secret is missing from the {check.variant}.")
    return None if token_fits(offered, secrets) else Refused(Reason.BAD_TOKEN, "The secret is another one.")


def _offered(check: Check, request: SourceRequest) -> Any:
    match check.variant:
        case "header":
            return next((request.headers[name] for name in check.headers if name in request.headers), None)
        case "bearer":
            kind, _, rest = request.headers.get("authorization", "").partition(" ")
            return rest.strip() if kind.lower() == "bearer" else None
        case "basic":
            kind, _, rest = request.headers.get("authorization", "").partition(" ")
            return _basic(rest.strip()) if kind.lower() == "basic" else None
        case "query":
            return check.path.find({"query": request.query}) if check.path else None
        case _:
            return check.path.find({"body": loosely_read(request.body)}) if check.path else None


def _basic(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (ValueError, binascii.Error):
        return None


def token_fits(offered: str, secrets: Sequence[SourceSecret]) -> bool:
    """Compare a text with every secret in constant time."""
    theirs = offered.encode("utf-8", "replace")
    compared = [compare_digest(secret.text.encode(), theirs) for secret in secrets]
    return any(compared)
