"""Take in what bridges saw: dedupe, merge into state, derive events, owe deliveries. Answer after the commit.

    raw payload → chats → messages, reactions → facts → events → deliveries      one transaction a batch

The batch's statements are set-based; two snapshots of one message in a batch are merged in turn (waves).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from hub.flow.batching import Batcher
from hub.flow.chat_life import keep_groups, keep_polls, undated
from hub.flow.directory import Directory, DirectoryHolder, StaleDirectory
from hub.flow.hearing import Hearing
from hub.flow.inbound_files import InboundFiles
from hub.flow.late_fallback import Unreached, fall_back
from hub.flow.live import NOBODY_FOLLOWS
from hub.flow.live_signs import Sign, signs_of, tell_signs
from hub.flow.own_messages import check_quotes, see_own_messages
from hub.flow.payloads import event_data
from hub.flow.poll_payloads import poll_data
from hub.flow.ports import Clock, HotStore, HotTransaction, LiveSigns, WakeUps
from hub.flow.record import TakeIds, record_events
from hub.flow.rows import DeliveryRow, EventRow, Known, RawRow, ReactionRow, SnapshotRow
from hub.flow.sighting import Sighting
from hub.flow.snapshots import chat_row, fold_chats, message_row, reaction_row, target_row
from hub.model.delivery import DeliveryState
from hub.model.observation import Observation
from hub.rules.facts import Fact, facts_of

_SUPERSEDED: Final = Known.SUPERSEDED.value
#: Observations in one transaction at the most: bounds its time, hence the wait of the next batch.
MOST_REQUESTS = 256


class BridgeRequest(NamedTuple):
    """What one bridge sent in one request, verified and parsed."""

    bridge_id: int
    #: The sender's webhook-id: the same on its retries.
    request_id: str
    body: bytes
    observations: tuple[Observation, ...]


class ObservationResult(NamedTuple):
    """What became of one observation: `recorded`, `duplicate` or `refused`."""

    status: str
    event_ids: tuple[int, ...] = ()
    code: str | None = None
    message: str | None = None


class _Recorded(NamedTuple):
    """What one transaction left behind."""

    results: list[tuple[ObservationResult, ...]]
    deliveries: list[DeliveryRow]
    signs: list[Sign]
    #: Lines that have something to send.
    line_ids: set[int]


class Ingest:
    """Takes requests from bridges, groups them, and answers each when it is durable."""

    def __init__(
        self,
        *,
        store: HotStore,
        directory: DirectoryHolder,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
        most_running: int = 1,
        hearing: Hearing | None = None,
        files: InboundFiles | None = None,
        live: LiveSigns = NOBODY_FOLLOWS,
    ) -> None:
        self._store = store
        self._directory = directory
        self._take_ids = take_ids
        self._wake_ups = wake_ups
        self._clock = clock
        self._hearing = hearing
        self._files = files
        self._live = live
        self._batches: Batcher[BridgeRequest, tuple[ObservationResult, ...]] = Batcher(
            self._record, most_items=MOST_REQUESTS, most_running=most_running
        )

    async def __call__(self, request: BridgeRequest) -> tuple[ObservationResult, ...]:
        """Record one request durably; one result an observation, in order.

        Repeating a request, or an observation in another request, adds nothing and says `duplicate`.
        """
        return await self._batches.submit(request)

    async def _record(self, requests: Sequence[BridgeRequest]) -> list[tuple[ObservationResult, ...]]:
        while True:
            directory = self._directory.current
            try:
                recorded = await self._store.write(
                    lambda tx: self._record_in(tx, directory, requests)  # noqa: B023 - used within the turn
                )
            except StaleDirectory:
                await self._directory.refresh()
                continue
            self._wake(recorded)
            tell_signs(self._live, recorded.signs)
            return recorded.results

    async def _record_in(
        self, tx: HotTransaction, directory: Directory, requests: Sequence[BridgeRequest]
    ) -> _Recorded:
        now_ms = self._clock.now_ms()
        batches = [
            _items(raw_id, request, directory)
            for raw_id, request in zip(self._take_ids(len(requests)), requests, strict=True)
        ]
        fresh = await tx.insert_raw(
            [_raw(request, items) for request, items in zip(requests, batches, strict=True) if items]
        )
        live = [item for items in batches for item in items if item.raw_id in fresh and item.line]
        await check_quotes(tx, live)
        if self._files is not None:
            await self._files.claim(tx, live, now_ms)
        await self._merge_chats(tx, live, now_ms)
        await self._merge_messages(tx, live, now_ms)
        unreached = await see_own_messages(tx, live, take_ids=self._take_ids)
        if self._files is not None:
            await self._files.use(tx, live)
        await tx.merge_reactions(_last_reactions(live))
        await keep_groups(tx, live)
        await keep_polls(tx, live, self._take_ids, now_ms)
        events = self._events(live, await _chat_keys(tx, live))
        queued = await self._fall_back(tx, unreached, now_ms) if unreached else []
        new, deliveries = await record_events(
            tx, directory, [*(event for _, event in events), *queued], take_ids=self._take_ids, now_ms=now_ms
        )
        for item, event in events:
            if event.id in new:
                item.event_ids.append(event.id)
        if self._hearing is not None:
            deliveries += await self._hearing.take_in(tx, directory, live, now_ms)
        signs = signs_of(live, is_followed=self._live.is_followed)
        results = [tuple(_result(item) for item in items) for items in batches]
        return _Recorded(results, deliveries, signs, {each.line.id for each in unreached})

    async def _merge_chats(self, tx: HotTransaction, items: Sequence[Sighting], now_ms: int) -> None:
        placed = [item for item in items if item.observation.chat is not None]
        rows = [
            undated(
                chat_row(item.observation, chat_id=chat_id, line_id=item.known_line.id, now_ms=now_ms),
                item.observation,
            )
            for chat_id, item in zip(self._take_ids(len(placed)), placed, strict=True)
        ]
        merged = {(row.line_id, row.chat_key): row for row in await tx.merge_chats(fold_chats(rows))}
        for item, row in zip(placed, rows, strict=True):
            item.chat = merged[row.line_id, row.chat_key]

    async def _merge_messages(self, tx: HotTransaction, items: Sequence[Sighting], now_ms: int) -> None:
        """Merge each observation's message, or look up the message that it acts on."""
        ids = self._take_ids(2 * len(items))
        rows: list[tuple[Sighting, SnapshotRow]] = []
        for index, item in enumerate(items):
            seen, line, chat_id = item.observation, item.known_line, item.chat.id if item.chat else 0
            item.facts = facts_of(seen, line.id)
            if seen.reaction is not None and seen.target is not None:
                item.reaction = reaction_row(seen, reaction_id=ids[2 * index + 1], line=line, now_ms=now_ms)
                row = target_row(seen, message_id=ids[2 * index], line=line, chat_id=chat_id, now_ms=now_ms)
            else:
                row = message_row(seen, message_id=ids[2 * index], line=line, chat_id=chat_id, now_ms=now_ms)
            if row is not None:
                rows.append((item, _superseded(row) if item.is_superseded else row))
        merged: dict[tuple[int, str], SnapshotRow] = {}
        for wave in _waves(row for _, row in rows):
            merged.update(((row.line_id, row.guid), row) for row in await tx.merge_messages(wave))
        for item, row in rows:
            item.message = message = merged[row.line_id, row.guid]
            if message.is_known == _SUPERSEDED:
                item.facts = ()

    async def _fall_back(
        self, tx: HotTransaction, unreached: Sequence[Unreached], now_ms: int
    ) -> list[EventRow]:
        links = None if self._files is None else self._files.links
        events = await fall_back(tx, unreached, take_ids=self._take_ids, links=links, now_ms=now_ms)
        ids = self._take_ids(len(events))
        return [event._replace(id=number) for number, event in zip(ids, events, strict=True)]

    def _events(
        self, items: Sequence[Sighting], chat_keys: Mapping[int, str]
    ) -> list[tuple[Sighting, EventRow]]:
        facts = [(item, fact) for item in items for fact in item.facts]
        return [
            (
                item,
                EventRow(
                    event_id,
                    fact.type,
                    item.known_line.id,
                    _chat_id(item),
                    fact.dedupe_key,
                    fact.occurred_at,
                    item.raw_id,
                    _data(item, fact, self._files, chat_keys),
                ),
            )
            for event_id, (item, fact) in zip(self._take_ids(len(facts)), facts, strict=True)
        ]

    def _wake(self, recorded: _Recorded) -> None:
        pending = [row.id for row in recorded.deliveries if row.state == DeliveryState.PENDING]
        if pending:
            self._wake_ups.deliveries_recorded(pending[0], pending[-1])
        if self._files is not None and self._files.take_news():
            self._wake_ups.files_due()
        for line_id in sorted(recorded.line_ids):
            self._wake_ups.line_due(line_id, self._clock.now_ms())


