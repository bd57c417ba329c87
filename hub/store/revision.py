"""Which schema a database has, and which one this code knows. Asked by every process at its start.

Without alembic, which only `migrate` needs and which costs each process as much memory as the rest of the store.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from hub.store.faults import SchemaTooNew, SchemaTooOld

VERSIONS: Final = Path(__file__).with_name("migrations") / "versions"
_FILE: Final = re.compile(r"(\d{4})_\w+\.py")


def known() -> list[str]:
    """Every revision that this code knows, oldest first: the numbers with which the migrations' names begin."""
    found = sorted(match[1] for path in VERSIONS.iterdir() if (match := _FILE.fullmatch(path.name)))
    if not found:
        raise RuntimeError("the migrations are missing from the installation")
    return found


def found(connection: Connection) -> str | None:
    """The revision that the database is at; None without tables of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def refuse_newer(connection: Connection) -> None:
    """Refuse what a newer hub migrated.

    Raises:
        SchemaTooNew: The database's revision is unknown here.
    """
    revision, revisions = found(connection), known()
    if revision is not None and revision not in revisions:
        raise SchemaTooNew(revision, revisions[-1])


def check(connection: Connection) -> None:
    """Hold the database's schema against ours.

    Raises:
        SchemaTooNew: A newer hub migrated it.
        SchemaTooOld: It wants `hub migrate`.
    """
    refuse_newer(connection)
    revision, wanted = found(connection), known()[-1]
    if revision != wanted:
        raise SchemaTooOld(revision, wanted)
