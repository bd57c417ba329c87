"""Find out how handles can be reached over a line, and remember it for a while.

Asking is an outbox item like any other, one for all handles of a call. Who asks while another is asking waits for the
same item. An answer that comes too late for its caller is found by the next one.
Not here: what an answer says (hub.rules.availability).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from hub.flow.capabilities import require_able
from hub.flow.outgoing import Outgoing
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.flow.verdicts import Verdicts
from hub.flow.wishes import URGENT_PRIORITY, Wish
from hub.model.contact import Reachability
from hub.model.line import Line
from hub.model.outbox import OperationKind, OutboxItem, OutboxState
from hub.rules.availability import Reach, is_fresh, reach_of, told_of

#: An item that is unfinished after this time is not waited for: the line is away, and a new one joins its queue.
_PATIENCE_MS = 600_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """What is known of one handle now."""

    handle: str
    #: None while nobody has told.
    reach: Reach | None
    checked_at: int | None = None
    #: Whether it was known before this call.
    is_cached: bool = False
    #: Why there is no answer.
    error: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What a caller wants to know, and how patiently."""

    line: Line
    handles: tuple[str, ...]
    api_key_id: int | None
    seconds: float
    #: Ask the network even if the answer is known.
    is_anew: bool = False


class AvailabilityDesk:
    """Answers questions about handles."""

    def __init__(
        self, *, store: Store, outgoing: Outgoing, verdicts: Verdicts, clock: Clock, keep_ms: int
    ) -> None:
        self._store = store
        self._outgoing = outgoing
        self._verdicts = verdicts
        self._clock = clock
        self._keep_ms = keep_ms

    async def ask(self, question: Question) -> list[Finding]:
        """Answer from memory, or ask the line's network and wait.

        Raises:
            InvalidRequest: advanced_features_required where the line cannot tell, line_inactive.
        """
        require_able(question.line, OperationKind.CHECK, {"handles": question.handles})
        known = await self._store.availability.find(question.line.id, question.handles)
        now_ms = self._clock.now_ms()
        found = {
            handle: _remembered(row)
            for handle, row in known.items()
            if not question.is_anew and is_fresh(row.checked_at, keep_ms=self._keep_ms, now_ms=now_ms)
        }
        missing = [handle for handle in dict.fromkeys(question.handles) if handle not in found]
        asked = await self._under_way(missing, known)
        rest = [handle for handle in missing if handle not in asked]
        if rest:
            asked |= dict.fromkeys(rest, await self._send(question, rest, known))
        found |= await self._wait(question, asked)
        return [found[handle] for handle in question.handles]

    async def _under_way(self, handles: Iterable[str], known: Mapping[str, Reachability]) -> dict[str, int]:
        """For handles that are being asked about, or of whom the answer was not picked up yet: the outbox item."""
        oldest = self._clock.now_ms() - _PATIENCE_MS
        items = {handle: known[handle].outbox_id for handle in handles if handle in known}
        states = {number: await self._store.outbox.get(number) for number in set(items.values())}

        def is_worth_it(handle: str) -> bool:
            item = states[items[handle]]
            if item is None or item.state > OutboxState.SENT or item.created_at < oldest:
                return False
            return not item.is_finished or (item.completed_at or 0) > (known[handle].checked_at or 0)

        return {handle: number for handle, number in items.items() if is_worth_it(handle)}

    async def _send(
        self, question: Question, handles: Sequence[str], known: Mapping[str, Reachability]
    ) -> int:
        payload = {"from": question.line.handle, "handles": list(handles)}
        if len(handles) == 1:
            payload["handle"] = handles[0]
        wish = Wish(kind=OperationKind.CHECK, payload=payload, priority=URGENT_PRIORITY)
        accepted = await self._outgoing.accept_set(question.line, [wish], api_key_id=question.api_key_id)
        rows = []
        for handle in handles:
            old = known.get(handle)
            rows.append(
                Reachability(
                    line_id=question.line.id,
                    handle=handle,
                    outbox_id=accepted.outbox_id,
                    result=old.result if old else None,
                    checked_at=old.checked_at if old else None,
                )
            )
        await self._store.availability.save(rows)
        return accepted.outbox_id

    async def _wait(self, question: Question, asked: Mapping[str, int]) -> dict[str, Finding]:
        numbers = sorted(set(asked.values()))
        waited = await asyncio.gather(
            *(self._verdicts.wait(each, seconds=question.seconds) for each in numbers)
        )
        items = dict(zip(numbers, (item for item, _ in waited), strict=True))
        findings = {handle: _finding(handle, items[number]) for handle, number in asked.items()}
        told = [
            Reachability(
                line_id=question.line.id,
                handle=handle,
                outbox_id=asked[handle],
                result=msgspec.json.encode(finding.reach).decode(),
                checked_at=finding.checked_at,
            )
            for handle, finding in findings.items()
            if finding.reach is not None
        ]
        await self._store.availability.save(told)
        return findings


def _remembered(row: Reachability) -> Finding:
    reach = None if row.result is None else reach_of(msgspec.json.decode(row.result))
    return Finding(handle=row.handle, reach=reach, checked_at=row.checked_at, is_cached=True)


def _finding(handle: str, item: OutboxItem | None) -> Finding:
    if item is None or not item.is_finished:
        return Finding(
            handle=handle, reach=None, error="unanswered: the line has not answered yet; ask again."
        )
    if item.state is not OutboxState.SENT:
        return Finding(handle=handle, reach=None, error=item.error or "unanswered: the line could not say.")
    handles = item.payload.get("handles")
    is_only = isinstance(handles, list) and len(handles) == 1
    told = told_of(item.result, handle, is_only=is_only)
    if told is None:
        return Finding(handle=handle, reach=None, error="unanswered: the bridge said nothing of this handle.")
    return Finding(handle=handle, reach=reach_of(told), checked_at=item.completed_at)
