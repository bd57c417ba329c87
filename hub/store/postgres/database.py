"""PostgreSQL as the store's port: a pool of the bare driver for the hot path, an engine over the same driver else."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import asyncpg  # type: ignore[import-untyped]  # asyncpg ships no types
from sqlalchemy import URL, Connection, Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as postgres_dialect
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.flow.ports import HotTransaction
from hub.store import address
from hub.store.lookups import compiled
from hub.store.postgres.healing import OutcomeUnknown, is_lost, patiently
from hub.store.postgres.hot import PostgresTransaction
from hub.store.postgres.late import LateTransaction, LoneStatement, SecondStatement

T = TypeVar("T")

_DIALECT: Final = postgres_dialect()  # type: ignore[no-untyped-call] # SQLAlchemy does not type it
#: Cold work is seldom; the rest of the connections serve the hot path.
COLD_CONNECTIONS = 2
IDLE_SECONDS = 300.0
#: Hot statements, and pages, are ranges of an index that end at a limit. Without statistics (a young table) the planner
#: may collect and sort a whole range or table instead. What must scan a table (a count for metrics) still does.
HOT_SETTINGS = address.SERVER_SETTINGS | {"enable_bitmapscan": "off", "enable_seqscan": "off"}


class PostgresDatabase:
    """One PostgreSQL database, used by this process."""

    dialect = "postgresql"

    def __init__(self, url: URL, *, pool_size: int) -> None:
        self._engine = _engine(url)
        self.hot = PostgresHot(url, pool_size=max(1, pool_size - COLD_CONNECTIONS))

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await patiently(lambda: self._read(work))

    async def look_up(self, query: Select[Any], values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        lookup = compiled(query, _DIALECT)
        return await self.hot.fetch(lookup.text, lookup.arguments(values))

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await patiently(lambda: self._write(work))

    async def close(self) -> None:
        await self.hot.close()
        await self._engine.dispose()

    async def _read(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(work)

    async def _write(self, work: Callable[[Connection], T]) -> T:
        async with self._engine.connect() as connection:
            result = await connection.run_sync(work)
            try:
                await connection.commit()
            except Exception as error:
                if is_lost(error):
                    raise OutcomeUnknown(
                        "The connection to PostgreSQL was lost during a commit: look whether it was recorded."
                    ) from error
                raise
        return result


class _HotConnection(asyncpg.Connection):  # type: ignore[misc]  # asyncpg ships no types
    """A connection that needs no cleaning between uses: we set, listen to and lock nothing beyond a transaction."""

    def get_reset_query(self) -> str:
        """Nothing: it would cost every transaction a further round trip."""
        return ""


@dataclass(slots=True)
class _Run(Generic[T]):
    """A piece of work over all of its tries."""

    work: Callable[[HotTransaction], Awaitable[T]]
    isolation: str
    is_read_only: bool
    is_outcome_unknown: bool = False


class PostgresHot:
    """The hot path (hub.flow.ports.HotStore).

    Work is repeated after a conflict or a lost connection, even when that was lost during COMMIT: every hot write
    is idempotent by unique keys, so a second run of the same rows adds nothing (see docs/decisions/0005-store.md).
    """

    def __init__(self, url: URL, *, pool_size: int) -> None:
        self._dsn = address.dsn(url)
        self._pool_size = pool_size
        self._pool: asyncpg.Pool | None = None

    async def write(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        return await self._run(_Run(work, isolation="read_committed", is_read_only=False))

    async def read(self, work: Callable[[HotTransaction], Awaitable[T]]) -> T:
        return await self._run(_Run(work, isolation="repeatable_read", is_read_only=True))

    async def fetch(self, statement: str, arguments: Sequence[object]) -> list[tuple[Any, ...]]:
        """Run one reading statement by itself, repeated like the rest."""

        async def once() -> list[tuple[Any, ...]]:
            async with (await self._connected()).acquire() as connection:
                rows: list[tuple[Any, ...]] = await connection.fetch(statement, *arguments)
            return rows

        return await patiently(once)

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.close()

    async def _connected(self) -> asyncpg.Pool:
        if self._pool is None:
            self._pool = asyncpg.create_pool(
                self._dsn,
                min_size=0,
                max_size=self._pool_size,
                max_inactive_connection_lifetime=IDLE_SECONDS,
                connection_class=_HotConnection,
                statement_cache_size=200,
                server_settings=HOT_SETTINGS,
                command_timeout=address.COMMAND_TIMEOUT_SECONDS,
            )
        return await self._pool

    async def _run(self, run: _Run[T]) -> T:
        return await patiently(lambda: self._once(run))

    async def _once(self, run: _Run[T]) -> T:
        pool = await self._connected()
        async with pool.acquire() as connection:
            if run.is_read_only:
                with contextlib.suppress(SecondStatement):
                    return await run.work(PostgresTransaction(LoneStatement(connection), is_read_only=True))
            late = LateTransaction(connection, isolation=run.isolation, is_read_only=run.is_read_only)
            try:
                result = await run.work(
                    PostgresTransaction(late, is_repeat=run.is_outcome_unknown, is_read_only=run.is_read_only)
                )
            except BaseException:
                await late.roll_back()
                raise
            # From here until the end is answered.
            run.is_outcome_unknown = True
            await late.commit()
        return result


def _engine(url: URL) -> AsyncEngine:
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: address.connect(url, HOT_SETTINGS),
        pool_size=COLD_CONNECTIONS,
        max_overflow=0,
        pool_recycle=IDLE_SECONDS,
    )
