"""The SQLite writer: group commit, failure alone, two processes, a crash, the fold, backup."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from hub.flow.ports import HotTransaction
from hub.store.backup import backup_sqlite, restore_sqlite
from hub.store.faults import DatabaseUnavailable
from hub.store.migration import migrate_sqlite
from hub.store.open import OpenStore, open_store
from hub.store.sealing import Sealer
from hub.store.sqlite.connection import SqliteOptions
from hub.store.sqlite.database import SqliteDatabase
from tests.store.conftest import KEY
from tests.store.specimens import WEBHOOK, event

#: Writes events with the ids from argv[2] on, one unit each, and prints each id after its commit.
LOAD = """
import asyncio, sys
from hub.store.open import open_store
from hub.store.sealing import Sealer
from tests.store.specimens import event

async def main(path, first, count):
    opened = await open_store(f"sqlite:///{path}", sealer=Sealer([b"k" * 32]))
    async def write(number):
        await opened.store.hot.write(lambda tx: tx.insert_events([event(number)]))
        print(number, flush=True)
    for start in range(first, first + count, 16):
        await asyncio.gather(*[write(number) for number in range(start, start + 16)])
    await opened.close()

asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    migrate_sqlite(tmp_path / "hub.db")
    return tmp_path / "hub.db"


async def _open(path: Path) -> OpenStore:
    return await open_store(f"sqlite:///{path}", sealer=Sealer([KEY]))


async def _start(path: Path, *, first: int, count: int) -> asyncio.subprocess.Process:
    arguments = [sys.executable, "-W", "error", "-c", LOAD, str(path), str(first), str(count)]
    return await asyncio.create_subprocess_exec(*arguments, stdout=asyncio.subprocess.PIPE)


def _ids(path: Path) -> set[int]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {row[0] for row in connection.execute("SELECT id FROM events")}


async def test_all_that_waits_is_committed_before_closing(path: Path) -> None:
    """And nothing is taken afterwards."""
    opened = await _open(path)
    writes = [
        asyncio.ensure_future(opened.store.hot.write(lambda tx, n=n: tx.insert_events([event(n)])))  # type: ignore[misc]  # mypy cannot infer a default
        for n in range(50)
    ]
    await asyncio.sleep(0)
    await opened.close()

    assert [{number} for number in range(50)] == await asyncio.gather(*writes)
    with pytest.raises(DatabaseUnavailable, match="closed"):
        await opened.store.hot.write(lambda tx: tx.revision())


async def test_work_that_waits_for_something_else_is_refused(path: Path) -> None:
    """It would hold up everyone; nothing of it stays."""

    async def waits(tx: HotTransaction) -> None:
        await tx.insert_events([event(1)])
        await asyncio.sleep(0)

    opened = await _open(path)
    with pytest.raises(TypeError, match="awaited something"):
        await opened.store.hot.write(waits)
    await opened.close()

    assert _ids(path) == set()


