"""Running processes, their node numbers, and who drains which shard."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select, text, update

from hub.model.errors import StoreError
from hub.model.ids import MAX_NODE
from hub.store.database import Database
from hub.store.schema import processes, shards

#: PostgreSQL's advisory lock around membership and shards; SQLite's writer is alone anyway.
_LOCK = 0x48_75_62_00_02
_FREE = ""


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


class SqlProcesses:
    """hub.flow.repositories.Processes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def join(self, *, kind: str, name: str, now: int, forgotten_before: int) -> int:
        """Take the lowest number that nobody has; else, of who was not seen for long, that of who was seen first.

        Who was not seen for long may only have slept, as machines do, or have been without the database. Its number
        makes ids unique, so it is given to another one only where none is left.

        Raises:
            StoreError: All of them are taken by living processes.
        """

        def work(connection: Connection) -> int:
            _alone(connection)
            node = _free_node(connection, forgotten_before)
            row = {"node": node, "name": name, "kind": kind, "started_at": now, "seen_at": now}
            connection.execute(insert(processes).values(row))
            return node

        return await self._database.write(work)

    async def seen(self, node: int, *, now: int) -> None:
        query = update(processes).where(processes.c.node == node).values(seen_at=now)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def leave(self, node: int) -> None:
        query = delete(processes).where(processes.c.node == node)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def take_shards(
        self, *, owner: str, shard_count: int, want: int, now: int, lease_until: int
    ) -> dict[int, int]:
        def work(connection: Connection) -> dict[int, int]:
            _alone(connection)
            return _take(
                connection, owner=owner, shard_count=shard_count, want=want, now=now, until=lease_until
            )

        return await self._database.write(work)

    async def release_shards(self, owner: str) -> None:
        query = update(shards).where(shards.c.owner == owner).values(owner=_FREE, lease_until=0)
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def workers(self, *, seen_after: int) -> list[str]:
        query = select(processes.c.name).where(processes.c.kind == "worker", processes.c.seen_at > seen_after)
        query = query.order_by(processes.c.name)
        return await self._database.read(lambda connection: list(connection.scalars(query)))


def _free_node(connection: Connection, forgotten_before: int) -> int:
    taken: dict[int, int] = {row.node: row.seen_at for row in connection.execute(select(processes))}
    free = next((number for number in range(MAX_NODE + 1) if number not in taken), None)
    if free is not None:
        return free
    oldest = min(taken, key=lambda number: (taken[number], number))
    if taken[oldest] >= forgotten_before:
        raise StoreError(f"{MAX_NODE + 1} processes are running, and no more can be told apart. Stop some.")
    connection.execute(delete(processes).where(processes.c.node == oldest))
    return oldest


def _take(
    connection: Connection, *, owner: str, shard_count: int, want: int, now: int, until: int
) -> dict[int, int]:
    known = {row.shard: row for row in connection.execute(select(shards).where(shards.c.shard < shard_count))}
    ours = [shard for shard in sorted(known) if known[shard].owner == owner]
    for shard in ours[want:]:
        _write(connection, shard, owner=_FREE, epoch=known[shard].epoch, until=0)
    kept = {shard: known[shard].epoch for shard in ours[:want]}
    for shard in range(shard_count):
        row = known.get(shard)
        is_free = row is None or (row.owner != owner and (row.owner == _FREE or row.lease_until <= now))
        if is_free and len(kept) < want:
            kept[shard] = row.epoch + 1 if row else 1
    for shard, epoch in kept.items():
        _write(connection, shard, owner=owner, epoch=epoch, until=until)
    return kept


def _write(connection: Connection, shard: int, *, owner: str, epoch: int, until: int) -> None:
    values = {"owner": owner, "epoch": epoch, "lease_until": until}
    if connection.execute(update(shards).where(shards.c.shard == shard).values(values)).rowcount == 0:
        connection.execute(insert(shards).values(shard=shard, **values))
