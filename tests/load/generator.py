"""The load: its own process, which posts prepared bridge requests to the hub and notes when each was answered.

Closed loop: a fixed number of connections, each posts its next request when the last one was answered.
Open loop: a request is due every 1/rate seconds whether or not the hub keeps up, and its latency counts from the
moment it was due, so a stall is charged to every request that it delays (no coordinated omission).

`python -m tests.load.generator <plan.json> <result.json>`; it says `ready` on standard output, begins when it reads
a line on standard input, and ends by itself. Times are CLOCK_MONOTONIC, which all processes of a machine share.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from tests.load.observations import LoadPlan, bodies, request, request_ids

RETRY_PAUSE_SECONDS = 0.1
_ACCEPTED = (b'"status":"recorded"', b'"status":"duplicate"')


class LoadOrder(msgspec.Struct, kw_only=True, frozen=True):
    """What the generator process is told to do."""

    plan: LoadPlan
    #: Web processes to post to, taken in turn by connection.
    ports: tuple[int, ...]
    connections: int = 64
    #: Requests a second for an open loop; None for a closed one.
    rate: float | None = None
    #: Repeat what was not answered with 202, under the same webhook-id, as a bridge does.
    retries: bool = False
    answer_timeout_seconds: float = 20.0
    #: With retries: give up after this long.
    give_up_seconds: float = 120.0


class LoadResult(msgspec.Struct, kw_only=True, frozen=True):
    """What the generator saw; index i is request i of the plan."""

    #: When each request was due (open loop) or first written (closed loop).
    due_ns: list[int]
    #: When each was written (its last try).
    written_ns: list[int]
    #: When its 202 was read; 0 if it never was.
    accepted_ns: list[int]
    #: Answers by status; `lost` is a connection that broke before the answer, `late` one given up on.
    answers: dict[str, int]
    started_ns: int
    ended_ns: int


class Generator:
    """Posts the requests of one order."""

    def __init__(self, order: LoadOrder) -> None:
        self.order = order
        plan = order.plan
        self._ids = request_ids(plan)
        self._bodies = bodies(plan, time.time_ns() // 1_000_000)
        self._host = b"127.0.0.1:%d" % order.ports[0]
        self._requests: Sequence[bytes] = [self._signed(index) for index in range(len(self._ids))]
        count = len(self._ids)
        self.due_ns, self.written_ns, self.accepted_ns = [0] * count, [0] * count, [0] * count
        self.answers: Counter[str] = Counter()
        self._waiting: deque[int] = deque()
        self._idle: list[Connection] = []
        self._open = 0
        self._unfinished = count
        self._finished = asyncio.Event()

    async def run(self) -> LoadResult:
        """Post everything; return when all is answered or given up."""
        loop = asyncio.get_running_loop()
        started_ns = time.monotonic_ns()
        if self.order.rate is None:
            self._waiting.extend(range(self._unfinished))
            self._pump()
        else:
            pacer = threading.Thread(target=self._pace, args=(loop, started_ns, self.order.rate), daemon=True)
            pacer.start()
        try:
            async with asyncio.timeout(self._limit_seconds()):
                await self._finished.wait()
        except TimeoutError:
            self.answers["given up"] += self._unfinished
        return LoadResult(
            due_ns=self.due_ns,
            written_ns=self.written_ns,
            accepted_ns=self.accepted_ns,
            answers=dict(self.answers),
            started_ns=started_ns,
            ended_ns=time.monotonic_ns(),
        )

    def _events_of(self, index: int) -> int:
        size = self.order.plan.events_per_request
        return min(size, self.order.plan.count - index * size)

    def _limit_seconds(self) -> float:
        paced = len(self._ids) / self.order.rate if self.order.rate else 0.0
        return paced + self.order.give_up_seconds

    def _signed(self, index: int) -> bytes:
        return request(
            self.order.plan,
            host=self._host,
            request_id=self._ids[index],
            body=self._bodies[index],
            now_seconds=int(time.time()),
        )

    def _pace(self, loop: asyncio.AbstractEventLoop, started_ns: int, rate: float) -> None:
        """Announce each request when it is due. A thread, because loop timers only tick in milliseconds."""
        for index in range(len(self._ids)):
            due_ns = started_ns + int(index * 1e9 / rate)
            self.due_ns[index] = due_ns
            pause = (due_ns - time.monotonic_ns()) / 1e9
            if pause > 0:
                time.sleep(pause)
            loop.call_soon_threadsafe(self._due, index)

    def _due(self, index: int) -> None:
        self._waiting.append(index)
        self._pump()

    def _pump(self) -> None:
        while self._waiting and self._idle:
            connection = self._idle.pop()
            if not connection.transport.is_closing():
                connection.post(self._waiting.popleft())
        for _ in range(min(len(self._waiting), self.order.connections - self._open)):
            self._open += 1
            asyncio.get_running_loop().create_task(self._connect(self._open)).add_done_callback(_raise_error)

    async def _connect(self, number: int) -> None:
        port = self.order.ports[number % len(self.order.ports)]
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self), "127.0.0.1", port
            )
        except OSError:
            self._open -= 1
            self.answers["refused connection"] += 1
            asyncio.get_running_loop().call_later(RETRY_PAUSE_SECONDS, self._pump)
            return
        self.release(connection)

    def release(self, connection: Connection) -> None:
        """Take a connection that has nothing to do; give it the next request if one waits."""
        if self._waiting:
            connection.post(self._waiting.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: Connection) -> None:
        """Take note of a connection that is gone."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)
        if not self._finished.is_set():
            asyncio.get_running_loop().call_soon(self._pump)

    def data(self, index: int) -> bytes:
        """Give the bytes of a request and note that they are written now."""
        now_ns = time.monotonic_ns()
        if self.written_ns[index]:  # a repetition: the timestamp must be that of this attempt
            request_bytes = self._signed(index)
        else:
            request_bytes = self._requests[index]
            if self.order.rate is None:
                self.due_ns[index] = now_ns
        self.written_ns[index] = now_ns
        return request_bytes

    def answered(self, index: int, status: bytes, body: bytes) -> None:
        """Judge an answer."""
        recorded = sum(body.count(word) for word in _ACCEPTED)
        is_accepted = status == b"202" and recorded == self._events_of(index)
        self.answers[status.decode()] += 1
        if is_accepted:
            self.accepted_ns[index] = time.monotonic_ns()
            self._done()
        else:
            self.failed(index, "not recorded" if status == b"202" else "")

    def failed(self, index: int, why: str) -> None:
        """Repeat a request later, or count it as failed."""
        if why:
            self.answers[why] += 1
        if self.order.retries:
            asyncio.get_running_loop().call_later(RETRY_PAUSE_SECONDS, self._due, index)
        else:
            self._done()

    def _done(self) -> None:
        self._unfinished -= 1
        if not self._unfinished:
            self._finished.set()


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    transport: asyncio.Transport

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self._index: int | None = None
        self._buffer = b""
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast(asyncio.Transport, transport)  # uvloop's transports do not inherit from it

    def post(self, index: int) -> None:
        """Write a request."""
        self._index = index
        if self._generator.order.retries:
            timeout = self._generator.order.answer_timeout_seconds
            self._deadline = asyncio.get_running_loop().call_later(timeout, self._give_up)
        self.transport.write(self._generator.data(index))

    def data_received(self, data: bytes) -> None:
        """Read one answer (Content-Length only, which is what the hub sends)."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        stop = end + 4 + _content_length(self._buffer[:end])
        if len(self._buffer) < stop:
            return
        status, body = self._buffer[9:12], self._buffer[end + 4 : stop]
        self._buffer = self._buffer[stop:]
        index = self._take_index()
        if index is not None:
            self._generator.answered(index, status, body)
        self._generator.release(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the request that stays unanswered."""
        index = self._take_index()
        if index is not None:
            self._generator.failed(index, "lost")
        self._generator.lost(self)

    def _take_index(self) -> int | None:
        index, self._index = self._index, None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        return index

    def _give_up(self) -> None:
        self._deadline = None
        index = self._take_index()
        if index is not None:
            self._generator.failed(index, "late")
        self.transport.abort()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _raise_error(task: asyncio.Task[None]) -> None:
    error = task.exception()
    if error is not None:
        raise error


def main(order_path: Path, result_path: Path) -> None:
    """Prepare, say so, wait for the word, post, write down what was seen."""
    order = msgspec.json.decode(order_path.read_bytes(), type=LoadOrder)

    async def work() -> LoadResult:
        generator = Generator(order)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        return await generator.run()

    result_path.write_bytes(msgspec.json.encode(uvloop.run(work())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
