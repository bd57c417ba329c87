"""A real Valkey on a unix socket, which keeps nothing."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.embedded.valkey import find_binary

#: A bound, never a measure.
READY_SECONDS = 30.0


@contextmanager
def running_valkey(folder: Path) -> Iterator[Path]:
    """Run one; give its socket. The folder's path must be short, as those of sockets are."""
    path = folder / "s"
    process = subprocess.Popen(
        [str(find_binary()), "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(path):
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        yield path
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
