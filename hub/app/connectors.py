"""Connectors, wired: their files, the guarded way out, the store, and the pace that all processes keep together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final

import structlog
from redis.asyncio import Redis

from hub.config.connectors import ConnectorFiles, load_connectors, own_manifest_files, shipped_manifests
from hub.config.settings import Settings
from hub.connectors.actions import ConnectorActions
from hub.connectors.catalogue import Catalogue, catalogue
from hub.connectors.credentials import Credentials
from hub.connectors.exchanging import Exchanging
from hub.connectors.locks import Locks
from hub.connectors.paces import LocalPaces, RedisPaces
from hub.connectors.standing import standings
from hub.connectors.states import StateBook
from hub.flow.connection_events import TellConnection, tell_nobody
from hub.flow.connection_states import ConnectionStanding, ListConnections
from hub.flow.ports import Clock
from hub.flow.repositories import Store
from hub.model.errors import HubError
from hub.observe.metrics import Metrics
from hub.outbound.calling import GuardedCaller
from hub.outbound.client import OutboundClient
from hub.outbound.mail import Mailer
from hub.outbound.mail_calling import CallerByScheme, MailCaller

log = structlog.get_logger("connectors")

#: How soon a change of a file is noticed, and how often secrets in files are read again without one.
LOOK_MS: Final = 2_000
REREAD_MS: Final = 60_000


class ConnectorBook:
    """Holds what the last good files say; they are looked at again when somebody asks.

    Args:
        load: Reads the files; raises HubError with every problem.
        stamp: Gives something that changes with them.
        clock: Tells the time.
    """

    def __init__(
        self, load: Callable[[], ConnectorFiles], *, stamp: Callable[[], object], clock: Clock
    ) -> None:
        self._load = load
        self._stamp = stamp
        self._clock = clock
        self._current: Catalogue | None = None
        self._seen: object = None
        self._looked_at = 0
        self._read_at = 0
        #: What is wrong with the files as they are; None while they are good.
        self.fault: str | None = None

    def current(self) -> Catalogue:
        """Give what there is. Broken files change nothing, and are told once."""
        now = self._clock.now_ms()
        if self._current is not None and 0 <= now - self._looked_at < LOOK_MS:
            return self._current
        self._looked_at = now
        stamp = self._stamp()
        if self._current is not None and stamp == self._seen and 0 <= now - self._read_at < REREAD_MS:
            return self._current
        self._seen, self._read_at = stamp, now
        self._current = self._read() or self._current or catalogue(shipped_manifests(), {})
        return self._current

    def _read(self) -> Catalogue | None:
        try:
            files = self._load()
        except HubError as error:
            if str(error) != self.fault:
                log.error("connectors.refused", reason=str(error), kept=self._current is not None)
            self.fault = str(error)
            return None
        self.fault = None
        return catalogue(files.manifests, files.connections)


def connector_book(settings: Settings, clock: Clock, *, only: Collection[str] | None = None) -> ConnectorBook:
    """Make the book of a process; `only` leaves other connections out, with the secrets that they need."""
    file = settings.connections_file
    folder = settings.connectors_folder

    def load() -> ConnectorFiles:
        return load_connectors(file, folder, os.environ, only=only)

    def stamp() -> object:
        return [_stamp(path) for path in [file, *own_manifest_files(folder)]]

    return ConnectorBook(load, stamp=stamp, clock=clock)


def open_connectors(
    settings: Settings,
    *,
    store: Store,
    clock: Clock,
    client: OutboundClient,
    redis: Redis | None,
    metrics: Metrics | None = None,
    tell: TellConnection = tell_nobody,
    only: Collection[str] | None = None,
) -> ConnectorActions:
    """Make the actions of connectors.

    Args:
        settings: Where the files are.
        store: Keeps states of connections and holds locks.
        clock: Tells the time.
        client: The guarded way out.
        redis: Counts for all processes; None where one process is all.
        metrics: Counts attempts.
        tell: Records that a connection was paused or goes on.
        only: The connections that are wanted; all of them without.
    """
    locks = Locks(store.repeats, clock, asyncio.sleep)
    credentials = Credentials(StateBook(store.connection_states), locks, clock, tell=tell)
    mailer = Mailer(client, connect_timeout_seconds=settings.outbound.connect_timeout_seconds)
    exchanging = Exchanging(
        CallerByScheme(GuardedCaller(client), MailCaller(mailer, clock)),
        credentials,
        LocalPaces() if redis is None else RedisPaces(redis),
        clock=clock,
        sleep=asyncio.sleep,
    )

    def on_ended(connector: str, outcome: str) -> None:
        if metrics is not None:
            metrics.connector_calls.labels(connector, outcome).inc()

    current = connector_book(settings, clock, only=only).current
    return ConnectorActions(current, exchanging, locks, clock=clock, on_ended=on_ended)


def connection_lister(settings: Settings, *, store: Store, clock: Clock) -> ListConnections:
    """Give what says how the connections of connections.yaml stand; files are read when it is asked first."""
    book, states = connector_book(settings, clock), StateBook(store.connection_states)

    async def listed() -> Sequence[ConnectionStanding]:
        current = await asyncio.to_thread(book.current)
        return await standings(current.connections.values(), states, clock.now_ms())

    return listed


def _stamp(path: Path) -> object:
    try:
        found = path.expanduser().stat()
    except (OSError, RuntimeError):
        return None
    return str(path), found.st_mtime_ns, found.st_size, found.st_ino
