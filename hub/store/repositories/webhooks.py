"""Webhooks in the database; secrets and custom headers sealed."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, Row, exists, insert, or_, select, update

from hub.model.delivery import DeliveryState
from hub.model.webhook import Webhook
from hub.store.database import Database
from hub.store.repositories.configuration import raise_revision
from hub.store.repositories.pending import IS_WAITING_FOR_A_PERSON, pending_webhooks
from hub.store.repositories.sealed import open_headers, open_secrets, seal_headers, seal_secrets
from hub.store.schema import deliveries, webhooks
from hub.store.sealing import Sealer

_PLAIN = (
    "id",
    "line_id",
    "url",
    "condition",
    "description",
    "disabled_reason",
    "disabled_at",
    "failing_since",
    "timeout_ms",
    "concurrency",
    "rate_per_second",
    "created_at",
    "updated_at",
    "form",
    "metadata",
    "expires_at",
)
PRESENT = webhooks.c.deleted_at.is_(None)
_encode = msgspec.json.encode


def webhook_from(row: Row[Any], sealer: Sealer) -> Webhook:
    schedule = row.retry_schedule
    return Webhook(
        **{name: getattr(row, name) for name in _PLAIN},
        patterns=msgspec.json.decode(row.patterns, type=tuple[str, ...]),
        headers=open_headers(sealer, row.id, row.headers),
        secrets=open_secrets(sealer, "webhooks", row.id, row.secrets),
        retry_schedule=None if schedule is None else msgspec.json.decode(schedule, type=tuple[float, ...]),
        is_active=bool(row.is_active),
        is_ordered=bool(row.is_ordered),
    )


class SqlWebhooks:
    """hub.flow.repositories.Webhooks."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def add(self, webhook: Webhook) -> None:
        values = self._values(webhook)

        def work(connection: Connection) -> None:
            connection.execute(insert(webhooks).values(values))
            raise_revision(connection, webhooks, [webhook.id])

        await self._database.write(work)

    async def get(self, webhook_id: int) -> Webhook | None:
        query = select(webhooks).where(webhooks.c.id == webhook_id, PRESENT)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return webhook_from(row, self._sealer) if row else None

    async def all(self) -> list[Webhook]:
        query = select(webhooks).where(PRESENT).order_by(webhooks.c.id)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [webhook_from(row, self._sealer) for row in rows]

    async def save(self, webhook: Webhook, *, seen_at: int | None = None) -> bool:
        values = self._values(webhook)
        del values["failing_since"]  # the workers' own: only mark_webhooks sets and clears it
        return await self._change(webhook.id, values, seen_at=seen_at)

    async def disable(self, webhook_id: int, *, reason: str, at: int) -> bool:
        values = {"is_active": 0, "disabled_reason": reason, "disabled_at": at, "updated_at": at}
        return await self._change(webhook_id, values, is_active=True)

    async def delete(self, webhook_id: int, *, at: int) -> bool:
        return await self._change(webhook_id, {"deleted_at": at, "is_active": 0, "updated_at": at})

    async def deleted_with_pending(self) -> list[int]:
        held = exists().where(
            deliveries.c.webhook_id == webhooks.c.id,
            IS_WAITING_FOR_A_PERSON,
            deliveries.c.state == DeliveryState.HELD,
        )
        deleted = (
            select(webhooks.c.id, held).where(webhooks.c.deleted_at.is_not(None)).order_by(webhooks.c.id)
        )

        def work(connection: Connection) -> list[int]:
            rows = connection.execute(deleted).all()
            pending = pending_webhooks(connection) if rows else frozenset()
            return [row[0] for row in rows if row[1] or row[0] in pending]

        return await self._database.read(work)

    async def _change(
        self,
        webhook_id: int,
        values: dict[str, Any],
        *,
        is_active: bool = False,
        seen_at: int | None = None,
    ) -> bool:
        query = update(webhooks).where(webhooks.c.id == webhook_id, PRESENT).values(values)
        if seen_at is not None:
            query = query.where(webhooks.c.updated_at == seen_at)
        if is_active:
            query = query.where(webhooks.c.is_active == 1)

        def work(connection: Connection) -> bool:
            is_found = connection.execute(query).rowcount > 0
            if is_found:
                raise_revision(connection, webhooks, [webhook_id])
            return is_found

        return await self._database.write(work)

    def _values(self, webhook: Webhook) -> dict[str, Any]:
        values: dict[str, Any] = {name: getattr(webhook, name) for name in _PLAIN}
        schedule = webhook.retry_schedule
        return values | {
            "patterns": _encode(webhook.patterns).decode(),
            "headers": seal_headers(self._sealer, webhook.id, webhook.headers),
            "secrets": seal_secrets(self._sealer, "webhooks", webhook.id, webhook.secrets),
            "retry_schedule": None if schedule is None else _encode(schedule).decode(),
            "is_active": int(webhook.is_active),
            "is_ordered": int(webhook.is_ordered),
        }

    async def list(self, *, line_id: int | None, after: int | None, limit: int) -> list[Webhook]:
        query = select(webhooks).where(PRESENT).order_by(webhooks.c.id.desc()).limit(limit)
        if line_id is not None:
            query = query.where(or_(webhooks.c.line_id == line_id, webhooks.c.line_id.is_(None)))
        if after is not None:
            query = query.where(webhooks.c.id < after)
        rows = await self._database.read(lambda connection: connection.execute(query).all())
        return [webhook_from(row, self._sealer) for row in rows]
