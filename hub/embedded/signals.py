"""Lets one single-threaded process sleep until a signal comes, and take the signals one by one.

The handlers do nothing; Python writes each signal's number into a pipe, so nothing runs in the midst of other
work and none is lost.
"""

import contextlib
import os
import select
import signal
from collections.abc import Iterator
from types import FrameType, TracebackType
from typing import Any

#: Those that ask the group to stop: from a service manager, from Ctrl-C, from a closing terminal.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_SIGNALS = (*STOP_SIGNALS, signal.SIGCHLD)


class SignalPipe:
    """Receives stop signals and SIGCHLD while it is entered; restores what was there before.

    Who was asked to stop goes on ignoring it: `timeout` and terminals ask twice, and the second one must not turn a
    clean end into a killed one.
    """

    def __enter__(self) -> "SignalPipe":
        self._read_end, self._write_end = os.pipe()
        os.set_blocking(self._read_end, False)
        os.set_blocking(self._write_end, False)
        self._is_asked_to_stop = False
        self._former_fd = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._former: dict[signal.Signals, Any] = {
            number: signal.signal(number, _ignore) for number in _SIGNALS
        }
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._former.items():
            is_stop = self._is_asked_to_stop and number in STOP_SIGNALS
            signal.signal(number, signal.SIG_IGN if is_stop else handler)
        signal.set_wakeup_fd(self._former_fd)
        os.close(self._read_end)
        os.close(self._write_end)

    def let_in(self) -> None:
        """Take what was held back while one program took the place of another."""
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)

    def wait(self, timeout_seconds: float | None) -> Iterator[signal.Signals]:
        """Sleep until a signal or the timeout comes, then yield what has come; None waits for ever."""
        select.select([self._read_end], [], [], timeout_seconds)
        with contextlib.suppress(BlockingIOError):
            for number in os.read(self._read_end, 4096):
                self._is_asked_to_stop = self._is_asked_to_stop or number in STOP_SIGNALS
                yield signal.Signals(number)

    def forget_in_child(self) -> None:
        """Give a forked child the default handlers, no end of the pipe, and no SIGINT.

        Ctrl-C reaches every process of a terminal's group. Blocking it here, rather than ignoring it, holds
        even when the child installs a handler, so that a child hears of the stop once: from the supervisor.
        """
        signal.set_wakeup_fd(-1)
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        os.close(self._read_end)
        os.close(self._write_end)
        signal.pthread_sigmask(signal.SIG_SETMASK, {signal.SIGINT})

    @contextlib.contextmanager
    def held_back(self) -> Iterator[None]:
        """Hold signals back during a fork: a child must not write into the pipe that it still shares."""
        former = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the pipe has the number."""
