"""One measurement each: what is done, what is timed, what is checked.

Every accepted event must arrive at every webhook of its line, once, rightly signed, and the hub's own records must
say the same; otherwise there is no figure but an error.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

from tests.load.generator import LoadResult
from tests.load.generator_process import LoadRun, accept_latencies, accepted_numbers, arrival_latencies
from tests.load.percentiles import Latencies
from tests.load.process_group import ProcessGroup
from tests.load.rig import Rig
from tests.load.waiting import wait_for

DRAIN_SECONDS = 120.0
_MEMORY_SECONDS = 1.0


class LoadFailed(Exception):
    """The hub lost, doubled or refused something under a load where nothing went wrong."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Throughput:
    """A closed loop to the last delivery."""

    fan_out: int
    accepted_per_second: float
    accept: Latencies
    #: From the first request written to the last delivery arrived.
    delivered_per_second: float
    #: User and system time of all processes of the hub until the last attempt is recorded.
    cpu_us_per_delivery: float
    #: The same by process.
    cpu_by_part: dict[str, float]
    peak_mib: float
    duplicates: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """An open loop at a fixed rate."""

    rate: float
    #: Due to 202.
    accept: Latencies
    #: Due to arrival.
    arrival: Latencies
    #: 202 read to arrival; negative when the delivery was faster than the answer.
    after_accept: Latencies


@dataclass(frozen=True, kw_only=True, slots=True)
class Idle:
    """A hub that has nothing to do."""

    cpu_percent: float
    pss_mib: float


class MemoryWatch:
    """Samples the group's memory once a second while a load runs."""

    def __init__(self, group: ProcessGroup) -> None:
        self._group = group
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mib = 0.0

    def __enter__(self) -> MemoryWatch:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, with a last look."""
        self._over.set()
        self._thread.join()
        self.peak_mib = max(self.peak_mib, self._group.pss_mib())

    def _watch(self) -> None:
        while not self._over.wait(_MEMORY_SECONDS):
            self.peak_mib = max(self.peak_mib, self._group.pss_mib())


def measure_throughput(rig: Rig, lines: tuple[str, ...], events: int) -> Throughput:
    """Post as fast as the hub answers, wait for the last delivery and the last record.

    Args:
        lines: All with the same number of webhooks.
    """
    rig.receiver.reset()
    order = rig.order(lines, events)
    load = LoadRun(order, rig.folder)
    group, paths = rig.topology.group, rig.paths_of(lines)
    fan_out = len(paths) // len(lines)
    parts_before = group.cpu_by_part()
    with MemoryWatch(group) as memory:
        load.begin()
        result = load.result()
        accepted = _all_accepted(events, len(accepted_numbers(order, result)), result)
        _drain(rig, accepted * fan_out, paths)
        wait_for(
            "every attempt recorded", lambda: rig.topology.database.pending() == 0, seconds=DRAIN_SECONDS
        )
    cpu = _difference(parts_before, group.cpu_by_part())
    totals = rig.receiver.totals()
    started_ns, last_ns = min(result.written_ns), max(totals.by_path[path].last_at_ns for path in paths)
    deliveries = accepted * fan_out
    return Throughput(
        fan_out=fan_out,
        accepted_per_second=accepted / ((max(result.accepted_ns) - started_ns) / 1e9),
        accept=accept_latencies(result),
        delivered_per_second=deliveries / ((last_ns - started_ns) / 1e9),
        cpu_us_per_delivery=sum(cpu.values()) / deliveries * 1e6,
        cpu_by_part={part: seconds / deliveries * 1e6 for part, seconds in cpu.items()},
        peak_mib=memory.peak_mib,
        duplicates=_clean(rig),
    )


def measure_latency(rig: Rig, lines: tuple[str, ...], rate: float, seconds: float) -> Latency:
    """Post at a fixed rate, whether or not the hub keeps up, and join arrivals with the clock of their request."""
    rig.receiver.reset()
    events = max(1, int(rate * seconds))
    order = rig.order(lines, events, rate=rate, connections=256)
    load = LoadRun(order, rig.folder)
    load.begin()
    result = load.result()
    _all_accepted(events, len(accepted_numbers(order, result)), result)
    paths = rig.paths_of(lines)
    _drain(rig, events * len(paths) // len(lines), paths)
    _clean(rig)
    by_path = rig.receiver.arrivals()
    arrivals = [arrival for path in paths for arrival in by_path[path]]
    return Latency(
        rate=rate,
        accept=accept_latencies(result),
        arrival=arrival_latencies(order, result.due_ns, arrivals),
        after_accept=arrival_latencies(order, result.accepted_ns, arrivals),
    )


def measure_idle(group: ProcessGroup, seconds: float) -> Idle:
    """Look on while nothing happens."""
    cpu_before, started_at = group.cpu_seconds(), time.monotonic()
    time.sleep(seconds)
    cpu, passed = group.cpu_seconds() - cpu_before, time.monotonic() - started_at
    return Idle(cpu_percent=cpu / passed * 100, pss_mib=group.pss_mib())


def check_records(rig: Rig) -> None:
    """Compare the hub's records with what was sent: every delivery succeeded, with its attempt."""
    records, deliveries = rig.topology.database.records(), sum(rig.owed)
    if (records.succeeded, records.pending, records.other) != (deliveries, 0, 0):
        raise LoadFailed(f"{deliveries} deliveries were due, the hub's records say {records}")
    if records.attempts < deliveries:
        raise LoadFailed(
            f"{deliveries} deliveries succeeded, but only {records.attempts} attempts are recorded"
        )


def _all_accepted(events: int, accepted: int, result: LoadResult) -> int:
    if accepted != events:
        raise LoadFailed(
            f"{events} events were posted, {accepted} accepted; the answers were {result.answers}"
        )
    return accepted


def _drain(rig: Rig, deliveries: int, paths: list[str]) -> None:
    rig.owed.append(deliveries)

    def arrived() -> int:
        by_path = rig.receiver.totals().by_path
        return sum(by_path[path].unique for path in paths)

    try:
        wait_for("every delivery arrived", lambda: arrived() >= deliveries, seconds=DRAIN_SECONDS)
    except TimeoutError as error:
        raise LoadFailed(f"{deliveries} deliveries were due, {arrived()} arrived; {error}") from None


def _clean(rig: Rig) -> int:
    totals = rig.receiver.totals()
    if totals.faults:
        raise LoadFailed(f"the receiver counted {totals.faults} requests that were not as they must be")
    return sum(count.repeats for count in totals.by_path.values())


def _difference(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {part: seconds - before.get(part, 0.0) for part, seconds in after.items() if part != "ended"}
