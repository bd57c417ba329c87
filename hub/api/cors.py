"""Which web pages may call the surface from a browser (web.cors_origins); none unless the operator says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

#: contracts: messages.dev §1 names GET, POST, DELETE and OPTIONS; ours needs PATCH and PUT beside them.
METHODS: Final = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS: Final = b", ".join(
    (
        b"Authorization",
        b"Content-Type",
        b"Idempotency-Key",
        b"If-Match",
        b"If-None-Match",
        b"If-Range",
        b"Last-Event-ID",
        b"Prefer",
        b"Range",
        b"X-Filename",
    )
)
EXPOSED_HEADERS: Final = b", ".join(
    (
        b"Content-Disposition",
        b"Content-Range",
        b"ETag",
        b"Idempotent-Replayed",
        b"Preference-Applied",
        b"Retry-After",
        b"X-Ignored-Fields",
        b"X-RateLimit-Limit",
        b"X-RateLimit-Remaining",
        b"X-RateLimit-Reset",
        b"X-Request-Id",
    )
)
MAX_AGE_SECONDS: Final = b"600"


class Cors:
    """Answers browsers. Credentials are never allowed: a key travels in a header, not in a cookie."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._is_open = "*" in origins
        self._origins = frozenset(origin.rstrip("/").encode() for origin in origins)

    def headers(self, scope: Any) -> list[tuple[bytes, bytes]]:
        """Give the headers for one request; a page that is not listed gets none, so its browser refuses."""
        if not self._origins:
            return []
        headers = dict(scope["headers"])
        origin = headers.get(b"origin")
        vary = [] if self._is_open else [(b"vary", b"Origin")]
        if origin is None or not (self._is_open or origin in self._origins):
            return vary
        allowed = [
            *vary,
            (b"access-control-allow-origin", b"*" if self._is_open else origin),
            (b"access-control-expose-headers", EXPOSED_HEADERS),
        ]
        if scope["method"] == "OPTIONS":
            allowed += [
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", REQUEST_HEADERS),
                (b"access-control-max-age", MAX_AGE_SECONDS),
            ]
        return allowed
