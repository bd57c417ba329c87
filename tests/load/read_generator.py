"""Simple reads at a fixed rate, as a process of its own: each is due whether or not the hub keeps up.

`python -m tests.load.read_generator <order.json> <result.json>`; it says `ready` on standard output and begins when it
reads a line on standard input. Latency counts from the moment a read was due (no coordinated omission).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
import uvloop

from tests.load.services import ROOT


class ReadOrder(msgspec.Struct, kw_only=True, frozen=True):
    """What to read."""

    port: int
    key: str
    #: Taken in turn.
    paths: tuple[str, ...]
    rate: float
    count: int
    connections: int = 32


class ReadResult(msgspec.Struct, kw_only=True, frozen=True):
    """What came of it."""

    #: Due to the answer read to its end, in order of the reads.
    latencies_ns: list[int]
    answers: dict[str, int]


class ReadRun:
    """One generator process: prepared by the constructor, started by `begin`, awaited by `result`."""

    def __init__(self, order: ReadOrder, folder: Path) -> None:
        self._result_path = folder / "reads.result.json"
        order_path = folder / "reads.order.json"
        order_path.write_bytes(msgspec.json.encode(order))
        command = [sys.executable, "-m", "tests.load.read_generator", str(order_path), str(self._result_path)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != "ready\n":
            raise RuntimeError("the read generator did not get ready; its standard error says why")

    def begin(self) -> None:
        """Let it read; returns at once."""
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.close()

    def result(self) -> ReadResult:
        """Wait until all is answered."""
        code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        if code:
            raise RuntimeError(
                f"the read generator failed with exit code {code}; its standard error says why"
            )
        return msgspec.json.decode(self._result_path.read_bytes(), type=ReadResult)


async def read_all(order: ReadOrder) -> ReadResult:
    """Read everything at its time, over connections that stay open."""
    idle: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(order.connections):
        idle.put_nowait(await asyncio.open_connection("127.0.0.1", order.port))
    latencies, answers = [0] * order.count, Counter[str]()

    async def read(index: int, due_ns: int) -> None:
        reader, writer = await idle.get()
        path = order.paths[index % len(order.paths)]
        head = f"GET {path} HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer {order.key}\r\n\r\n"
        writer.write(head.encode())
        answer = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_content_length(answer))
        latencies[index] = time.monotonic_ns() - due_ns
        answers[answer[9:12].decode()] += 1
        idle.put_nowait((reader, writer))

    started_ns = time.monotonic_ns() + 10_000_000
    reads = []
    for index in range(order.count):
        due_ns = started_ns + int(index * 1e9 / order.rate)
        await asyncio.sleep(max(0.0, (due_ns - time.monotonic_ns()) / 1e9))
        reads.append(asyncio.create_task(read(index, due_ns)))
    await asyncio.gather(*reads)
    while not idle.empty():
        writer = idle.get_nowait()[1]
        writer.close()
        await writer.wait_closed()
    return ReadResult(latencies_ns=latencies, answers=dict(answers))


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def main(order_path: Path, result_path: Path) -> None:
    """Prepare, say so, wait for the word, read, write down what was seen."""
    order = msgspec.json.decode(order_path.read_bytes(), type=ReadOrder)

    async def work() -> ReadResult:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return await read_all(order)

    result_path.write_bytes(msgspec.json.encode(uvloop.run(work())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
