"""The words inside `message.attributedBody`, an archive of NeXT's `typedstream` format.

Only the first string is read: `NSString`, its `+`, a length of one to nine bytes, and UTF-8. Checked by the vectors in
photon-hq/imessage-kit `__tests__/12-attributed-body.test.ts` and against pytypedstream. Not here: mentions and formats.
"""

from __future__ import annotations

from typing import Final

#: First byte of a length → how many bytes of it follow, the lowest first.
_LENGTHS: Final = {0x81: 2, 0x82: 4, 0x83: 8}


def decode_text(archive: object) -> str | None:
    """Give the words; None for what is no archive, is cut off, or holds no string."""
    if not isinstance(archive, bytes):
        return None
    start = archive.find(b"NSString")
    start = archive.find(b"+", start) + 1 if start >= 0 else 0
    if not 0 < start < len(archive):
        return None
    first = archive[start]
    width = _LENGTHS.get(first, 0)
    if first >= 0x80 and not width:
        return None
    begin = start + 1 + width
    length = int.from_bytes(archive[start + 1 : begin], "little") if width else first
    if begin + length > len(archive):
        return None
    return archive[begin : begin + length].decode("utf-8", "replace")
