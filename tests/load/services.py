"""Start, stop, kill and restart one real process, with its standard error in a file beside its data."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

#: The source tree that this harness belongs to: its hub is the one that is run.
ROOT = Path(__file__).resolve().parents[2]
#: A bound, never a measure: beside other tests a process may wait long for its turn.
READY_SECONDS = 90.0
#: Below those that systems give to connections: one of another test must not have it when it is listened on.
PORTS: Final = range(20_000, 32_000)


class Service:
    """A process that the harness keeps."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        folder: Path,
        is_ready: Callable[[], bool],
    ) -> None:
        self.name = name
        self._command = list(command)
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        self._folder = folder
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._is_asked = False
        #: Standard output and standard error.
        self.output_path = folder / f"{name}.out"
        self.log_path = folder / f"{name}.log"

    @property
    def pid(self) -> int:
        """Give the id of the running process."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def start(self) -> float:
        """Start it and wait until it is ready; return how many seconds that took."""
        started_at = time.monotonic()
        self._is_asked = False
        with self.output_path.open("ab") as output, self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._folder,
                stdout=output,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
        self.wait_until_ready()
        return time.monotonic() - started_at

    def start_without_waiting(self) -> None:
        """Start it, and let it get ready while others start."""
        self._is_asked = False
        with self.output_path.open("ab") as output, self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                cwd=self._folder,
                stdout=output,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )

    def wait_until_ready(self) -> None:
        """Wait, or raise with the end of its log."""
        assert self._process is not None, f"{self.name} was not started"
        give_up_at = time.monotonic() + READY_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"{self.name} did not get ready. It says:\n{self.last_words()}")
            time.sleep(0.01)

    def last_words(self) -> str:
        """Give the end of what it printed."""
        texts = [path.read_text(errors="replace")[-3000:] for path in (self.output_path, self.log_path)]
        return "\n".join(texts)

    def kill(self) -> None:
        """End it without warning, as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self, *, wait_seconds: float = 30.0) -> int:
        """Ask it to stop; kill it if it does not. Return its exit code."""
        if self._process is None:
            return 0
        self.ask_to_stop()
        try:
            self._process.wait(wait_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        return self._process.returncode

    def ask_to_stop(self) -> None:
        """Send SIGTERM once, and do not wait: to a second one the hub would not be patient."""
        if self._process is not None and self._process.poll() is None and not self._is_asked:
            self._process.send_signal(signal.SIGTERM)
            self._is_asked = True


def free_port() -> int:
    """Give a TCP port that nobody listens on now; by chance, so that those who ask at the same time get others."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def is_listening(port: int) -> bool:
    """Tell whether someone accepts connections."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