async def test_cold_and_hot_work_share_a_group(path: Path) -> None:
    """A failing neighbour of either kind leaves the other one alone."""

    def fails(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT INTO revisions (name, version) VALUES ('x', 1)")
        raise LookupError("on purpose")

    database = SqliteDatabase(path, SqliteOptions())
    results = await asyncio.gather(
        database.hot.write(lambda tx: tx.insert_events([event(1)])),
        database.write(fails),
        database.write(
            lambda connection: connection.exec_driver_sql("UPDATE revisions SET version = 9").rowcount
        ),
        database.hot.write(lambda tx: tx.revision()),
        return_exceptions=True,
    )
    await database.close()

    assert isinstance(results[1], LookupError)
    assert [results[0], *results[2:]] == [{1}, 1, 9]


async def test_readers_cannot_write(path: Path) -> None:
    """By mistake of ours."""
    opened = await _open(path)
    with pytest.raises(DatabaseUnavailable, match="readonly"):
        await opened.store.hot.read(lambda tx: tx.insert_events([event(1)]))
    await opened.close()


async def test_a_full_disk_is_told_and_survived(path: Path) -> None:
    """The unit fails with advice; when there is room again, the store goes on."""
    database = SqliteDatabase(path, SqliteOptions())
    await database.write(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1").fetchall())
    rows = [event(number)._replace(data="x" * 4000) for number in range(200)]
    with pytest.raises(DatabaseUnavailable, match="full"):
        await database.hot.write(lambda tx: tx.insert_events(rows))
    await database.write(
        lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=100000").fetchall()
    )
    assert len(await database.hot.write(lambda tx: tx.insert_events(rows))) == 200
    await database.close()


async def test_the_log_is_folded_beside_the_writers(path: Path) -> None:
    """Many folds under load: the log stays bounded, and nothing is lost."""
    options = SqliteOptions(checkpoint_changes=200, log_limit_bytes=1 << 20)
    database = SqliteDatabase(path, options)
    for start in range(0, 6000, 50):
        rows = [event(number)._replace(data="x" * 500) for number in range(start, start + 50)]
        await database.hot.write(lambda tx, rows=rows: tx.insert_events(rows))  # type: ignore[misc]  # mypy cannot infer a default
    size = os.stat(f"{path}-wal").st_size
    await database.close()

    assert size < 4 << 20
    assert _ids(path) == set(range(6000))


@pytest.mark.slow
async def test_two_processes_write_by_turns(path: Path) -> None:
    """Neither starves nor is told that the database is locked."""
    started = [await _start(path, first=first, count=320) for first in (0, 1000)]
    ends = [await process.communicate() for process in started]

    assert [process.returncode for process in started] == [0, 0]
    told = {int(number) for output, _ in ends for number in output.split()}
    assert told == _ids(path) == {*range(320), *range(1000, 1320)}


@pytest.mark.chaos
@pytest.mark.slow
async def test_what_was_acknowledged_survives_a_kill(path: Path) -> None:
    """`kill -9` in mid load, three times; the turnstile is free at once for the next one."""
    told: set[int] = set()
    for first in (0, 100_000, 200_000):
        process = await _start(path, first=first, count=100_000)
        assert process.stdout is not None
        for _ in range(300):
            told.add(int(await process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        rest = await process.stdout.read()
        told.update(int(line) for line in rest.split(b"\n")[:-1])
        await process.wait()

    assert told <= _ids(path)


async def test_a_backup_is_one_moment_of_a_running_hub(path: Path, tmp_path: Path) -> None:
    """Restored elsewhere, it opens with all that was committed before."""
    opened = await _open(path)
    await opened.store.webhooks.add(WEBHOOK)
    backup_sqlite(path, tmp_path / "backup.db")
    await opened.store.webhooks.delete(7, at=1)
    await opened.close()
    restore_sqlite(tmp_path / "backup.db", tmp_path / "elsewhere.db")
    restored = await _open(tmp_path / "elsewhere.db")
    await restored.check()

    assert await restored.store.webhooks.all() == [WEBHOOK]
    await restored.close()


def test_a_damaged_backup_is_not_restored(path: Path, tmp_path: Path) -> None:
    """And leaves nothing behind."""
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 40 * 4096] = b"\xff" * (37 * 4096)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)
    with pytest.raises(DatabaseUnavailable, match="damaged"):
        restore_sqlite(damaged, tmp_path / "target.db")

    assert [found.name for found in tmp_path.glob("target*")] == []


@pytest.mark.parametrize("does_exist", [True, False], ids=["occupied", "missing"])
def test_backups_overwrite_nothing(path: Path, tmp_path: Path, does_exist: bool) -> None:
    """An occupied target and a missing source are told."""
    source = path if does_exist else tmp_path / "missing.db"
    with pytest.raises(DatabaseUnavailable, match="exists already" if does_exist else "no database"):
        backup_sqlite(source, path)
