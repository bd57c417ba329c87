"""The one writer thread of a process: everything that waits is committed in one transaction with one fsync.

A unit is a piece of work that either is recorded as a whole or fails alone. If one of a group fails, the group is
undone and run again with a savepoint around each unit, so work may run more than once.
Not here: what the work says (hot, repositories) and when the log is folded back (checkpoint).
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hub.store.faults import DatabaseUnavailable, explained
from hub.store.sqlite.checkpoint import Checkpointer
from hub.store.sqlite.connection import GroupConnection, SqliteOptions, connect
from hub.store.sqlite.session import Session
from hub.store.sqlite.turnstile import Turnstile

T = TypeVar("T")
Work = Callable[[Session], Any]

#: Bounds how long the first of a group waits for the last.
LARGEST_GROUP = 256


@dataclass(frozen=True, slots=True)
class _Unit:
    work: Work
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException


def _settle(answers: Iterable[tuple[asyncio.Future[Any], Any]]) -> None:
    for answer, result in answers:
        if answer.done():
            continue
        if isinstance(result, _Failure):
            answer.set_exception(result.error)
        else:
            answer.set_result(result)


class Writer:
    """Runs units of work in groups."""

    def __init__(self, path: Path, options: SqliteOptions) -> None:
        self._connection: GroupConnection = connect(path, cache_kib=options.writer_cache_kib, is_reader=False)
        self._session = Session(self._connection)
        self._turnstile = Turnstile(path)
        self._checkpointer = Checkpointer(path, options)
        self._waiting: list[_Unit] = []
        self._is_closing = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="hub-store-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Callable[[Session], T]) -> T:
        """Hand a unit to the thread; the answer comes after its commit.

        Raises:
            DatabaseUnavailable: SQLite refused, or the store is closed.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        with self._wake:
            if self._is_closing:
                raise DatabaseUnavailable("the store is closed")
            self._waiting.append(_Unit(work, loop, answer))
            self._wake.notify()
        return await answer

    def close(self) -> None:
        """Commit what waits, then end the thread."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join()
        self._checkpointer.close()
        self._session.close()
        self._connection.close()
        self._turnstile.close()

    def _serve(self) -> None:
        while group := self._next_group():
            results = self._commit(group)
            self._deliver(group, results)
            self._checkpointer.committed(self._connection.total_changes)

    def _next_group(self) -> list[_Unit]:
        with self._wake:
            while not self._waiting and not self._is_closing:
                self._wake.wait()
            group = self._waiting[:LARGEST_GROUP]
            del self._waiting[:LARGEST_GROUP]
        return group

    @staticmethod
    def _deliver(group: list[_Unit], results: list[Any]) -> None:
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
        for unit, result in zip(group, results, strict=True):
            by_loop.setdefault(unit.loop, []).append((unit.answer, result))
        for loop, answers in by_loop.items():
            # A loop that has ended has nobody waiting.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, answers)

    def _commit(self, group: list[_Unit]) -> list[Any]:
        try:
            with self._turnstile.held():
                return self._attempt(group)
        except (sqlite3.Error, OSError) as error:
            unavailable = DatabaseUnavailable(
                f"SQLite could not commit ({error}); nothing of this group was recorded. "
                "Check the disk's space and permissions."
            )
            unavailable.__cause__ = error
            return [_Failure(unavailable)] * len(group)

    def _attempt(self, group: list[_Unit]) -> list[Any]:
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        try:
            try:
                results = [unit.work(self._session) for unit in group]
            except Exception as error:
                self._undo()
                if len(group) == 1:
                    return [_Failure(explained(error))]
                execute("BEGIN IMMEDIATE")
                results = [self._alone(unit) for unit in group]
            execute("COMMIT")
        finally:
            self._undo()
        return results

    def _undo(self) -> None:
        # A full disk makes SQLite roll back by itself.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _alone(self, unit: _Unit) -> Any:
        execute = self._connection.execute
        execute("SAVEPOINT unit")
        try:
            result = unit.work(self._session)
        except Exception as error:
            execute("ROLLBACK TO unit")
            result = _Failure(explained(error))
        execute("RELEASE unit")
        return result
