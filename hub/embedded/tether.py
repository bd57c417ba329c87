"""Ties the life of child processes to that of the supervisor, so that not even kill -9 leaves an orphan.

Linux does it in the kernel (the parent-death signal). Elsewhere a guard process waits at the end of a pipe
that only the supervisor keeps open, and kills whoever is left when it closes. Killing is safe: what we have
answered for is on disk.
"""

import contextlib
import ctypes
import functools
import os
import signal
import sys
from typing import NoReturn, Protocol

_PR_SET_PDEATHSIG = 1


class Tether(Protocol):
    """Keeps children from outliving their supervisor."""

    def bind_child(self, supervisor_pid: int) -> None:
        """Called in each new child, before anything else."""

    def add(self, pid: int) -> None:
        """Called in the supervisor when a child has started."""

    def remove(self, pid: int) -> None:
        """Called in the supervisor when a child has ended."""

    def close(self) -> None:
        """Called in the supervisor when no child is left."""


def new_tether(platform: str = sys.platform) -> Tether:
    """Return the tether of a platform; call it before the first child starts."""
    return DeathSignal() if platform.startswith("linux") else GuardProcess()


class DeathSignal:
    """The kernel kills each child when the thread that forked it ends: fork from the main thread."""

    def __init__(self) -> None:
        _libc()  # loaded before the fork, so that the child only calls

    def bind_child(self, supervisor_pid: int) -> None:
        request_death_signal(supervisor_pid)

    def add(self, pid: int) -> None:
        """Do nothing: the kernel knows its children."""

    def remove(self, pid: int) -> None:
        """Do nothing: the kernel knows its children."""

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""


def request_death_signal(supervisor_pid: int) -> None:
    """Ask Linux to kill this process when its parent ends, also across exec."""
    if _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != supervisor_pid:  # it ended between the fork and the request
        os._exit(1)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


class GuardProcess:
    """A process that sees the supervisor's pipe close and kills the children that it was told of."""

    def __init__(self) -> None:
        read_end, self._write_end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._write_end)
            _guard(read_end)
        os.close(read_end)

    def bind_child(self, supervisor_pid: int) -> None:
        # A child that kept this end open would keep the guard from seeing the supervisor's death.
        os.close(self._write_end)

    def add(self, pid: int) -> None:
        self._tell(f"+{pid}\n")

    def remove(self, pid: int) -> None:
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.close(self._write_end)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    def _tell(self, line: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            os.write(self._write_end, line.encode())


def _guard(read_end: int) -> NoReturn:
    """Remember the children told of until the pipe closes, then kill those left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    alive: set[int] = set()
    rest = b""
    while received := os.read(read_end, 4096):
        *lines, rest = (rest + received).split(b"\n")
        for line in lines:
            pid = int(line[1:])
            alive.add(pid) if line.startswith(b"+") else alive.discard(pid)
    for pid in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os._exit(0)
