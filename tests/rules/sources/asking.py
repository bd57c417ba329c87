"""Set a source up, and send it a golden delivery, whole or changed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from hub.rules.sources.bodies import read_query
from hub.rules.sources.intake import Judgement, judge
from hub.rules.sources.model import Source, SourceRequest
from tests.rules.sources.deliveries import NOW_MS, Golden
from tests.support.inbound_sources import sources_of


def source_of(golden: Golden, *secrets: str) -> Source:
    """Set up the source of a delivery, with its secret or with these."""
    environ = {f"SECRET_{index}": text for index, text in enumerate(secrets or (golden.secret,))}
    names = ", ".join(f"{{ env: {name} }}" for name in environ)
    token = ", verify_token: { env: TOKEN }" if golden.verify == "whatsapp" else ""
    section = f"  it: {{ verify: {golden.verify}, secret: [{names}]{token} }}\n"
    return sources_of(section, {**environ, "TOKEN": "verify-me"})[0]


def request_of(
    golden: Golden,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> SourceRequest:
    """Give the delivery as it comes in; what is given replaces what the vendor sends."""
    sent = golden.headers(golden.raw) if headers is None else headers
    return SourceRequest(
        method=method,
        url=golden.url,
        query=read_query(urlsplit(golden.url).query),
        headers={"content-type": golden.content_type, **sent},
        body=golden.raw if body is None else body,
    )


def judged(
    golden: Golden, *, at_ms: int = NOW_MS, source: Source | None = None, **changes: object
) -> Judgement:
    """Send it."""
    return judge(source or source_of(golden), request_of(golden, **changes), now_ms=at_ms)  # type: ignore[arg-type]  # as request_of takes them
