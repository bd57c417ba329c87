"""What the repositories need of a database: units of work on a SQLAlchemy connection, read or written.

Both databases provide it; the repositories are written once. Not here: the hot path (hub.flow.ports.HotStore).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Select

T = TypeVar("T")


class Database(Protocol):
    """Runs units of cold work."""

    #: `postgresql` or `sqlite`, as SQLAlchemy calls them.
    dialect: str

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on a consistent snapshot; it must only read."""
        ...

    async def look_up(self, query: Select[Any], values: Mapping[str, object]) -> Sequence[tuple[Any, ...]]:
        """Run one reading statement by itself, at a fraction of what a unit of work costs (hub.store.lookups).

        Rows are plain: by position, as the statement selects.
        """
        ...

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one durable transaction; nothing stays if it raises.

        It may run more than once (a neighbour in its group failed, a serialisation conflict), so it must have no
        effect but on the database.
        """
        ...
