"""What we ourselves have sent of late, so that evidence of it can be told from what others wrote.

In memory only: after a restart an own message is told as one that the line sent, without the attempt that it came from.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from bridge.quotes import Quote
from hub.model.outbox import outbox_id_of

_MOST: Final = 2_000
#: After this an own message with the same words is somebody else's doing: of another device, or of a later send.
_AWAITED_MS: Final = 15 * 60 * 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """One message that we asked Messages to send, and do not see yet."""

    attempt_id: str
    #: Which part of the send it is, from 0.
    part: int
    #: As in observations.
    chat_key: str
    #: Words as they can be compared; empty for a file.
    words: str
    filename: str | None
    #: Unix ms.
    since_ms: int
    #: The highest ROWID before; None where it is not known.
    after_rowid: int | None
    #: If the network refuses it, another message takes its place: until then nothing is told of it.
    is_tentative: bool = False


def quote_in(guid: str) -> Quote | None:
    """Say what a message is by its guid alone: the first part of a send that imsg tracks has the attempt's id."""
    return Quote(guid.lower(), 0, 1) if outbox_id_of(guid.lower()) is not None else None


def attempt_in(guid: str) -> str | None:
    """Give the attempt that a message is by its guid alone."""
    quote = quote_in(guid)
    return None if quote is None else quote.attempt_id


class SentMemory:
    """Knows which guid came of which attempt, and what is still to be seen."""

    def __init__(self) -> None:
        self._by_guid: OrderedDict[str, Quote] = OrderedDict()
        self._disowned: OrderedDict[str, None] = OrderedDict()
        self._expected: OrderedDict[tuple[str, int], Expected] = OrderedDict()

    def expect(self, expected: Expected) -> None:
        """Look out for a message."""
        self._expected.pop(_name(expected), None)
        self._expected[_name(expected)] = expected
        while len(self._expected) > _MOST:
            self._expected.popitem(last=False)

    def settle(self, expected: Expected) -> None:
        """Look out for it no more."""
        self._expected.pop(_name(expected), None)

    @property
    def expected(self) -> tuple[Expected, ...]:
        """What was not seen yet, however long ago it was asked for."""
        return tuple(self._expected.values())

    def awaited(self, now_ms: int) -> tuple[Expected, ...]:
        """What may still show, the latest first: of two sends of the same words the one before may be lost for good."""
        late = (each for each in reversed(self._expected.values()) if now_ms - each.since_ms < _AWAITED_MS)
        return tuple(late)

    def note(self, guid: str, attempt_id: str, *, part: int) -> None:
        """Remember what came of a part of an attempt."""
        self._by_guid.setdefault(guid, Quote(attempt_id, part, 1))
        while len(self._by_guid) > _MOST:
            self._by_guid.popitem(last=False)

    def guid_of(self, attempt_id: str) -> str | None:
        """Give the first message that came of an attempt."""
        return next((guid for guid, each in self._by_guid.items() if each.attempt_id == attempt_id), None)

    def disown(self, guid: str) -> None:
        """Let a message that was refused be nobody's: another one took its place."""
        self._disowned[guid] = None
        while len(self._disowned) > _MOST:
            self._disowned.popitem(last=False)

    def is_disowned(self, guid: str) -> bool:
        return guid in self._disowned

    def quote_of(self, guid: str) -> Quote | None:
        return self._by_guid.get(guid)

    def may_be(self, guid: str, attempt_id: str, *, part: int) -> bool:
        """Tell whether nothing says that a message is something else."""
        return self._by_guid.get(guid) in {None, Quote(attempt_id, part, 1)}


def _name(expected: Expected) -> tuple[str, int]:
    return expected.attempt_id, expected.part