def _raw(request: BridgeRequest, items: Sequence[Sighting]) -> RawRow:
    """Keep a request as it came.

    One with something refused is not remembered as done: repeated when its line exists, it is taken in. What of it
    was recorded the first time is known by its dedupe keys.
    """
    raw_id, request_id = items[0].raw_id, request.request_id
    if any(item.line is None for item in items):
        request_id = f"{request_id}#{raw_id}"
    return RawRow(raw_id, request.bridge_id, request_id, request.body)


def _items(raw_id: int, request: BridgeRequest, directory: Directory) -> list[Sighting]:
    lines = directory.lines_by_handle
    items = []
    for observation in request.observations:
        line = lines.get(observation.line)
        mine = line is not None and request.bridge_id in line.bridge_ids
        items.append(Sighting(observation, line if mine else None, raw_id, request.bridge_id))
    return items


async def _chat_keys(tx: HotTransaction, items: Sequence[Sighting]) -> dict[int, str]:
    """Look up the chats of messages that something is told of without a word of where."""
    silent = [item.message for item in items if item.chat is None and item.facts]
    return await tx.chats.keys(sorted({message.chat_id for message in silent if message and message.chat_id}))


def _data(item: Sighting, fact: Fact, files: InboundFiles | None, chat_keys: Mapping[int, str]) -> str:
    if item.poll is not None:
        return poll_data(item.poll, item.observation, line=item.known_line)
    return event_data(
        fact,
        item.observation,
        line=item.known_line,
        chat=item.chat,
        message=item.message,
        reaction=item.reaction,
        links=None if files is None else files.links,
        chat_key=chat_keys.get(item.message.chat_id) if item.message is not None else None,
    )


