"""Schema and migrations say the same; wrong versions are told; many processes may start at once."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, create_engine, inspect, text

from hub.store import address, revision
from hub.store.faults import SchemaTooNew, SchemaTooOld, UnknownDatabase
from hub.store.open import open_store
from hub.store.schema import metadata
from hub.store.sealing import Sealer
from tests.store.conftest import KEY
from tests.support.postgres import PostgresServer

_CATALOGUE = {
    "sqlite": "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'",
    "postgresql": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' UNION ALL "
    "SELECT relname, array_to_string(reloptions, ',') FROM pg_class WHERE relname IN ('deliveries', 'events') "
    "UNION ALL SELECT sequencename, data_type::text FROM pg_sequences WHERE schemaname = 'public'",
}


def _columns(inspector: Inspector, table: str) -> list[tuple[Any, ...]]:
    return [
        (column["name"], str(column["type"]), column["nullable"], column["default"])
        for column in inspector.get_columns(table)
    ]


def _described(connection: Connection) -> dict[str, Any]:
    """Everything that two databases can differ in."""
    inspector = inspect(connection)
    tables = sorted(set(inspector.get_table_names()) - {"alembic_version"})
    described: dict[str, Any] = {
        table: {
            "columns": _columns(inspector, table),
            "key": inspector.get_pk_constraint(table),
            "unique": sorted(inspector.get_unique_constraints(table), key=str),
            "foreign": inspector.get_foreign_keys(table),
        }
        for table in tables
    }
    rows = connection.execute(text(_CATALOGUE[connection.dialect.name])).all()
    described["catalogue"] = sorted(
        tuple(" ".join(str(part).split()) for part in row)
        for row in rows
        if "alembic_version" not in str(row) and "sqlite_autoindex" not in str(row)
    )
    return described


def test_migrations_make_the_schema_on_sqlite(tmp_path: Path, migrated_sqlite: Path) -> None:
    """Tables, columns, types, nullability, keys, indexes and their conditions."""
    made, migrated = (create_engine(f"sqlite:///{path}") for path in (tmp_path / "made.db", migrated_sqlite))
    with made.begin() as connection:
        metadata.create_all(connection)
        expected = _described(connection)
    with migrated.connect() as connection:
        actual = _described(connection)
    made.dispose()
    migrated.dispose()

    assert _sorted_columns_last(actual) == _sorted_columns_last(expected)


def _sorted_columns_last(described: dict[str, Any]) -> dict[str, Any]:
    # How a statement was spelled (quotes, order of constraints) is SQLAlchemy's affair; its words count.
    words = [
        sorted(" ".join(row).replace('"', "").replace(",", " ").split()) for row in described["catalogue"]
    ]
    return {**described, "catalogue": words}


async def test_migrations_make_the_schema_on_postgresql(
    postgres: PostgresServer, migrated_postgres: str
) -> None:
    """Tables, columns, types, nullability, keys, indexes and their conditions."""
    made = postgres.create_database("made")
    results = []
    for url, is_made in ((made, True), (migrated_postgres, False)):
        parsed = address.parse(url)
        assert not isinstance(parsed, Path)
        engine = address.engine(parsed)
        async with engine.begin() as connection:
            if is_made:
                await connection.run_sync(metadata.create_all)
            results.append(await connection.run_sync(_described))
        await engine.dispose()

    assert results[0] == results[1]


async def test_an_empty_database_asks_for_its_migration(tmp_path: Path, postgres: PostgresServer) -> None:
    """With the command to run."""
    for url in (f"sqlite:///{tmp_path / 'hub.db'}", postgres.create_database("empty")):
        opened = await open_store(url, sealer=Sealer([KEY]))
        with pytest.raises(SchemaTooOld, match="hub migrate"):
            await opened.check()
        await opened.migrate()
        await opened.check()
        await opened.migrate()
        await opened.close()


async def test_a_newer_database_is_left_alone(tmp_path: Path) -> None:
    """Neither opened nor migrated."""
    url = f"sqlite:///{tmp_path / 'hub.db'}"
    opened = await open_store(url, sealer=Sealer([KEY]))
    await opened.migrate()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    for step in (opened.check, opened.migrate):
        with pytest.raises(SchemaTooNew, match="schema 9999"):
            await step()
    await opened.close()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_many_processes_migrate_at_once(kind: str, tmp_path: Path, postgres: PostgresServer) -> None:
    """One does it, the others wait; all succeed."""
    url = f"sqlite:///{tmp_path / 'hub.db'}" if kind == "sqlite" else postgres.create_database("crowd")
    code = "import asyncio, sys; from hub.store.migration import migrate; asyncio.run(migrate(sys.argv[1]))"
    started = [
        await asyncio.create_subprocess_exec(sys.executable, "-W", "error", "-c", code, url) for _ in range(4)
    ]
    ends = [await process.wait() for process in started]

    assert ends == [0, 0, 0, 0]


async def test_a_statement_of_a_migration_takes_as_long_as_it_takes(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An index over millions of rows needs more than a statement of a running hub may have."""
    monkeypatch.setattr(address, "COMMAND_TIMEOUT_SECONDS", 0.05)
    parsed = address.parse(postgres.create_database("large"))
    assert not isinstance(parsed, Path)
    engine = address.engine(parsed)
    async with engine.begin() as connection:
        slept = (await connection.execute(text("SELECT pg_sleep(0.2) IS NOT NULL"))).scalar_one()
    await engine.dispose()

    assert slept


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "nonsense", ""])
async def test_other_urls_are_refused(url: str) -> None:
    """Without repeating a password that may be in them."""
    with pytest.raises(UnknownDatabase, match="sqlite:///path"):
        await open_store(url, sealer=Sealer([KEY]))


def test_the_revisions_that_processes_know_are_those_that_alembic_knows() -> None:
    """Processes ask without alembic, for its memory; the names of the files must not lie."""
    scripts = ScriptDirectory(str(revision.VERSIONS.parent))

    assert revision.known() == [each.revision for each in reversed(list(scripts.walk_revisions()))]
