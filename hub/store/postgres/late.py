"""Transactions that begin no sooner than they must: a lone statement is a transaction by itself, and needs neither
BEGIN nor COMMIT around it. Each of the two is a round trip, which small batches pay for a handful of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncpg import Connection, Record  # type: ignore[import-untyped]  # asyncpg ships no types


class SecondStatement(Exception):
    """Work that was tried as a lone statement has another one."""


class LoneStatement:
    """Runs one reading statement by itself; a second one would see another state, and raises SecondStatement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._is_used = False

    async def fetch(self, statement: str, *values: Any) -> list[Record]:
        """Run the statement; give its rows."""
        self._use()
        rows: list[Record] = await self._connection.fetch(statement, *values)
        return rows

    async def fetchval(self, statement: str, *values: Any) -> Any:
        """Run the statement; give the first column of its first row."""
        self._use()
        return await self._connection.fetchval(statement, *values)

    def _use(self) -> None:
        if self._is_used:
            raise SecondStatement
        self._is_used = True


class LateTransaction:
    """One transaction on a connection, from its first statement to its end."""

    def __init__(self, connection: Connection, *, isolation: str, is_read_only: bool) -> None:
        self._connection = connection
        self._transaction = connection.transaction(isolation=isolation, readonly=is_read_only)
        self._is_begun = False
        self._last: tuple[Any, ...] | None = None

    async def fetch(self, statement: str, *values: Any) -> list[Record]:
        """Run a statement now; give its rows."""
        await self._begin()
        rows: list[Record] = await self._connection.fetch(statement, *values)
        return rows

    async def fetchval(self, statement: str, *values: Any) -> Any:
        """Run a statement now; give the first column of its first row."""
        await self._begin()
        return await self._connection.fetchval(statement, *values)

    async def executemany(self, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Run a statement now, once for each row."""
        await self._begin()
        await self._connection.executemany(statement, rows)

    async def execute(self, statement: str, *values: Any) -> None:
        """Run a statement before the next one, or at the end: one that is alone is the whole transaction."""
        if self._last is not None:
            await self._begin()
        self._last = (statement, *values)

    async def commit(self) -> None:
        """Make it durable."""
        if not self._is_begun:
            await self._run_last()
            return
        try:
            await self._run_last()
        except BaseException:
            await self.roll_back()
            raise
        await self._transaction.commit()

    async def roll_back(self) -> None:
        """Undo it, if there is anybody left to tell."""
        if self._is_begun and not self._connection.is_closed():
            await self._transaction.rollback()

    async def _begin(self) -> None:
        if not self._is_begun:
            await self._transaction.start()
            self._is_begun = True
        await self._run_last()

    async def _run_last(self) -> None:
        if self._last is not None:
            last, self._last = self._last, None
            await self._connection.execute(*last)
