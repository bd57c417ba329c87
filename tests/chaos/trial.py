"""One trial: a steady load, blows one after the other, and the reckoning.

The load repeats what was not answered under the same webhook-id, as a bridge does, so in the end everything is
accepted; then every accepted event must have been answered with success at every webhook of its line.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.faults import Fault
from tests.load.generator_process import LoadRun, accepted_numbers
from tests.load.rig import Rig
from tests.load.waiting import wait_for

LINE = "+15550300001"
#: Several lanes, so that they fall into the shares of different workers.
FAN_OUT = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Blow:
    """What one fault did."""

    name: str
    #: From the blow (or its end, see Fault.counts_from_end) to the end of the longest silence at the receiver,
    #: for the webhook that was silent the longest.
    recovery_seconds: float
    #: Arrivals beyond the first of deliveries that had been answered with success, until the next blow. Those of an
    #: earlier blow that recovers slowly fall in here too.
    needless: int
    repeats_because: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Reckoning:
    """What came of a trial."""

    posted: int
    accepted: int
    #: Accepted events that did not arrive at some webhook: must be none.
    lost: int
    #: Events recorded; more than posted would mean that a repeated request was recorded twice.
    recorded: int
    #: Requests that the receiver could not believe: must be none.
    faults: int
    #: Deliveries that arrived again although they had been answered with success.
    needless: int
    #: Requests that had to be posted again, by why.
    answers: dict[str, int]
    drain_seconds: float
    blows: tuple[Blow, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """How hard and how long."""

    rate: float = 200.0
    #: Quiet before the first blow, and after each for the hub to recover.
    settle_seconds: float = 2.0
    drain_seconds: float = 60.0


def run_trial(rig: Rig, faults: Sequence[Fault], pace: Pace) -> Reckoning:
    """Strike under load; the caller's rig has `LINE` with its webhooks registered."""
    rig.receiver.reset()
    recorded_before = rig.topology.database.records().events
    planned = pace.settle_seconds * (len(faults) + 1) + sum(3.0 for fault in faults if fault.counts_from_end)
    order = rig.order((LINE,), int(pace.rate * planned), rate=pace.rate, retries=True)
    load = LoadRun(order, rig.folder)
    try:
        load.begin()
        time.sleep(pace.settle_seconds)
        moments = [_strike(rig, fault, pace) for fault in faults]
        result = load.result()
    finally:
        load.kill()
    accepted = accepted_numbers(order, result)
    drain_from = time.monotonic()
    _drain(rig, len(accepted), pace.drain_seconds)
    drained_seconds = time.monotonic() - drain_from
    return Reckoning(
        posted=order.plan.count,
        accepted=len(accepted),
        lost=_lost(rig, accepted),
        recorded=rig.topology.database.records().events - recorded_before,
        faults=rig.receiver.totals().faults,
        needless=_needless(rig),
        answers=result.answers,
        drain_seconds=drained_seconds,
        blows=tuple(_blows(rig, faults, moments)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Moment:
    counted_from_ns: int
    until_ns: int
    needless: int


def _strike(rig: Rig, fault: Fault, pace: Pace) -> _Moment:
    before = _needless(rig)
    struck_ns = time.monotonic_ns()
    fault.strike()
    ended_ns = time.monotonic_ns()
    time.sleep(pace.settle_seconds)
    return _Moment(
        counted_from_ns=ended_ns if fault.counts_from_end else struck_ns,
        until_ns=time.monotonic_ns(),
        needless=_needless(rig) - before,
    )


def _needless(rig: Rig) -> int:
    return sum(count.needless for count in rig.receiver.totals().by_path.values())


def _drain(rig: Rig, accepted: int, seconds: float) -> None:
    def is_over() -> bool:
        by_path = rig.receiver.totals().by_path
        return all(by_path[path].succeeded >= accepted for path in rig.paths[LINE])

    try:
        wait_for("every accepted event delivered", is_over, seconds=seconds)
        wait_for("every attempt recorded", lambda: rig.topology.database.pending() == 0, seconds=seconds)
    except TimeoutError:
        return  # the reckoning shows what is missing


def _lost(rig: Rig, accepted: set[int]) -> int:
    arrivals = rig.receiver.arrivals()
    return sum(len(accepted - {number for number, _ in arrivals[path]}) for path in rig.paths[LINE])


def _blows(rig: Rig, faults: Sequence[Fault], moments: Sequence[_Moment]) -> list[Blow]:
    arrivals = rig.receiver.arrivals()
    lanes = [[at_ns for _, at_ns in arrivals[path]] for path in rig.paths[LINE]]
    return [
        Blow(
            name=fault.name,
            recovery_seconds=max(recovery_ns(lane, moment.counted_from_ns, moment.until_ns) for lane in lanes)
            / 1e9,
            needless=moment.needless,
            repeats_because=fault.repeats_because,
        )
        for fault, moment in zip(faults, moments, strict=True)
    ]


def recovery_ns(times_ns: Sequence[int], from_ns: int, until_ns: int) -> int:
    """Give the time from a blow to the end of the longest silence after it.

    Args:
        times_ns: Arrivals, ascending.
        from_ns: The blow.
        until_ns: Where the next one may begin: silences that begin later are not this one's.
    """
    previous, longest, ended_at = from_ns, -1, from_ns
    for at_ns in times_ns:
        if at_ns < from_ns:
            continue
        if at_ns - previous > longest:
            longest, ended_at = at_ns - previous, at_ns
        previous = at_ns
        if at_ns > until_ns:
            break
    return ended_at - from_ns
