"""When a connection is tested again: daily, each at a time of its own, so that not all ask at once."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

EVERY_MS: Final = 86_400_000
#: One that was never tested, or has other credentials now, is tested within so long.
FIRST_MS: Final = 600_000
#: Of the time between two tests, so much is drawn.
_DRAWN: Final = 0.2


def next_test_at(name: str, *, tested_at: int | None, since: int) -> int:
    """Give the Unix ms at which a connection is to be tested.

    Args:
        name: Of the connection.
        tested_at: When its credentials were tested last.
        since: From when on somebody looks: a connection that was never tested counts from there.
    """
    part = int.from_bytes(blake2b(f"{name}:{tested_at}".encode(), digest_size=4).digest()) / 2**32
    if tested_at is None:
        return since + round(part * FIRST_MS)
    return tested_at + round(EVERY_MS * (1 - _DRAWN / 2 + _DRAWN * part))
