"""Write `attributedBody` as Messages does: the counterpart of bridge.chatdb.typedstream. pytypedstream reads it."""

from __future__ import annotations

import struct


def encode(text: str) -> bytes:
    """Give the archive of a message's words."""
    words, units = text.encode(), len(text.encode("utf-16-le")) // 2  # the run's length counts UTF-16 units
    return (
        b"\x04\x0bstreamtyped\x81\xe8\x03\x84\x01@\x84\x84\x84\x12NSAttributedString\x00\x84\x84\x08NSObject\x00\x85"
        b"\x92\x84\x84\x84\x08NSString\x01\x94\x84\x01+" + _length(len(words)) + words + b"\x86\x84\x02iI\x01"
        + _length(units) + b"\x92\x84\x84\x84\x0cNSDictionary\x00\x94\x84\x01i\x01\x92\x84\x96\x96"
        b"\x1d__kIMMessagePartAttributeName\x86\x92\x84\x84\x84\x08NSNumber\x00\x84\x84\x07NSValue\x00\x94\x84\x01*"
        b"\x84\x99\x99\x00\x86\x86\x86"
    )  # fmt: skip


def _length(count: int) -> bytes:
    if count < 0x80:
        return bytes([count])
    return b"\x81" + struct.pack("<H", count) if count < 0x10000 else b"\x82" + struct.pack("<I", count)
