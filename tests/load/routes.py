"""`scripts/bench-routes`: what a thousand routes cost an event, how soon a change of them stands, and how many runs of
two steps a second one hub does.

In this process: reading, matching. On a hub as users run it: events at a rate, until the last run has ended.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from hub.app.collector import calm_collector
from hub.config.route_files import read_route_files
from hub.model.ids import EPOCH_MS, NODE_BITS, SEQUENCE_BITS
from hub.rules.routes.index import ListenerIndex
from hub.rules.runs.wishing import Standing, ask, in_order, types_of
from tests.load.generator_process import LoadRun, accepted_numbers
from tests.load.percentiles import Latencies
from tests.load.receiver_process import running_receiver
from tests.load.rig import Rig
from tests.load.tables import figure, terminal_table
from tests.load.topologies import Embedded
from tests.load.waiting import wait_for

LINE: Final = "+15550300001"
FILES: Final = 10
#: How many of all routes want the event that is measured.
WANTED: Final = 5
_TURNS: Final = 500
_ID_MS: Final = NODE_BITS + SEQUENCE_BITS

EVENT: Final[dict[str, Any]] = {
    "id": "evt_1",
    "type": "message.received",
    "text": "wanted",
    "direction": "inbound",
    "channel": "imessage",
    "from": "+14155550123",
    "contact": {"tags": ["lead"]},
    "conversation_id": "cht_1",
}

TWO_STEPS: Final = """version: 1
routes:
  - id: two-steps
    trigger: message.received
    when: { direction: inbound }
    steps:
      - id: first
        use: log
        with: { message: "From {{ event.from }}", fields: { conversation: "{{ event.conversation_id }}" } }
      - use: log
        with: { message: "{{ steps.first.status }}" }
"""


def written(first: int, last: int) -> str:
    """Write a file of routes: the first few of all want `EVENT`, the others another word."""
    routes = []
    for number in range(first, last):
        word = "wanted" if number < WANTED else f"word {number}"
        routes.append(
            f"""  - id: route-{number}
    trigger: message.received
    when: {{ direction: inbound, text: "{word}", contact.tags: {{ none_of: [customer] }} }}
    if: "event.channel == 'imessage'"
    steps:
      - id: first
        use: message.reply
        with: {{ text: "{{{{ event.text }}}} {number}", metadata: {{ from: "{{{{ event.from }}}}" }} }}
      - use: log
        with: {{ message: "{{{{ steps.first.status }}}} {number}" }}
"""
        )
    return "version: 1\nroutes:\n" + "".join(routes)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def read_and_match(count: int, folder: Path) -> list[list[str]]:
    """Read a folder of so many routes, change one file of it, and match an event that five want."""
    for number in range(FILES):
        size = count // FILES
        (folder / f"{number}.yaml").write_text(written(number * size, (number + 1) * size))
    whole, found = _timed(lambda: read_route_files(folder))
    assert not found.problems, [str(each) for each in found.problems]
    known = found.known
    (folder / "9.yaml").write_text(written(count - count // FILES, count).replace("word", "other"))
    again, changed = _timed(lambda: read_route_files(folder, known=known))
    assert len(changed.routes) == count
    standings = [
        Standing(route=each.route, revision_id=place, since_position=0, types=types_of(each.route))
        for place, each in enumerate(found.routes)
    ]
    index = ListenerIndex(in_order(standings))
    taken = []
    for _ in range(_TURNS):
        seconds, candidates = _timed(lambda: _match(index))
        assert len(candidates.wanted) == WANTED
        taken.append(seconds * 1000)
    return [
        [f"{count:,} routes read, s", figure(whole)],
        [f"one of {FILES} files changed, read again, s", figure(again)],
        [f"an event that {WANTED} want: matched, ms (median)", figure(statistics.median(taken))],
    ]


def _match(index: ListenerIndex[Standing]) -> Any:
    matching = list(index.matching("message.received", EVENT, 0))
    return ask(matching, EVENT, env_name="", hops=0, now_ms=0)


def runs_per_second(rate: float, seconds: float, folder: Path) -> list[list[str]]:
    """Let events come at a rate on a hub with one route of two steps, until all of its runs have ended."""
    routes = folder / "routes"
    routes.mkdir()
    (routes / "two.yaml").write_text(TWO_STEPS)
    hub = Embedded(folder, env={"HUB_ROUTES__FOLDER": str(routes), "HUB_LOG__LEVEL": "warning"})
    try:
        with running_receiver(folder) as receiver:
            hub.start()
            rig = Rig.attach(hub, receiver, folder, (LINE,))
            database = folder / "data" / "hub.db"
            wait_for(
                "the route stands", lambda: _number(database, "SELECT count(*) FROM routes") == 1, seconds=15
            )
            order = rig.order((LINE,), int(rate * seconds), rate=rate)
            load = LoadRun(order, folder)
            before = hub.group.cpu_by_part()
            load.begin()
            accepted = len(accepted_numbers(order, load.result()))
            ended = "SELECT count(*) FROM runs WHERE state = 2"
            wait_for("every run ended", lambda: _number(database, ended) == accepted, seconds=120)
            after = hub.group.cpu_by_part()
        return _figures(database, accepted, rate, {part: after[part] - before.get(part, 0) for part in after})
    finally:
        hub.stop()


def _figures(database: Path, accepted: int, rate: float, cpu: dict[str, float]) -> list[list[str]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT event_id, finished_at FROM runs ORDER BY finished_at").fetchall()
    begun = [(event_id >> _ID_MS) + EPOCH_MS for event_id, _ in rows]
    lags = Latencies.of_ns([(row[1] - at) * 1_000_000 for row, at in zip(rows, begun, strict=True)])
    seconds = (rows[-1][1] - min(begun)) / 1000
    return [
        [f"runs of two steps at {rate:.0f} events/s: ended/s", figure(accepted / seconds)],
        ["event recorded to run ended, p50, ms", figure(lags.p50)],
        ["… p99, ms", figure(lags.p99)],
        ["CPU per event and run, µs", figure(sum(cpu.values()) / accepted * 1e6)],
        *[[f"… {part}", figure(used / accepted * 1e6)] for part, used in sorted(cpu.items())],
    ]


def _number(database: Path, query: str) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found: int = connection.execute(query).fetchone()[0]
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--routes", type=int, default=1_000)
    parser.add_argument("--rate", type=float, action="append")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--quick", action="store_true", help="to see that it works")
    options, _ = parser.parse_known_args(arguments)  # `make bench` gives the same to each
    if options.quick:
        options.routes, options.seconds, options.rate = 100, 2, [50.0]
    calm_collector()  # as the processes that read routes do
    rows: list[list[str]] = []
    with tempfile.TemporaryDirectory() as folder:
        rows += read_and_match(options.routes, Path(folder))
    for rate in options.rate or [500.0]:
        with tempfile.TemporaryDirectory() as folder:
            rows += runs_per_second(rate, options.seconds, Path(folder))
    print(terminal_table(["routes", "figure"], rows))


if __name__ == "__main__":
    main()
