"""Which web pages may call the surface from a browser (web.cors_origins); none unless the operator says so."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

#: contracts: messages.dev §1 names GET, POST, DELETE and OPTIONS; ours needs PATCH and PUT beside them.
METHODS: Final = b"GET, POST, PUT, PATCH, DELETE, OPTIONS"
REQUEST_HEADERS: Final = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Prefer",
    "Range",
    "X-Filename",
)
EXPOSED_HEADERS: Final = (
    "Content-Disposition",
    "Content-Range",
    "ETag",
    "Idempotent-Replayed",
    "Preference-Applied",
    "Retry-After",
    "X-Ignored-Fields",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-Request-Id",
)
MAX_AGE_SECONDS: Final = b"600"


class Cors:
    """Answers browsers. Credentials are never allowed: a key travels in a header, not in a cookie."""

    def __init__(
        self, origins: Sequence[str], *, asked: Iterable[str] = (), told: Iterable[str] = ()
    ) -> None:
        """Take what the operator allows.

        Args:
            origins: Of the pages; `*` for all.
            asked: Headers that pages may send, beside those that the surface has always read.
            told: Headers of answers that pages may read, beside those that answers always have.
        """
        self._asked, self._told = _joined(REQUEST_HEADERS, asked), _joined(EXPOSED_HEADERS, told)
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
            (b"access-control-expose-headers", self._told),
        ]
        if scope["method"] == "OPTIONS":
            allowed += [
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", self._asked),
                (b"access-control-max-age", MAX_AGE_SECONDS),
            ]
        return allowed


def _joined(always: Sequence[str], more: Iterable[str]) -> bytes:
    """Give names of headers as one, each once whatever the case of its letters."""
    names = {name.lower(): name for name in (*more, *always)}
    return ", ".join(names[each] for each in sorted(names)).encode()
