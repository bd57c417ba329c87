"""Jobs in the database."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, insert, select, update

from hub.model.job import Job
from hub.store.database import Database
from hub.store.schema import jobs


class SqlJobs:
    """hub.flow.repositories.Jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, job: Job) -> None:
        query = insert(jobs).values(asdict(job))
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def get(self, job_id: int) -> Job | None:
        found = await self._jobs(select(jobs).where(jobs.c.id == job_id))
        return found[0] if found else None

    async def running(self) -> list[Job]:
        return await self._jobs(select(jobs).where(jobs.c.state == "running").order_by(jobs.c.id))

    async def save(self, job: Job) -> None:
        query = update(jobs).where(jobs.c.id == job.id).values(asdict(job))
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def _jobs(self, query: Select[Any]) -> list[Job]:
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [Job(**row._mapping) for row in rows]

    async def list(self, *, after: int | None, limit: int) -> list[Job]:
        query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
        return await self._jobs(query if after is None else query.where(jobs.c.id < after))
