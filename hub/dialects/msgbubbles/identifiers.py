"""Ids as UUIDs: each native id re-spelt, and read back; nothing is looked up or kept.

A UUID of version 8: the 63 bits of the native id in its first half, then four bits for the kind, then a fixed end. So
UUIDs of one kind sort by time, a chat's is never a message's, and one that is none of ours is told at once.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Final

from hub.dialects.msgbubbles.errors import Refused
from hub.model.ids import Prefix, id_text, parse_id

#: Kinds of ids that this vendor's clients see. What is here stays: clients keep UUIDs.
KINDS: Final[Mapping[Prefix, int]] = {
    Prefix.MESSAGE: 1,
    Prefix.CHAT: 2,
    Prefix.FILE: 3,
    Prefix.WEBHOOK: 4,
    Prefix.EVENT: 5,
    Prefix.DELIVERY: 6,
    Prefix.REACTION: 7,
}
_VERSION: Final = 8
_VARIANT: Final = 2
#: 54 bits: the letters of "bubble".
_END: Final = int.from_bytes(b"bubble")
_END_BITS: Final = 54
_FORM: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)


def uuid_of(native: str) -> str:
    """Spell a native id (`msg_…`) as a UUID."""
    prefix = Prefix(native.partition("_")[0])
    return uuid_text(prefix, parse_id(prefix, native))


def uuid_text(prefix: Prefix, value: int) -> str:
    """Spell the number of a native id as a UUID."""
    tail = (value & 0xF) << 58 | KINDS[prefix] << _END_BITS | _END
    bits = (value >> 16) << 80 | _VERSION << 76 | (value >> 4 & 0xFFF) << 64 | _VARIANT << 62 | tail
    return str(uuid.UUID(int=bits))


def native_of(prefix: Prefix, text: str) -> str | None:
    """Read a UUID as the native id of a kind; None for any other text."""
    if not _FORM.fullmatch(text):
        return None
    bits = int(text.replace("-", ""), 16)
    value = (bits >> 80) << 16 | (bits >> 64 & 0xFFF) << 4 | bits >> 58 & 0xF
    native = id_text(prefix, value) if value < 1 << 63 else None
    return native if native is not None and uuid_text(prefix, value) == text.lower() else None


def native_named(prefix: Prefix, text: str, *, param: str) -> str:
    """Read the UUID by which a caller names something.

    Raises:
        Refused: invalid_request for what is no UUID; not_found for one that is none of ours.
    """
    if not _FORM.fullmatch(text):
        raise Refused("invalid_request", f"'{param}' must be a UUID.")
    native = native_of(prefix, text)
    if native is None:
        raise Refused("not_found", f"'{param}' names nothing here.")
    return native
