"""Run a child process to its end, or to a deadline, and never longer. Not here: children that stay (imsg)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

Sleep = Callable[[float], Awaitable[None]]
#: Bytes of its output that are looked at.
_MOST_OUTPUT: Final = 65_536


@dataclass(frozen=True, kw_only=True, slots=True)
class Finished:
    """How a child ended."""

    code: int
    output: str
    complaint: str


class NotStarted(Exception):
    """The program is not there, or may not be run: nothing has happened."""


async def run_child(
    command: Sequence[str], *, standard_input: bytes, seconds: float, sleep: Sleep
) -> Finished | None:
    """Run a program; None when it had to be killed at the deadline: what it did by then is unknown.

    Raises:
        NotStarted: It could not be run at all.
    """
    pipe = asyncio.subprocess.PIPE
    try:
        child = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    except (OSError, ValueError) as error:
        raise NotStarted(f"{command[0]} cannot be run: {error}") from error
    work = asyncio.ensure_future(child.communicate(standard_input))
    deadline = asyncio.ensure_future(sleep(seconds))
    try:
        await asyncio.wait({work, deadline}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            return None
        output, complaint = work.result()
    finally:
        deadline.cancel()
        await asyncio.shield(_end(child, work))
    return Finished(code=child.returncode or 0, output=_text(output), complaint=_text(complaint))


async def _end(child: asyncio.subprocess.Process, work: asyncio.Future[tuple[bytes, bytes]]) -> None:
    """Leave no child behind, whoever gave up on it."""
    end_now(child)
    with contextlib.suppress(Exception):
        await work


def end_now(child: asyncio.subprocess.Process) -> None:
    """Kill a child that still runs."""
    if child.returncode is None:
        # Not child.kill(): in Python 3.11 it may reap the child, and whoever waits for it learns nothing (bpo-43884).
        with contextlib.suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGKILL)


def _text(output: bytes) -> str:
    return output[:_MOST_OUTPUT].decode("utf-8", "replace")
