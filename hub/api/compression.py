"""Send answers compressed to who asks for it: gzip, because every client has it and the standard library does it.

Not what is sent while it is made (streams, files, exports): there a piece must not wait for the next one.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final

from hub.api.calls import Reply
from hub.api.conditional import GZIP_MARK

#: Below this a packet is a packet.
LEAST_BYTES: Final = 1_024
#: Better ones cost more time than they save bytes.
_LEVEL: Final = 5
_KINDS: Final = (b"application/json", b"text/", b"image/svg")
_ZERO: Final = re.compile(rb"q\s*=\s*0(\.0*)?")
_VARY: Final = (b"vary", b"Accept-Encoding")


def compressed(reply: Reply, headers: Mapping[bytes, bytes]) -> Reply:
    """Give an answer as small as its caller takes it."""
    body = reply.content
    if not isinstance(body, bytes) or len(body) < LEAST_BYTES or not reply.content_type.startswith(_KINDS):
        return reply
    if not accepts_gzip(headers.get(b"accept-encoding", b"")):
        return replace(reply, headers=(*reply.headers, _VARY))
    small = _kept(body) if reply.is_constant else _gzip(body)
    marked = tuple((name, _mark(value) if name == b"etag" else value) for name, value in reply.headers)
    return replace(reply, content=small, headers=(*marked, _VARY, (b"content-encoding", b"gzip")))


def accepts_gzip(header: bytes) -> bool:
    """Read `Accept-Encoding`: whether gzip is named, or anything, and not refused."""
    named: dict[bytes, bool] = {}
    for each in header.lower().split(b","):
        name, _, rest = each.partition(b";")
        named[name.strip()] = _ZERO.fullmatch(rest.strip()) is None
    return named.get(b"gzip", named.get(b"x-gzip", named.get(b"*", False)))


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _LEVEL, mtime=0)


@lru_cache(maxsize=16)
def _kept(body: bytes) -> bytes:
    return _gzip(body)


def _mark(tag: bytes) -> bytes:
    return tag.removesuffix(b'"') + GZIP_MARK + b'"'
