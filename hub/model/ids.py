"""Ids: 63-bit time-ordered integers inside, prefixed text outside.

The integer is 42 bits of milliseconds since 2024-01-01 UTC, 9 bits of node and 12 bits of sequence, so rows
sort by age and one process can number a batch without asking anyone. The text is the prefix and 13 characters
of lower-case Crockford base32. Clients must treat it as opaque.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from enum import StrEnum

EPOCH_MS = 1_704_067_200_000
NODE_BITS = 9
SEQUENCE_BITS = 12
MAX_NODE = (1 << NODE_BITS) - 1
_TIME_SHIFT = NODE_BITS + SEQUENCE_BITS
_LAST_ID = (1 << 63) - 1
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [a + b for a in _ALPHABET for b in _ALPHABET]
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_BODY = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{12}")


class Prefix(StrEnum):
    """The kinds of ids that appear on a wire (contracts: messages.dev §1)."""

    API_KEY = "key"
    BRIDGE = "brg"
    BRIDGE_CALL = "bcl"
    BULK = "blk"
    CHAT = "cht"
    CONSENT = "cns"
    CONTACT = "ct"
    CONTACT_GROUP = "ctg"
    DELIVERY = "dlv"
    DRAFT = "gen"
    ENROLMENT = "enr"
    EVENT = "evt"
    FILE = "file"
    JOB = "job"
    LINE = "ln"
    MESSAGE = "msg"
    OUTBOX = "obx"
    POLL = "pol"
    REACTION = "rxn"
    REFUSED = "rfd"
    REJECTION = "rej"
    REVISION = "rev"
    RUN = "run"
    WEBHOOK = "wh"


class InvalidId(ValueError):
    """The text is not an id of the expected kind."""


def id_text(prefix: str, value: int) -> str:
    """Render an id as clients see it, for example ``evt_0e9k2m4q6r8st``."""
    pairs = _PAIRS
    return (
        f"{prefix}_{_ALPHABET[value >> 60]}{pairs[value >> 50 & 1023]}{pairs[value >> 40 & 1023]}"
        f"{pairs[value >> 30 & 1023]}{pairs[value >> 20 & 1023]}{pairs[value >> 10 & 1023]}{pairs[value & 1023]}"
    )


def parse_id(prefix: str, text: str) -> int:
    """Read an id as clients send it.

    Raises:
        InvalidId: Another prefix, another alphabet or another length; only the canonical spelling passes.
    """
    head, _, body = text.partition("_")
    if head != prefix or not _BODY.fullmatch(body):
        raise InvalidId(f"expected an id that begins with '{prefix}_'")
    value = 0
    for letter in body:
        value = value << 5 | _VALUES[letter]
    return value


def id_time_ms(value: int) -> int:
    """Tell when an id was made, in Unix milliseconds."""
    return (value >> _TIME_SHIFT) + EPOCH_MS


def first_id_at(time_ms: int) -> int:
    """Give the lowest id that can have been made at ``time_ms``: ids turn time ranges into key ranges.

    Beyond the time that ids can tell (the year 2163), the highest of all.
    """
    return min(max(0, time_ms - EPOCH_MS) << _TIME_SHIFT, _LAST_ID)


class IdFactory:
    """Make ids that never repeat and never go backwards within one node.

    When the clock stands still or steps back, the sequence runs on into the next millisecond.
    """

    def __init__(self, node: int, clock_ms: Callable[[], int]) -> None:
        if not 0 <= node <= MAX_NODE:
            raise ValueError(f"node must be 0..{MAX_NODE}, not {node}")
        self._node = node << SEQUENCE_BITS
        self._clock_ms = clock_ms
        self._tick = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> list[int]:
        """Reserve ``count`` consecutive ids."""
        with self._lock:
            first = max((self._clock_ms() - EPOCH_MS) << SEQUENCE_BITS, self._tick + 1)
            self._tick = first + count - 1
        node, mask = self._node, (1 << SEQUENCE_BITS) - 1
        return [
            tick >> SEQUENCE_BITS << _TIME_SHIFT | node | tick & mask for tick in range(first, first + count)
        ]
