"""Notice that chat.db may have changed, for next to nothing: the dates and sizes of its files, four times a second.

Why not the system's notices: docs/decisions/0032. Every few seconds
the database itself is asked, since a file's date can lie.
"""

from __future__ import annotations

import os
from typing import Final

_SUFFIXES: Final = ("", "-wal", "-shm")

Signature = tuple[tuple[int, int, int] | None, ...]


def signature_of(path: str) -> Signature:
    """Give what changes when one of the files does."""
    return tuple(_sign(path + suffix) for suffix in _SUFFIXES)


def _sign(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns, status.st_size)
