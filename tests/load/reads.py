"""`scripts/bench-reads`: what pages cost in a store of a million messages beside one of a thousand, asked in turn; and
how fast simple reads are at a fixed rate beside a running delivery load.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.load.bystanders import Bystanders
from tests.load.conversations import ABSENT, COMMON, NEWEST_MS, fill_postgres, fill_sqlite
from tests.load.generator_process import LoadRun, accepted_numbers
from tests.load.hub_rest import HubRest
from tests.load.percentiles import Latencies
from tests.load.postgres import running_postgres
from tests.load.read_generator import ReadOrder, ReadRun
from tests.load.receiver_process import running_receiver
from tests.load.rig import Rig
from tests.load.tables import figure, markdown_table, terminal_table
from tests.load.topologies import Apart, Embedded, Topology, add_bridge

#: The line that has the messages, and the one that deliveries are for.
FILLED, BUSY = "+15550400005", "+15550400001"
PAGES_HEAD = ["page, p50 in ms", "messages", "few", "many", "many : few", "p99 few", "p99 many"]
READS_HEAD = [
    "simple reads beside deliveries",
    "reads/s",
    "p50, ms",
    "p95",
    "p99",
    "deliveries/s",
    "others, %",
]

#: What clients ask for all the time: no searches.
SIMPLE = {"a chat, newest", "a line, newest", "one message", "its timeline", "chats"}

Fill = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measure:
    """How much of what."""

    few: int
    many: int
    #: Of each page, in each store.
    turns: int
    reads_per_second: float
    deliveries_per_second: float
    seconds: float


FULL = Measure(
    few=1_000, many=1_000_000, turns=300, reads_per_second=200, deliveries_per_second=200, seconds=30
)
QUICK = Measure(few=1_000, many=5_000, turns=10, reads_per_second=50, deliveries_per_second=20, seconds=1)


def pages(rest: HubRest) -> dict[str, str]:
    """Name the pages that are compared, with the paths that give them."""
    line = f"from=%2B{FILLED[1:]}"
    newest = rest.get(f"/v1/messages?{line}&limit=1")["data"][0]
    middle = rest.get(f"/v1/messages?{line}&until={NEWEST_MS - 400_000}&limit=50")["next_cursor"]
    return {
        "a chat, newest": f"/v1/messages?{line}&to={newest['chat_id']}",
        "a line, newest": f"/v1/messages?{line}",
        "a line, oldest": f"/v1/messages?{line}&sort=oldest",
        "a line, by a cursor": f"/v1/messages?{line}&cursor={middle}",
        "all lines": "/v1/messages",
        "a range of time": f"/v1/messages?{line}&since={NEWEST_MS - 300_000}&until={NEWEST_MS - 200_000}",
        "outbound": f"/v1/messages?{line}&direction=outbound",
        "words that are everywhere": f"/v1/messages?{line}&q={_quoted(COMMON)}",
        "words that are nowhere (bounded)": f"/v1/messages?{line}&q={ABSENT}",
        "one message": f"/v1/messages/{newest['id']}",
        "its timeline": f"/v1/messages/{newest['id']}/timeline",
        "chats": f"/v1/chats?{line}",
        "a line, after 100,000": f"/v1/messages?{line}&offset=100000",
        "a line, counted": f"/v1/messages?{line}&limit=1&include_total=true",
        "a line, inbound, counted": f"/v1/messages?{line}&limit=1&direction=inbound&include_total=true",
        "a chat, counted": f"/v1/messages?{line}&to={newest['chat_id']}&limit=1&include_total=true",
        "chats with counts": f"/v1/chats?{line}&include=counts",
        "usage": "/v1/usage",
    }


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


def compare(few: HubRest, many: HubRest, measure: Measure) -> list[list[str]]:
    """Ask both stores for the same pages in turn, so that whatever disturbs one disturbs the other."""
    rows = []
    sides = [(few, pages(few)), (many, pages(many))]
    for name in sides[0][1]:
        taken: list[list[int]] = [[], []]
        sizes = [0, 0]
        for _ in range(measure.turns):
            for side, (rest, paths) in enumerate(sides):
                started_ns = time.perf_counter_ns()
                answer = rest.get(paths[name])
                taken[side].append(time.perf_counter_ns() - started_ns)
                sizes[side] = _size(answer)
        seen = [Latencies.of_ns(each) for each in taken]
        rows.append(
            [
                name,
                f"{sizes[0]} / {sizes[1]}",
                *(figure(each.p50) for each in seen),
                figure(seen[1].p50 / seen[0].p50),
                *(figure(each.p99) for each in seen),
            ]
        )
        print("… " + " · ".join(rows[-1]), flush=True)
    return rows


def _size(answer: dict[str, Any]) -> int:
    found = answer.get("data", answer.get("entries"))
    return len(found) if isinstance(found, list) else 1


def read_beside_deliveries(rig: Rig, rest: HubRest, measure: Measure, situation: str) -> list[str]:
    """Read at a fixed rate while events come in and are delivered at another."""
    simple = [path for name, path in pages(rest).items() if name in SIMPLE]
    order = ReadOrder(
        port=rest.port,
        key=rest.key,
        paths=tuple(simple),
        rate=measure.reads_per_second,
        count=int(measure.reads_per_second * measure.seconds),
    )
    reads = ReadRun(order, rig.folder)
    rig.receiver.reset()
    load_order = rig.order(
        (BUSY,), int(measure.deliveries_per_second * measure.seconds), rate=measure.deliveries_per_second
    )
    load = LoadRun(load_order, rig.folder)
    watch = Bystanders()
    load.begin()
    reads.begin()
    result, accepted = reads.result(), len(accepted_numbers(load_order, load.result()))
    if set(result.answers) != {"200"}:
        raise RuntimeError(f"reads were answered with {result.answers}")
    seen = Latencies.of_ns(result.latencies_ns)
    rates = [figure(measure.reads_per_second), *(figure(each) for each in (seen.p50, seen.p95, seen.p99))]
    row = [situation, *rates, figure(accepted / measure.seconds), figure(watch.percent())]
    print("… " + " · ".join(row), flush=True)
    return row


@contextmanager
def hub(name: str, folder: Path) -> Iterator[tuple[Topology, Fill]]:
    """Make a hub, and what fills the database that it has when it stands still."""
    folder.mkdir()
    folder.chmod(0o755)
    if name == "embedded":
        yield Embedded(folder), lambda count: fill_sqlite(folder / "data" / "hub.db", FILLED, count)
        return
    with running_postgres() as server:
        apart = Apart(folder, postgres_url=server.url, postgres_pid=server.pid)
        yield apart, lambda count: fill_postgres(server.url, FILLED, count)


@contextmanager
def filled(name: str, folder: Path, count: int) -> Iterator[Topology]:
    """Run a hub that has so many messages."""
    with hub(name, folder) as (topology, fill):
        topology.start()
        try:
            add_bridge(topology, "filled", (FILLED,))
            topology.stop()
            fill(count)
            print(f"… {name}: {count:,} messages are there", flush=True)
            topology.start()
            yield topology
        finally:
            topology.stop()


def perform(name: str, measure: Measure, parent: Path | None) -> tuple[list[list[str]], list[list[str]]]:
    """Fill both stores of one topology and measure; return the rows of both tables."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-reads-", dir=parent)))
        folder.chmod(0o755)
        many = stack.enter_context(filled(name, folder / "many", measure.many))
        with filled(name, folder / "few", measure.few) as few:
            compared = [[f"{name}: {row[0]}", *row[1:]] for row in compare(few.rest(), many.rest(), measure)]
        receiver = stack.enter_context(running_receiver(folder))
        receiver.listen()
        rig = Rig.attach(many, receiver, folder, (BUSY,))
        rig.webhooks(BUSY)
        situation = f"{name}: {measure.many:,} messages"
        return compared, [read_beside_deliveries(rig, many.rest(), measure, situation)]


def main() -> None:
    """Read the options, perform, print."""
    parser = argparse.ArgumentParser(prog="scripts/bench-reads", description=__doc__)
    parser.add_argument("--topology", choices=("embedded", "apart"), help="only this one (default: both)")
    parser.add_argument("--many", type=int, help="messages in the large store")
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see that it works; no figures"
    )
    parser.add_argument("--folder", type=Path, help="where data goes; must be a real disk")
    parser.add_argument("--markdown", type=Path, help="also write the tables here")
    options = parser.parse_args()
    measure = QUICK if options.quick else FULL
    if options.many:
        measure = replace(measure, many=options.many)
    compared: list[list[str]] = []
    beside: list[list[str]] = []
    for name in (options.topology,) if options.topology else ("embedded", "apart"):
        more_compared, more_beside = perform(name, measure, options.folder)
        compared += more_compared
        beside += more_beside
    print("\n" + terminal_table(PAGES_HEAD, compared) + "\n\n" + terminal_table(READS_HEAD, beside))
    if options.markdown:
        tables = (markdown_table(PAGES_HEAD, compared), markdown_table(READS_HEAD, beside))
        options.markdown.write_text("\n\n".join(tables) + "\n")


if __name__ == "__main__":
    main()
