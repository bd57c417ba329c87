"""What routes remember, in memory: the rules by which a run may begin, wait, join another one or not be at all.

For tests of routes, which need no store. Its twin in SQL is hub.store.repositories.run_beginning; a test plays the same
stories to both and holds their verdicts and their runs against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from hub.model.run import UNFINISHED, Decided, Gathered, Run, RunState, RunVerdict, RunWish, Throttled

MOST_GATHERED: Final = 100
_REPLACED: Final = "a newer run took its place"


@dataclass(frozen=True, slots=True)
class _Mark:
    """What is remembered of a key."""

    until: int = 0
    count: int = 0
    run_id: int | None = None


@dataclass(slots=True)
class RunMemory:
    """Marks and runs of one world."""

    runs: dict[int, Run] = field(default_factory=dict)
    _marks: dict[tuple[str, bytes], _Mark] = field(default_factory=dict)

    def begin(self, wish: RunWish) -> Decided:
        """Begin the run that is wished for, or say why not."""
        now = wish.run.created_at
        if wish.once is not None and now < self._mark("dedupe", wish.once.key).until:
            return _decided(wish, RunVerdict.DEDUPE)
        if wish.gathered is not None and (joined := self._join(wish, wish.gathered, now)) is not None:
            return _decided(wish, RunVerdict.JOINED, run_id=joined)
        run = wish.run
        if wish.gathered is not None:
            run = replace(run, next_at=now + wish.gathered.wait_ms)
            self._marks["debounce", wish.gathered.key] = _Mark(now + wish.gathered.max_ms, 1, run.id)
        if wish.throttled is not None:
            found = self._in_its_time(wish, wish.throttled, run, now)
            if isinstance(found, Decided):
                return found
            run = found
        placed = self._in_its_lane(run, wish, now)
        if placed is None:
            return _decided(wish, RunVerdict.CONCURRENCY)
        self.runs[placed.id] = placed
        if wish.once is not None:
            self._marks["dedupe", wish.once.key] = _Mark(wish.once.until_ms, 1, placed.id)
        return _decided(wish, RunVerdict.BEGUN, run_id=placed.id)

    def end(self, run_id: int, state: RunState, now: int) -> None:
        """Note that a run is over, and let those that wait for their turn have it."""
        run = self.runs[run_id] = replace(self.runs[run_id], state=state, finished_at=now)
        if run.lane is None:
            return
        lane = [each for _, each in sorted(self.runs.items()) if each.lane == run.lane]
        active = sum(each.state is RunState.ACTIVE for each in lane)
        parked = [each for each in lane if each.state is RunState.PARKED]
        for each in parked[: max(0, run.lane_limit - active)]:
            self.runs[each.id] = replace(each, state=RunState.ACTIVE, next_at=max(each.next_at, now))

    # ---- what holds a run back

    def _join(self, wish: RunWish, gathered: Gathered, now: int) -> int | None:
        run = self.runs.get(self._mark("debounce", gathered.key).run_id or 0)
        if run is None:
            return None
        if run.state is not RunState.PARKED and not (run.state is RunState.ACTIVE and now < run.next_at):
            return None
        facts = msgspec.json.decode(run.facts)
        events = [*facts["events"], msgspec.json.decode(wish.event)]
        if len(events) > MOST_GATHERED:
            return None
        facts |= {"events": events, "event": events[-1]}
        next_at = min(now + gathered.wait_ms, run.created_at + gathered.max_ms)
        self.runs[run.id] = replace(
            run,
            facts=msgspec.json.encode(facts).decode(),
            next_at=max(next_at, now),
            event_id=wish.run.event_id,
        )
        return run.id

    def _in_its_time(self, wish: RunWish, throttled: Throttled, run: Run, now: int) -> Run | Decided:
        place = ("throttle", throttled.key)
        mark = _advanced(self._mark(*place), throttled, now)
        if mark.count < throttled.limit:
            self._marks[place] = replace(mark, count=mark.count + 1)
            return run
        if throttled.then == "skip":
            return _decided(wish, RunVerdict.THROTTLE)
        if throttled.then == "last" and mark.run_id is not None and self._replaced(mark.run_id, wish, now):
            return _decided(wish, RunVerdict.JOINED, run_id=mark.run_id)
        windows = mark.count // throttled.limit if throttled.then == "wait" else 1
        run = replace(run, next_at=max(run.next_at, mark.until + (windows - 1) * throttled.per_ms))
        waiting = run.id if throttled.then == "last" else mark.run_id
        self._marks[place] = replace(mark, count=mark.count + 1, run_id=waiting)
        return run

    def _replaced(self, run_id: int, wish: RunWish, now: int) -> bool:
        """Give the run that waits the newer event; False if it does not wait any more."""
        run = self.runs.get(run_id)
        if run is None or run.state is not RunState.ACTIVE or run.next_at <= now:
            return False
        self.runs[run_id] = replace(run, facts=wish.run.facts, event_id=wish.run.event_id)
        return True

    def _in_its_lane(self, run: Run, wish: RunWish, now: int) -> Run | None:
        """Give the run with its place in its lane; None if it is not to be."""
        lane = [each for each in self.runs.values() if each.lane == run.lane and each.state in UNFINISHED]
        if run.lane is None or len(lane) < run.lane_limit:
            return run
        if wish.then == "skip":
            return None
        if wish.then == "wait":
            return replace(run, state=RunState.PARKED)
        for each in lane:
            self.runs[each.id] = replace(each, state=RunState.CANCELLED, finished_at=now, reason=_REPLACED)
        return run

    def _mark(self, kind: str, key: bytes) -> _Mark:
        return self._marks.get((kind, key), _Mark())


def _advanced(mark: _Mark, throttled: Throttled, now: int) -> _Mark:
    """Give the window that an instant is in; what waits for later windows counts in them."""
    if now < mark.until:
        return mark
    over = (now - mark.until) // throttled.per_ms + 1 if mark.until else 0
    left = max(0, mark.count - over * throttled.limit)
    until = mark.until + over * throttled.per_ms if left else now + throttled.per_ms
    return _Mark(until, left, mark.run_id)


def _decided(wish: RunWish, verdict: RunVerdict, *, run_id: int | None = None) -> Decided:
    return Decided(
        route_id=wish.run.route_id, revision_id=wish.run.revision_id, verdict=verdict, run_id=run_id
    )
