"""Inbound sources in a process: connections.yaml is read at the start, and again when it changes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from hub.config.connections import load_sources
from hub.config.settings import Settings
from hub.flow.ports import Clock
from hub.flow.source_book import SourceBook
from hub.flow.source_intake import SourceParts
from hub.rules.sources.model import Source

#: How soon a change of the file is noticed.
LOOK_SECONDS = 2.0


def source_book(settings: Settings) -> SourceBook:
    """Make the book of a process; its owner refreshes it."""
    path = settings.connections_file
    return SourceBook(partial(_load, path), stamp=partial(_stamp, path))


def source_parts(settings: Settings, book: SourceBook, *, is_hook: Callable[[str], bool]) -> SourceParts:
    """Give the surface what inbound sources need."""
    limits = settings.sources
    return SourceParts(
        book=book,
        is_hook=is_hook,
        max_body_bytes=limits.max_body_bytes,
        requests_per_minute=limits.requests_per_minute,
        rejected_kept=limits.rejected_kept,
    )


async def refresh_sources_for_ever(book: SourceBook, clock: Clock) -> None:
    """Notice changes of the file; a broken one is logged and changes nothing."""
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(book.refresh, clock.now_ms())


def _load(path: Path) -> Sequence[Source]:
    return load_sources(path, os.environ)


def _stamp(path: Path) -> object:
    try:
        found = path.expanduser().stat()
    except (OSError, RuntimeError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
