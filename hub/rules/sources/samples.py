"""Sign a request as the service of a source would, to try a source without the service.

Only where the secret is shared: nobody but the vendor can sign for a public key.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from hmac import digest as hmac_digest
from typing import Final

from hub.rules.sources.keys import key_bytes
from hub.rules.sources.model import Check, Source, SourceRequest
from hub.rules.sources.signed_text import decoded_url, render
from hub.rules.sources.special import DIGESTS

#: What is signed where nobody brings a body.
SAMPLE: Final = b'{"id":"sample_1","type":"sample","event":"sample"}'


def signed_sample(
    source: Source, body: bytes, *, url: str, now_ms: int, headers: Mapping[str, str]
) -> SourceRequest | None:
    """Make a request that the source believes; None where we cannot.

    Args:
        source: With at least one secret.
        body: What the service would send.
        url: Of the source.
        now_ms: Unix ms.
        headers: Others that the service sends, such as the event's type.
    """
    check = source.definition.check
    if not source.secrets or check.kind in ("public_key", "python"):
        return None
    secret = source.secrets[0].text
    if check.kind == "static":
        made = _static(check, secret)
        if made is None:
            return None
        return SourceRequest(method="POST", url=url, query={}, headers={**headers, **made}, body=body)
    signed = _signed(check, source, body, url=url, stamp=_stamp(check, now_ms))
    if signed is None:
        return None
    return SourceRequest(method="POST", url=url, query={}, headers={**headers, **signed}, body=body)


def _signed(check: Check, source: Source, body: bytes, *, url: str, stamp: str) -> dict[str, str] | None:
    secret = source.secrets[0]
    values = {
        "body": body,
        "id": b"sample_1",
        "method": b"POST",
        "secret": secret.text.encode(),
        "timestamp": stamp.encode(),
        "url": url.encode(),
        "url_decoded": decoded_url(url).encode(),
    }
    content, key = render(check.sign[0], values), key_bytes(check, secret)
    if content is None or isinstance(key, str):
        return None
    is_plain = check.kind == "hash"
    raw = DIGESTS[check.variant](content).digest() if is_plain else hmac_digest(key, content, check.variant)
    signature = check.prefix + (raw.hex() if check.encoding == "hex" else base64.b64encode(raw).decode())
    made = {check.headers[0]: _entry(check, signature, stamp)}
    if check.id_header:
        made[check.id_header] = "sample_1"
    if check.timestamp is not None and check.timestamp.header is not None:
        made[check.timestamp.header] = stamp
    return made


def _entry(check: Check, signature: str, stamp: str) -> str:
    if not check.pair:
        return signature
    entry = f"{check.field}{check.pair}{signature}"
    field = None if check.timestamp is None else check.timestamp.field
    return entry if field is None else f"{field}{check.pair}{stamp}{check.items}{entry}"


def _stamp(check: Check, now_ms: int) -> str:
    rule = check.timestamp
    if rule is None:
        return ""
    if rule.unit == "iso":
        return datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return str(now_ms if rule.unit == "ms" else now_ms // 1000)


def _static(check: Check, secret: str) -> dict[str, str] | None:
    match check.variant:
        case "header":
            return {check.headers[0]: secret}
        case "bearer":
            return {"authorization": f"Bearer {secret}"}
        case "basic":
            return {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
        case _:
            return None
