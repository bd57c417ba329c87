"""One writer at a time, in the order of arrival, across all processes on the machine.

SQLite itself waits for a lock by sleeping and trying again, which costs milliseconds. A `flock` on a file beside
the database queues in the kernel instead, wakes at once, and is freed when its holder dies by whatever means.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Turnstile:
    """An exclusive lock between processes; each thread that waits for it needs an instance of its own."""

    def __init__(self, database: Path, purpose: str = "write") -> None:
        path = database.with_name(f"{database.name}-{purpose}-lock")
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for our turn and hold it."""
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        os.close(self._descriptor)