def _chat_id(item: Sighting) -> int | None:
    if item.chat is not None:
        return item.chat.id
    if item.poll is not None:
        return item.poll.poll.chat_id or None
    return (item.message.chat_id or None) if item.message is not None else None


def _superseded(row: SnapshotRow) -> SnapshotRow:
    return row._replace(is_known=_SUPERSEDED)


def _last_reactions(items: Sequence[Sighting]) -> list[ReactionRow]:
    """Fold the batch's words on one thing into the last one, as the merge would one after the other."""
    rows: dict[tuple[int, str, str, str], ReactionRow] = {}
    for item in items:
        if (row := item.reaction) is not None:
            known = rows.get(row.key)
            if known is None or row.rank > known.rank:
                rows[row.key] = row
    return list(rows.values())


def _waves(rows: Iterable[SnapshotRow]) -> list[list[SnapshotRow]]:
    """Split rows so that no key repeats within a wave; order of the same key is kept."""
    waves: list[list[SnapshotRow]] = []
    seen: dict[tuple[int, str], int] = {}
    for row in rows:
        index = seen.get((row.line_id, row.guid), 0)
        seen[row.line_id, row.guid] = index + 1
        if index == len(waves):
            waves.append([])
        waves[index].append(row)
    return waves


def _result(item: Sighting) -> ObservationResult:
    if item.line is None:
        return ObservationResult(
            "refused",
            code="line_not_found",
            message=f"No line '{item.observation.line}' belongs to this bridge; add it with POST /v1/lines.",
        )
    return ObservationResult("recorded" if item.event_ids else "duplicate", tuple(item.event_ids))
