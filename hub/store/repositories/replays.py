"""What long jobs need beside the nouns they work on: deliveries made due again, progress that one worker owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.flow.rows import DeliveryRow
from hub.model.delivery import DeliveryState
from hub.model.job import Job
from hub.store.database import Database
from hub.store.repositories.pending import REPLAYED
from hub.store.schema import deliveries, events, jobs

_IS_RUNNING = jobs.c.state == "running"


class SqlReplays:
    """hub.flow.repositories.Replays."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count_events(self, *, first_id: int, last_id: int) -> int:
        query = select(func.count()).select_from(events).where(events.c.id.between(first_id, last_id))
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def make_due(self, rows: Sequence[DeliveryRow]) -> int:
        # In the order of the key, so that two workers never wait for each other crosswise.
        values = [row._asdict() | {"attempt_count": 0} for row in sorted(rows, key=lambda row: row[1:3])]

        def work(connection: Connection) -> int:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(deliveries).values(values)
            again = {"state": DeliveryState.PENDING, "finished_at": None, "replay_count": REPLAYED}
            query = query.on_conflict_do_update(
                index_elements=["event_id", "webhook_id"],
                set_=again | {"next_attempt_at": query.excluded.next_attempt_at},
                where=deliveries.c.state != DeliveryState.CANCELLED,
            )
            return len(connection.execute(query.returning(deliveries.c.id)).all())

        return await self._database.write(work) if rows else 0

    async def advance(self, job: Job, *, from_cursor: int) -> bool:
        query = update(jobs).where(jobs.c.id == job.id, _IS_RUNNING, jobs.c.cursor == from_cursor)
        query = query.values(asdict(job))
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)

    async def cancel(self, job_id: int, *, at: int) -> bool:
        query = update(jobs).where(jobs.c.id == job_id, _IS_RUNNING).values(state="cancelled", finished_at=at)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)
