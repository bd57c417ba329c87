"""`scripts/bench-shows`: what must not slow the hub down, each beside the quiet hub: a long history, thousands of
endpoints, a backlog for a dead one, one that drips, one that is flooded.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.load.behaviours import Behaviour
from tests.load.generator_process import LoadRun, accepted_numbers
from tests.load.history import fill_postgres, fill_sqlite
from tests.load.measures import MemoryWatch, measure_latency, measure_throughput
from tests.load.postgres import running_postgres
from tests.load.receiver_process import running_receiver
from tests.load.rig import Rig
from tests.load.tables import figure, markdown_table, terminal_table
from tests.load.topologies import Apart, Embedded, Topology

QUIET, OTHER = "+15550400001", "+15550400002"
HEAD = ["situation", "delivered/s", "post→arrive p50, ms", "p95", "p99", "memory, MiB", "remark"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Show:
    """How much of what."""

    history: int
    endpoints: int
    backlog: int
    #: Events a second on the line that is watched.
    rate: float
    seconds: float
    events: int


FULL = Show(history=1_000_000, endpoints=10_000, backlog=200_000, rate=100, seconds=15, events=20_000)
QUICK = Show(history=2_000, endpoints=20, backlog=500, rate=50, seconds=1, events=200)


class Stage:
    """One hub with a quiet line, and the rows of its table."""

    def __init__(self, rig: Rig, show: Show, *, folder: Path, fill: Callable[[int], None]) -> None:
        self.rig = rig
        self.show = show
        self.rows: list[list[str]] = []
        self._folder = folder
        self._fill = fill

    def watch(self, situation: str, *, lines: tuple[str, ...] = (QUIET,), remark: str = "") -> None:
        """Measure latency on some lines, and add a row."""
        with MemoryWatch(self.rig.topology.group) as memory:
            seen = measure_latency(self.rig, lines, self.show.rate, self.show.seconds).arrival
        figures = [figure(value) for value in (seen.p50, seen.p95, seen.p99, memory.peak_mib)]
        self._row([situation, "", *figures, remark])

    def race(self, situation: str, *, lines: tuple[str, ...] = (QUIET,), remark: str = "") -> None:
        """Measure throughput and latency on some lines, and add a row."""
        raced = measure_throughput(self.rig, lines, self.show.events)
        seen = measure_latency(self.rig, lines, self.show.rate, self.show.seconds).arrival
        figures = [raced.delivered_per_second, seen.p50, seen.p95, seen.p99, raced.peak_mib]
        self._row([situation, *[figure(value) for value in figures], remark])

    def history(self) -> None:
        """Compare before and after a million stored deliveries."""
        self.race("fresh database")
        self.rig.topology.stop()
        self._fill(self.show.history)
        seconds = self.rig.topology.start()
        self.race(f"{self.show.history:,} deliveries stored", remark=f"start to ready {seconds:.1f} s")

    def endpoints(self) -> None:
        """Compare one endpoint with thousands, each on a line of its own."""
        lines = tuple(f"+1555900{number:05d}" for number in range(self.show.endpoints))
        started_at = time.monotonic()
        crowd = Rig.attach(self.rig.topology, self.rig.receiver, self._folder, lines, name="crowd")
        for line in lines:
            crowd.webhooks(line)
        took = f"registered in {time.monotonic() - started_at:.0f} s"
        mine, self.rig = self.rig, crowd
        self.race(f"{self.show.endpoints:,} endpoints", lines=lines, remark=took)
        self.rig = mine

    def backlog(self) -> None:
        """Watch the quiet line while another one's dead endpoint has everything due."""
        self.watch("quiet")
        self.rig.webhooks(OTHER, behaviour=Behaviour(kind="dead"))
        order = self.rig.order((OTHER,), self.show.backlog, connections=8, events_per_request=100)
        load = LoadRun(order, self._folder)
        load.begin()
        accepted = len(accepted_numbers(order, load.result()))
        pending = self.rig.topology.database.pending()
        self.watch(f"{accepted:,} due to a dead endpoint", remark=f"{pending:,} pending")
        self.watch("the same, later", remark=f"{self.rig.topology.database.pending():,} pending")

    def neighbour(self, situation: str, behaviour: Behaviour, rate: float) -> None:
        """Watch the quiet line while another one is loaded at a rate of its own."""
        self.rig.webhooks(OTHER, behaviour=behaviour)
        order = self.rig.order((OTHER,), int(rate * self.show.seconds), rate=rate)
        load = LoadRun(order, self._folder)
        load.begin()
        try:
            self.watch(situation)
            load.result()
        finally:
            load.kill()

    def _row(self, row: list[str]) -> None:
        self.rows.append(row)
        print("… " + " · ".join(cell for cell in row if cell), flush=True)


SHOWS: dict[str, Callable[[Stage], None]] = {
    "history": Stage.history,
    "endpoints": Stage.endpoints,
    "backlog": Stage.backlog,
    "drip": lambda stage: stage.neighbour("an endpoint that drips, 50/s", Behaviour(kind="drip"), 50),
    "flood": lambda stage: stage.neighbour("an endpoint that is flooded, 1,500/s", Behaviour(), 1500),
    "failing": lambda stage: stage.neighbour("an endpoint that fails, 50/s", Behaviour(kind="fail"), 50),
}


@contextmanager
def topology(name: str, folder: Path) -> Iterator[tuple[Topology, Callable[[int], None]]]:
    """Make a hub and what fills its database."""
    if name == "embedded":
        yield Embedded(folder), lambda count: fill_sqlite(folder / "data" / "hub.db", count)
        return
    with running_postgres() as server:
        hub = Apart(folder, postgres_url=server.url, postgres_pid=server.pid)
        yield hub, lambda count: fill_postgres(server.url, count)


def perform(name: str, chosen: list[str], show: Show, parent: Path | None) -> list[list[str]]:
    """Perform each show on a fresh hub; return the rows."""
    rows: list[list[str]] = []
    for title in chosen:
        with (
            tempfile.TemporaryDirectory(prefix="hub-show-", dir=parent) as place,
            topology(name, Path(place)) as (hub, fill),
            running_receiver(Path(place)) as receiver,
        ):
            receiver.listen()
            try:
                hub.start()
                rig = Rig.attach(hub, receiver, Path(place), (QUIET, OTHER))
                rig.webhooks(QUIET)
                stage = Stage(rig, show, folder=Path(place), fill=fill)
                SHOWS[title](stage)
                rows += stage.rows
            finally:
                hub.stop()
    return rows


def main() -> None:
    """Read the options, perform, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench-shows", description=__doc__)
    parser.add_argument("shows", nargs="*", choices=[*SHOWS, []], help="which (default: all)")
    parser.add_argument("--topology", choices=("embedded", "apart"), default="embedded")
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see that it works; no figures"
    )
    parser.add_argument("--folder", type=Path, help="where data goes; must be a real disk")
    parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args()
    rows = perform(
        options.topology, options.shows or list(SHOWS), QUICK if options.quick else FULL, options.folder
    )
    print("\n" + terminal_table(HEAD, rows))
    if options.markdown:
        options.markdown.write_text(markdown_table(HEAD, rows) + "\n")


if __name__ == "__main__":
    main()
