"""The sources as they are set up now: read again when their file changes, and kept as they were while it is broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from hub.model.errors import HubError
from hub.rules.sources.model import Source

log = structlog.get_logger("sources")

#: Secrets in files are read again this often, although connections.yaml did not change.
REREAD_MS: Final = 60_000


def _nothing() -> Sequence[Source]:
    return ()


class SourceBook:
    """Holds what the last good file says.

    Args:
        load: Reads the file; raises HubError with every problem.
        stamp: Gives something that changes with the file.
    """

    def __init__(
        self, load: Callable[[], Sequence[Source]] = _nothing, *, stamp: Callable[[], object] = lambda: None
    ) -> None:
        self._load = load
        self._stamp = stamp
        self._seen: object = None
        self._read_at: int | None = None
        self._sources: Mapping[str, Source] | None = None
        #: What is wrong with the file as it is; None while it is good.
        self.fault: str | None = None

    @property
    def is_ready(self) -> bool:
        """Whether a good file was read, or none was refused; else nobody can say which sources there are."""
        return self._sources is not None or self.fault is None

    def find(self, name: str) -> Source | None:
        return (self._sources or {}).get(name)

    def all(self) -> list[Source]:
        """By name."""
        return [source for _, source in sorted((self._sources or {}).items())]

    def refresh(self, now_ms: int) -> None:
        """Read the file if it changed, or if a minute has passed. A broken one changes nothing, and is told once."""
        stamp = self._stamp()
        is_fresh = self._read_at is not None and now_ms - self._read_at < REREAD_MS
        if is_fresh and stamp == self._seen:
            return
        self._read_at, self._seen = now_ms, stamp
        try:
            sources = {source.name: source for source in self._load()}
        except HubError as error:
            if str(error) != self.fault:
                log.error("connections.refused", reason=str(error), kept=len(self._sources or {}))
            self.fault = str(error)
            return
        if sources != self._sources:
            log.info("connections.read", count=len(sources))
        self._sources, self.fault = sources, None
