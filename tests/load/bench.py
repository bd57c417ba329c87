"""`make bench`: start the hub as a user would, load it, and print one table with the limit beside each figure.

Runs are interleaved (limit, embedded, apart, and again), so that what else happens on the machine hits all alike.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from tests.load.bare import LANE, BareOrder, run_bare
from tests.load.behaviours import Behaviour
from tests.load.bystanders import undisturbed
from tests.load.certificates import ServerTls, issue
from tests.load.measures import (
    Latency,
    LoadFailed,
    Throughput,
    check_records,
    measure_idle,
    measure_latency,
    measure_throughput,
)
from tests.load.postgres import running_postgres
from tests.load.receiver_control import ReceiverControl
from tests.load.receiver_process import running_receiver
from tests.load.report import LIMIT, Book, described, machine
from tests.load.rig import Rig
from tests.load.scale import FULL, QUICK, Scale
from tests.load.topologies import Apart, Embedded, Topology

T = TypeVar("T")

DISTURBED = "CPU used by others meanwhile, % of one core"
SECRET = "whsec_bG9hZC10ZXN0LXNlY3JldC1vZi0zMi1ieXRlcy4uLi4="


def line_of(fan_out: int) -> str:
    """Give the line whose events go to so many webhooks."""
    return f"+1555020{fan_out:04d}"


LATENCY_LINE = line_of(1)
TLS_LINE = "+15550209999"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """One session."""

    scale: Scale
    book: Book
    folder: Path
    receiver: ReceiverControl
    tls_receiver: ReceiverControl
    tls: ServerTls
    say: Callable[[str], None]
    #: Of one core, by others; None measures whatever they do.
    most_disturbed_percent: float | None

    def limit(self) -> None:
        """Measure the bare loop: the same client, the same receiver, the same number of posts."""
        for fan_out, events in self.scale.events.items():
            paths = [f"/bare/{fan_out}/{index}" for index in range(fan_out)]
            targets = tuple((f"http://127.0.0.1:{self.receiver.ports[0]}{path}", SECRET) for path in paths)
            self.receiver.expect(dict.fromkeys(paths, SECRET))
            self._bare(f"fan-out {fan_out}", BareOrder(targets=targets, posts_per_target=events))
        paths = [f"/bare/tls/{index}" for index in range(self.scale.tls_hosts)]
        targets = tuple((base + path, SECRET) for path, base in zip(paths, self._tls_bases(), strict=True))
        self.tls_receiver.expect(dict.fromkeys(paths, SECRET), Behaviour(closes=True))
        authority = str(self.tls.authority)
        self._bare(
            _TLS_NAME,
            BareOrder(targets=targets, posts_per_target=self.scale.tls_events, ca_file=authority, lane=LANE),
        )

    def _bare(self, name: str, order: BareOrder) -> None:
        self.say(f"limit: {name}")
        result = self._quietly(LIMIT, lambda: run_bare(order, self.folder))
        if result.failures:
            raise LoadFailed(f"the bare loop met {result.failures} failures: the receiver did not keep up")
        self.book.add(f"delivered/s, {name}", LIMIT, result.posts / result.seconds, kind="rate")
        self.book.add(
            f"CPU µs per delivery, {name}", LIMIT, result.cpu_seconds / result.posts * 1e6, kind="cost"
        )

    def _quietly(self, column: str, measure: Callable[[], T]) -> T:
        result, percent = undisturbed(measure, self.most_disturbed_percent)
        self.book.add(DISTURBED, column, percent)
        return result

    def hub(self, topology: Topology) -> None:
        """Measure one hub from start to stop, on a fresh folder."""
        column = topology.name
        try:
            self.book.add("start to ready, s", column, topology.start())
            lines = (*[line_of(fan_out) for fan_out in self.scale.events], TLS_LINE)
            rig = Rig.attach(topology, self.receiver, self.folder, lines)
            for fan_out in self.scale.events:
                rig.webhooks(line_of(fan_out), fan_out)
            self._idle(rig, column)
            self._latencies(rig, column)
            self._throughputs(rig, column)
            self._tls(rig, column)
            check_records(rig)
        except Exception:
            self.say(f"{column} failed; its processes said:\n{topology.last_words()}")
            raise
        finally:
            topology.stop()

    def _idle(self, rig: Rig, column: str) -> None:
        idle = measure_idle(rig.topology.group, self.scale.idle_seconds)
        self.book.add("idle CPU, % of one core", column, idle.cpu_percent)
        self.book.add("idle memory (PSS), MiB", column, idle.pss_mib)

    def _latencies(self, rig: Rig, column: str) -> None:
        for rate in self.scale.rates:
            self.say(f"{column}: {rate:.0f} events/s")
            seen = self._latency(rig, column, rate)
            for name, value in (
                ("p50", seen.arrival.p50),
                ("p95", seen.arrival.p95),
                ("p99", seen.arrival.p99),
            ):
                self.book.add(f"post→arrive {name} at {rate:.0f}/s, ms", column, value)
            for name, value in (("p50", seen.after_accept.p50), ("p99", seen.after_accept.p99)):
                self.book.add(f"202→arrive {name} at {rate:.0f}/s, ms", column, value)

    def _latency(self, rig: Rig, column: str, rate: float) -> Latency:
        return self._quietly(
            column, lambda: measure_latency(rig, (LATENCY_LINE,), rate, self.scale.latency_seconds)
        )

    def _throughput(self, rig: Rig, column: str, line: str, events: int) -> Throughput:
        return self._quietly(column, lambda: measure_throughput(rig, (line,), events))

    def _throughputs(self, rig: Rig, column: str) -> None:
        peak = 0.0
        for fan_out, events in self.scale.events.items():
            self.say(f"{column}: {events} events at fan-out {fan_out}")
            seen = self._throughput(rig, column, line_of(fan_out), events)
            name = f"fan-out {fan_out}"
            self.book.add(f"accepted/s, {name}", column, seen.accepted_per_second)
            self.book.add(f"accept p50, {name}, ms", column, seen.accept.p50)
            self.book.add(f"accept p99, {name}, ms", column, seen.accept.p99)
            self.book.add(f"delivered/s, {name}", column, seen.delivered_per_second, kind="rate")
            self.book.add(f"CPU µs per delivery, {name}", column, seen.cpu_us_per_delivery, kind="cost")
            for part, cost in sorted(seen.cpu_by_part.items()):
                self.book.add(f"· of it {part}, {name}", column, cost)
            self.book.add(f"repeated deliveries, {name}", column, seen.duplicates)
            peak = max(peak, seen.peak_mib)
        self.book.add("peak memory (PSS), MiB", column, peak)

    def _tls(self, rig: Rig, column: str) -> None:
        self.say(f"{column}: {self.scale.tls_hosts} HTTPS endpoints")
        paths = [f"/{column}/tls/{index}" for index in range(self.scale.tls_hosts)]
        bases = self._tls_bases()
        rig.register(
            TLS_LINE, list(zip(paths, bases, strict=True)), self.tls_receiver, Behaviour(closes=True)
        )
        on_tls = replace(rig, receiver=self.tls_receiver)
        seen = self._throughput(on_tls, column, TLS_LINE, self.scale.tls_events)
        self.book.add(f"delivered/s, {_TLS_NAME}", column, seen.delivered_per_second, kind="rate")
        self.book.add(f"CPU µs per delivery, {_TLS_NAME}", column, seen.cpu_us_per_delivery, kind="cost")

    def _tls_bases(self) -> list[str]:
        hosts = tls_hosts(self.scale.tls_hosts)
        return [f"https://{host}:{port}" for host, port in zip(hosts, self.tls_receiver.ports, strict=True)]


_TLS_NAME = "new HTTPS connection each"


def tls_hosts(number: int) -> list[str]:
    """Give addresses of this machine, each a host of its own for TLS sessions, pools and lanes."""
    return [f"127.0.1.{index}" for index in range(1, number + 1)]


@contextmanager
def opened(
    scale: Scale, book: Book, folder: Path, say: Callable[[str], None], most_disturbed_percent: float | None
) -> Iterator[Bench]:
    """Start the receivers."""
    tls = issue(folder, tls_hosts(scale.tls_hosts))
    with running_receiver(folder) as receiver, running_receiver(folder, "receiver-tls") as tls_receiver:
        receiver.listen()
        tls_receiver.listen(tls_hosts(scale.tls_hosts), tls=tls)
        yield Bench(
            scale=scale,
            book=book,
            folder=folder,
            receiver=receiver,
            tls_receiver=tls_receiver,
            tls=tls,
            say=say,
            most_disturbed_percent=most_disturbed_percent,
        )


def run(
    scale: Scale,
    book: Book,
    folder: Path,
    say: Callable[[str], None],
    most_disturbed_percent: float | None = None,
) -> None:
    """Do all runs and write their figures into the book."""
    with opened(scale, book, folder, say, most_disturbed_percent) as bench:
        env = {"SSL_CERT_FILE": str(bench.tls.authority)}
        for number in range(1, scale.runs + 1):
            say(f"run {number} of {scale.runs}")
            bench.limit()
            place = folder / f"embedded-{number}"
            place.mkdir()
            bench.hub(Embedded(place, env=env))
            if "apart" in book.columns:
                _apart(bench, folder / f"apart-{number}", env)


def _apart(bench: Bench, place: Path, env: dict[str, str]) -> None:
    place.mkdir()
    with running_postgres() as server:
        bench.hub(Apart(place, postgres_url=server.url, postgres_pid=server.pid, env=env))


def _print(text: str) -> None:
    print(f"… {text}", flush=True)


def main() -> None:
    """Read the options, run, print, write."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds, to see that it works; no figures"
    )
    parser.add_argument("--runs", type=int, help="how many interleaved runs (default 3)")
    parser.add_argument("--embedded-only", action="store_true", help="without PostgreSQL")
    parser.add_argument(
        "--folder", type=Path, help="where data goes; must be a real disk (default: a temporary one)"
    )
    parser.add_argument(
        "--quiet",
        type=float,
        metavar="PERCENT",
        help="wait for, and repeat until, others use no more than so much of one core",
    )
    parser.add_argument("--json", type=Path, help="also write every run's figures here")
    parser.add_argument("--markdown", type=Path, help="also write the table here")
    options = parser.parse_args()
    scale = QUICK if options.quick else FULL
    if options.runs:
        scale = Scale(
            **{**{name: getattr(scale, name) for name in Scale.__dataclass_fields__}, "runs": options.runs}
        )
    book = Book(columns=("embedded",) if options.embedded_only else ("embedded", "apart"))
    with tempfile.TemporaryDirectory(prefix="hub-bench-", dir=options.folder) as name:
        facts = machine(Path(name))
        try:
            run(scale, book, Path(name), _print, options.quiet)
        finally:  # figures of finished runs are worth seeing when a later one fails
            print("\n" + "\n".join(described(facts)) + "\n\n" + book.for_terminal(), flush=True)
    if options.json:
        options.json.write_text(json.dumps({"machine": facts, "figures": book.as_json()}, indent=1))
    if options.markdown:
        options.markdown.write_text(book.as_markdown() + "\n")


if __name__ == "__main__":
    main()
