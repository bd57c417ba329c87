"""Run a load as its own process, and say what came of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.load.generator import LoadOrder, LoadResult
from tests.load.percentiles import Latencies
from tests.load.services import ROOT


class LoadRun:
    """One generator process: prepared by the constructor, started by `begin`, awaited by `result`."""

    def __init__(self, order: LoadOrder, folder: Path) -> None:
        self.order = order
        stem = f"load-{order.plan.run}"
        self._result_path = folder / f"{stem}.result.json"
        order_path = folder / f"{stem}.order.json"
        order_path.write_bytes(msgspec.json.encode(order))
        command = [sys.executable, "-m", "tests.load.generator", str(order_path), str(self._result_path)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the load generator did not get ready; its standard error says why")

    def begin(self) -> None:
        """Let it post; returns at once."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.close()

    def is_running(self) -> bool:
        """Tell whether it still posts."""
        return self._process.poll() is None

    def result(self) -> LoadResult:
        """Wait until everything is answered or given up."""
        code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if code:
            raise RuntimeError(
                f"the load generator failed with exit code {code}; its standard error says why"
            )
        return msgspec.json.decode(self._result_path.read_bytes(), type=LoadResult)

    def kill(self) -> None:
        """End it, whatever it does."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def accepted_numbers(order: LoadOrder, result: LoadResult) -> set[int]:
    """Give the numbers of all events whose request was answered with 202."""
    size, plan = order.plan.events_per_request, order.plan
    accepted: set[int] = set()
    for index, at_ns in enumerate(result.accepted_ns):
        if at_ns:
            first = plan.first + index * size
            accepted.update(range(first, min(first + size, plan.first + plan.count)))
    return accepted


def accept_latencies(result: LoadResult) -> Latencies:
    """Give the time from due (open loop) or written (closed loop) to the 202."""
    pairs = zip(result.due_ns, result.accepted_ns, strict=True)
    return Latencies.of_ns([accepted - due for due, accepted in pairs if accepted])


def arrival_latencies(
    order: LoadOrder, starts_ns: Sequence[int], arrivals: Sequence[tuple[int, int]]
) -> Latencies:
    """Join arrivals with the clock readings of their requests.

    Args:
        starts_ns: One reading a request: `due_ns`, `written_ns` or `accepted_ns`.
        arrivals: (event number, ns).
    """
    size, first = order.plan.events_per_request, order.plan.first
    return Latencies.of_ns([at_ns - starts_ns[(number - first) // size] for number, at_ns in arrivals])
