"""Take in what sources tell: remembered ids first, then the events and what they owe, in one transaction.

    believed request → ids that are new → events → deliveries and routes      answered after the commit

Not here: whether a request is believed (hub.rules.sources.intake), and HTTP (hub.api.hooks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from hub.flow.event_shapes import SourceData
from hub.flow.ports import Clock, HotTransaction
from hub.flow.record import Recorder
from hub.flow.rows import EventRow
from hub.flow.source_book import SourceBook
from hub.flow.source_ports import MemoryRow, Rejections
from hub.model.ids import IdFactory
from hub.model.source import Rejection
from hub.rules.sources.hooks import HOOK_SOURCE, hook_key
from hub.rules.sources.intake import Accepted, SourceEvent, memory_key
from hub.rules.sources.masking import masked_body, masked_headers
from hub.rules.sources.model import REMEMBER_MS, Answer, Refused, Source, SourceRequest

SOURCE_RECEIVED: Final = "source.received"
#: Rejected requests of one source that this process keeps at once, and in each second afterwards.
_BURST: Final = 20
_PER_SECOND_MS: Final = 1_000

_encode: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceParts:
    """What inbound sources need from the outside."""

    book: SourceBook = field(default_factory=SourceBook)
    max_body_bytes: int = 1_048_576
    #: 0 sets no limit.
    requests_per_minute: int = 6_000
    rejected_kept: int = 100
    #: Whether a route listens at this path of its own; those who run routes say.
    is_hook: Callable[[str], bool] = lambda path: False


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenIn:
    """What became of a believed request."""

    recorded: int
    duplicates: int


class SourceIntake:
    """Records what sources tell, and keeps a few of the requests that were turned away."""

    def __init__(
        self, *, recorder: Recorder, rejections: Rejections, clock: Clock, new_id: IdFactory, keep: int
    ) -> None:
        self._recorder = recorder
        self._rejections = rejections
        self._clock = clock
        self._new_id = new_id
        self._keep = keep
        #: By source: when the next request may be kept, if they came one a second.
        self._next_at: dict[str, int] = {}

    async def take_in(self, source: Source, accepted: Accepted) -> TakenIn:
        """Record the events of a believed request that are new; durable when it returns."""
        return await self._recorder.write(lambda tx: self._take_in(tx, source, accepted))

    async def take_in_hook(self, path: str, *, payload: Any, delivery_id: str) -> TakenIn:
        """Record what was sent to the path of a route.

        Args:
            path: Of the route's trigger.
            payload: JSON as the sender gave it.
            delivery_id: The same on a repeat of the same request.
        """
        event = SourceEvent(event="received", id=delivery_id, payload=payload)
        accepted = Accepted(events=(event,), once=(), answer=Answer())
        return await self._recorder.write(
            lambda tx: self._record(tx, HOOK_SOURCE, accepted, hook=hook_key(path), keep_ms=REMEMBER_MS)
        )

    async def _take_in(
        self, tx: HotTransaction, source: Source, accepted: Accepted
    ) -> tuple[TakenIn, Sequence[EventRow]]:
        return await self._record(tx, source.name, accepted, hook=None, keep_ms=source.remember_ms)

    async def _record(
        self, tx: HotTransaction, name: str, accepted: Accepted, *, hook: str | None, keep_ms: int
    ) -> tuple[TakenIn, Sequence[EventRow]]:
        now_ms = self._clock.now_ms()
        until = now_ms + keep_ms
        scope = name if hook is None else f"{name}:{hook}"
        once = {memory_key(scope, "once", text) for text in accepted.once}
        by_key: dict[bytes, SourceEvent] = {}
        for each in accepted.events:
            by_key.setdefault(memory_key(scope, "event", each.id), each)
        if await _remembered(tx, once, until, now_ms) < once:
            # Nothing of it counts, its ids neither: what is not signed in it may be a forgery.
            return TakenIn(recorded=0, duplicates=len(accepted.events)), []
        fresh = await _remembered(tx, by_key.keys(), until, now_ms)
        new = [(key, each) for key, each in by_key.items() if key in fresh]
        events = [_row(name, each, hook, key=key, until=until, now_ms=now_ms) for key, each in new]
        taken = TakenIn(recorded=len(events), duplicates=len(accepted.events) - len(events))
        return taken, events

    async def reject(self, name: str, request: SourceRequest, refused: Refused) -> None:
        """Keep a request that was turned away, masked; of a flood only one a second."""
        now_ms = self._clock.now_ms()
        due = max(self._next_at.get(name, 0), now_ms - (_BURST - 1) * _PER_SECOND_MS)
        if due > now_ms:
            return
        self._next_at[name] = due + _PER_SECOND_MS
        rejection = Rejection(
            id=self._new_id(),
            source=name,
            reason=refused.reason.value,
            detail=refused.detail,
            method=request.method[:10],
            headers=_encode(masked_headers(request.headers)).decode(),
            body=masked_body(request.body),
            body_bytes=len(request.body),
            rejected_at=now_ms,
        )
        await self._rejections.add(rejection, keep=self._keep)


async def _remembered(tx: HotTransaction, keys: Iterable[bytes], until: int, now_ms: int) -> set[bytes]:
    return await tx.sources.remember([MemoryRow(key, until) for key in sorted(keys)], now_ms=now_ms)


def _row(name: str, event: SourceEvent, hook: str | None, *, key: bytes, until: int, now_ms: int) -> EventRow:
    # Whether it counts was decided by what is remembered; once forgotten, the same id is another event.
    dedupe_key = memory_key(key.hex(), "row", str(until))
    return EventRow(
        0,
        SOURCE_RECEIVED,
        None,
        None,
        dedupe_key,
        now_ms,
        None,
        source_data(name, event, hook, now_ms=now_ms),
    )


def source_data(name: str, event: SourceEvent, hook: str | None, *, now_ms: int) -> str:
    """Give the data of a `source.received` event."""
    data = SourceData(
        source=name,
        event=event.event,
        source_event_id=event.id,
        hook=hook,
        received_at=now_ms,
        payload=msgspec.Raw(_encode(event.payload)),
    )
    return _encode(data).decode()
