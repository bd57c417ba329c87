"""One `imsg rpc` child process: JSON-RPC 2.0, one object a line. Source: openclaw/imsg docs/rpc.md.

What it writes is foreign: a line that cannot be read is counted, one that is too long ends the child. Not here: when a
child is started again (bridge.imsg.lane).
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from bridge.macos.children import end_now
from bridge.macos.tallies import Tallies

Sleep = Callable[[float], Awaitable[None]]
#: A page of 200 messages is well below.
_MOST_LINE: Final = 16 * 1024 * 1024
#: Notifications that may wait; more, and the child is ended: the watch goes on from its cursor.
_MOST_WAITING: Final = 20_000
_END_SECONDS: Final = 2.0


class RpcFailed(Exception):
    """There is no result."""


class NotAsked(RpcFailed):
    """The question never left: nothing has happened."""


class Unanswered(RpcFailed):
    """The question left, and no answer came: it may have been done.

    Args:
        code: `timeout` or `imsg_ended`.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Refused(RpcFailed):
    """The answer is an error."""

    def __init__(self, code: int, message: str, data: object) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}


class Notification(msgspec.Struct, frozen=True):
    """Something that it tells unasked."""

    method: str
    params: dict[str, Any]


class RpcChild:
    """A running child."""

    def __init__(self, child: asyncio.subprocess.Process, *, sleep: Sleep, tallies: Tallies) -> None:
        self._child = child
        self._sleep = sleep
        self._tallies = tallies
        self._asked = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._complaints: deque[str] = deque(maxlen=5)
        self._stirred = asyncio.Event()
        #: None is the end.
        self.notifications: asyncio.Queue[Notification | None] = asyncio.Queue()
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._listen())]

    @classmethod
    async def start(cls, command: Sequence[str], *, sleep: Sleep, tallies: Tallies) -> RpcChild:
        """Start one.

        Raises:
            NotAsked: The program is not there.
        """
        pipe, program = asyncio.subprocess.PIPE, _expanded(command[0])
        try:
            child = await asyncio.create_subprocess_exec(
                program, *command[1:], stdin=pipe, stdout=pipe, stderr=pipe, limit=_MOST_LINE
            )
        except OSError as error:
            raise NotAsked(f"{command[0]} cannot be run: {error.strerror or error}") from error
        return cls(child, sleep=sleep, tallies=tallies)

    @property
    def is_alive(self) -> bool:
        return self._child.returncode is None and not self._tasks[0].done()

    async def request(self, method: str, params: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Ask, and give the result.

        Raises:
            NotAsked: It had ended before.
            Refused: It said no.
            Unanswered: No answer came in time, or it ended.
        """
        if not self.is_alive:
            raise NotAsked(f"imsg has ended{self._last_words()}")
        self._asked += 1
        number, future = self._asked, asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        asked = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        deadline = asyncio.ensure_future(self._sleep(seconds))
        try:
            await self._write(msgspec.json.encode(asked) + b"\n")
            await asyncio.wait({future, deadline}, return_when=asyncio.FIRST_COMPLETED)
            if not future.done():
                raise Unanswered("timeout", f"imsg did not answer {method} in {seconds:.0f} s")
            result = future.result()
            return result if isinstance(result, dict) else {}
        finally:
            deadline.cancel()
            self._waiting.pop(number, None)
            future.cancel()

    async def is_heard(self) -> None:
        """Wait until a notification waits, or the end."""
        self._stirred.clear()
        if self.notifications.empty():
            await self._stirred.wait()

    async def aclose(self) -> None:
        """End it: by the end of its input first, as it wants it."""
        stdin = self._child.stdin
        if stdin is not None:
            stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._child.wait()
        self.kill()
        await self._child.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def kill(self) -> None:
        """End it at once: it hangs."""
        end_now(self._child)

    async def _write(self, line: bytes) -> None:
        stdin = self._child.stdin
        if stdin is None:
            raise NotAsked("imsg takes no questions")
        try:
            stdin.write(line)
            await stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise Unanswered("imsg_ended", f"imsg has ended{self._last_words()}") from error

    async def _read(self) -> None:
        """Read answers and notifications until the end; whoever waits then learns that there is no answer."""
        try:
            stdout = self._child.stdout
            while stdout is not None and (line := await stdout.readline()):
                self._take(line)
        except ValueError:  # longer than the limit
            self._tallies.note("line_too_long")
        finally:
            self.kill()
            self._tell(None)
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(Unanswered("imsg_ended", f"imsg has ended{self._last_words()}"))

    def _take(self, line: bytes) -> None:
        read = _decoded(line)
        if not isinstance(read, dict):
            self._tallies.note("line_unreadable", line)
            return
        if isinstance(method := read.get("method"), str):
            params = read.get("params")
            if self.notifications.qsize() >= _MOST_WAITING:
                self._tallies.note("notifications_overflow")
                self.kill()
                return
            self._tell(Notification(method, params if isinstance(params, dict) else {}))
            return
        number = read.get("id")
        future = self._waiting.get(number) if isinstance(number, int) else None
        if future is None or future.done():
            return  # an answer that nobody waits for any more
        if (error := read.get("error")) is not None:
            future.set_exception(_refusal(error))
        else:
            future.set_result(read.get("result"))

    def _tell(self, notification: Notification | None) -> None:
        self.notifications.put_nowait(notification)
        self._stirred.set()

    async def _listen(self) -> None:
        """Take its diagnostics, or it would stop; the last few help people."""
        stderr = self._child.stderr
        with contextlib.suppress(ValueError):
            while stderr is not None and (line := await stderr.readline()):
                self._complaints.append(line[:500].decode("utf-8", "replace").strip())

    def _last_words(self) -> str:
        return f": {self._complaints[-1]}" if self._complaints else ""


def _decoded(line: bytes) -> object:
    """Read a line; None for one that cannot be read."""
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError):
        pass
    try:
        # Half of a surrogate pair in somebody's words must not cost a page: this parser lets it through.
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _expanded(program: str) -> str:
    return os.path.expanduser(program)


def _refusal(error: object) -> Refused:
    read = error if isinstance(error, dict) else {}
    code, message, data = read.get("code"), read.get("message"), read.get("data")
    detail = data if isinstance(data, str) else read.get("detail")
    words = str(message or "it gives no reason")[:300]
    words = f"{words}: {detail[:300]}" if isinstance(detail, str) and detail else words
    return Refused(code if isinstance(code, int) else 0, words, data)
