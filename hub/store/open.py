"""Open the store: one call for either database.

Not here: when to migrate and where keys come from (hub.app decides both).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hub.flow.ports import HotStore
from hub.flow.repositories import Store
from hub.store import address, revision
from hub.store.database import Database
from hub.store.faults import DatabaseUnavailable, explained
from hub.store.repositories.ai_usage import SqlAiUsage
from hub.store.repositories.availability import SqlAvailability
from hub.store.repositories.bridge_calls import SqlBridgeCalls
from hub.store.repositories.bridges import SqlBridges
from hub.store.repositories.bulk import SqlBulk
from hub.store.repositories.chats import SqlChats
from hub.store.repositories.configurations import SqlConfigurations
from hub.store.repositories.connection_states import SqlConnectionStates
from hub.store.repositories.consents import SqlConsents
from hub.store.repositories.contact_groups import SqlContactGroups
from hub.store.repositories.contacts import SqlContacts
from hub.store.repositories.deliveries import SqlDeliveries
from hub.store.repositories.enrolments import SqlEnrolments
from hub.store.repositories.events import SqlEvents
from hub.store.repositories.files import SqlFiles
from hub.store.repositories.health import SqlHealth
from hub.store.repositories.jobs import SqlJobs
from hub.store.repositories.keys import SqlKeys
from hub.store.repositories.lines import SqlLines
from hub.store.repositories.messages import SqlMessages
from hub.store.repositories.outbox import SqlOutbox
from hub.store.repositories.processes import SqlProcesses
from hub.store.repositories.queue import SqlQueue
from hub.store.repositories.refused import SqlRefusedPayloads
from hub.store.repositories.rejections import SqlRejections
from hub.store.repositories.repeats import SqlRepeats
from hub.store.repositories.replays import SqlReplays
from hub.store.repositories.retention import SqlRetention
from hub.store.repositories.routes import SqlRoutes
from hub.store.repositories.run_retention import SqlRunRetention
from hub.store.repositories.runs import SqlRuns
from hub.store.repositories.sandbox import SqlSandboxNetwork
from hub.store.repositories.webhooks import SqlWebhooks
from hub.store.sealing import Sealer
from hub.store.sqlite.connection import SqliteOptions
from hub.store.sqlite.database import SqliteDatabase

if TYPE_CHECKING:
    from hub.store.postgres.database import PostgresDatabase


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenStore:
    """The store, and what its owner must see to."""

    store: Store
    dialect: Literal["sqlite", "postgresql"]
    migrate: Callable[[], Awaitable[None]]
    #: Raises SchemaTooOld or SchemaTooNew unless the database has the schema that this code knows.
    check: Callable[[], Awaitable[None]]
    #: Commits what waits; the store is of no use afterwards.
    close: Callable[[], Awaitable[None]]


async def open_store(url: str, *, sealer: Sealer, cache_mib: int = 64, pool_size: int = 8) -> OpenStore:
    """Open the database at `url`, `sqlite:///path` or `postgresql://…`.

    A new file is made if there is none; call `migrate` or `check` before anything else.

    Args:
        url: Where the database is.
        sealer: Seals and opens secrets.
        cache_mib: Page cache of the SQLite writer.
        pool_size: Connections to PostgreSQL at the most.

    Raises:
        UnknownDatabase: The URL is of another kind.
        DatabaseUnavailable: SQLite cannot open the file: the disk is full, it is not ours, it is no database.
    """
    parsed = address.parse(url)
    database: SqliteDatabase | PostgresDatabase
    if isinstance(parsed, Path):
        parsed.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        database = _sqlite(parsed, cache_mib)
    else:
        from hub.store.postgres.database import PostgresDatabase  # noqa: PLC0415 - SQLite does without its memory

        database = PostgresDatabase(parsed, pool_size=pool_size)
    return OpenStore(
        store=_store(database, database.hot, sealer),
        dialect="sqlite" if isinstance(parsed, Path) else "postgresql",
        migrate=partial(_migrate, url),
        check=partial(database.read, revision.check),
        close=database.close,
    )


def _sqlite(path: Path, cache_mib: int) -> SqliteDatabase:
    try:
        return SqliteDatabase(path, SqliteOptions(writer_cache_kib=cache_mib * 1024))
    except sqlite3.Error as error:
        raise DatabaseUnavailable(
            f"{path} cannot be opened ({error}). Check the space on its disk and who owns it; "
            "if it is damaged, restore a backup."
        ) from error


async def _migrate(url: str) -> None:
    from hub.store.migration import migrate  # noqa: PLC0415 - alembic, once in a process of its own

    try:
        await migrate(url)
    except Exception as error:
        told = explained(error)
        if told is error:
            raise
        raise told from error


def _store(database: Database, hot: HotStore, sealer: Sealer) -> Store:
    return Store(
        hot=hot,
        ai_usage=SqlAiUsage(database),
        availability=SqlAvailability(database),
        bulk=SqlBulk(database),
        bridge_calls=SqlBridgeCalls(database),
        bridges=SqlBridges(database, sealer),
        chats=SqlChats(database),
        configurations=SqlConfigurations(database, sealer),
        connection_states=SqlConnectionStates(database, sealer),
        consents=SqlConsents(database),
        contact_groups=SqlContactGroups(database),
        contacts=SqlContacts(database),
        deliveries=SqlDeliveries(database),
        enrolments=SqlEnrolments(database, sealer),
        events=SqlEvents(database),
        files=SqlFiles(database),
        health=SqlHealth(database),
        jobs=SqlJobs(database),
        keys=SqlKeys(database),
        lines=SqlLines(database),
        messages=SqlMessages(database),
        outbox=SqlOutbox(database),
        processes=SqlProcesses(database),
        queue=SqlQueue(database),
        refused=SqlRefusedPayloads(database, sealer),
        rejections=SqlRejections(database),
        repeats=SqlRepeats(database, sealer),
        replays=SqlReplays(database),
        retention=SqlRetention(database),
        routes=SqlRoutes(database),
        runs=SqlRuns(database),
        run_retention=SqlRunRetention(database),
        sandbox=SqlSandboxNetwork(database),
        webhooks=SqlWebhooks(database, sealer),
    )
