"""Payloads of bridges that could not be taken in, in the database; what they say is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from hub.model.refused import Form, Origin, RefusalCode, Refused, RefusedPayload, RefusedTally
from hub.store.database import Database
from hub.store.schema import refused_payloads
from hub.store.sealing import Sealer, place

_t = refused_payloads.c


class _Payload(msgspec.Struct, frozen=True, array_like=True):
    """What is sealed."""

    raw: bytes
    query: tuple[tuple[str, str], ...]
    content_type: str


_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(_Payload).decode


class SqlRefusedPayloads:
    """hub.flow.refused_store.RefusedPayloads."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    async def keep(self, rows: Sequence[RefusedPayload], *, most: int) -> None:
        # In one order, so that two processes never wait for each other crosswise.
        values = [self._values(row) for row in sorted(rows, key=lambda row: (row.bridge_id, row.digest))]

        def work(connection: Connection) -> None:
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            query = dialect.insert(refused_payloads).values(values)
            newer = {name: query.excluded[name] for name in ("last_at", "reason")}
            connection.execute(
                query.on_conflict_do_update(
                    index_elements=["bridge_id", "digest"],
                    set_={**newer, "count": _t.count + query.excluded["count"]},
                )
            )
            for bridge_id in sorted({row.bridge_id for row in rows}):
                mine = _t.bridge_id == bridge_id
                beyond = select(_t.id).where(mine).order_by(_t.last_at.desc(), _t.id.desc()).offset(most)
                gone = [*connection.scalars(beyond)]
                if gone:
                    connection.execute(delete(refused_payloads).where(_t.id.in_(gone)))

        if values and most:
            await self._database.write(work)

    async def page(self, bridge_id: int, *, after: int | None, limit: int) -> list[RefusedPayload]:
        query = select(refused_payloads).where(_t.bridge_id == bridge_id).order_by(_t.id.desc())
        if after is not None:
            query = query.where(_t.id < after)
        rows = await self._database.read(lambda connection: connection.execute(query.limit(limit)).all())
        return [self._from(row) for row in rows]

    async def get(self, bridge_id: int, payload_id: int) -> RefusedPayload | None:
        query = select(refused_payloads).where(_t.bridge_id == bridge_id, _t.id == payload_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else self._from(row)

    async def delete(self, bridge_id: int, payload_id: int) -> bool:
        query = delete(refused_payloads).where(_t.bridge_id == bridge_id, _t.id == payload_id)
        return await self._database.write(lambda connection: connection.execute(query).rowcount > 0)

    async def tally(self, bridge_id: int) -> RefusedTally | None:
        mine = _t.bridge_id == bridge_id
        counts = select(func.count(), func.sum(_t.count)).where(mine)
        last = select(_t.last_at, _t.reason).where(mine).order_by(_t.last_at.desc(), _t.id.desc()).limit(1)

        def look(connection: Connection) -> RefusedTally | None:
            newest = connection.execute(last).first()
            if newest is None:
                return None
            payloads, times = connection.execute(counts).one()
            return RefusedTally(
                payloads=payloads, times=int(times), last_at=newest.last_at, last_reason=newest.reason
            )

        return await self._database.read(look)

    def _values(self, row: RefusedPayload) -> dict[str, Any]:
        said = row.refused
        plain = _encode(_Payload(said.raw, said.query, said.content_type))
        return {
            "id": row.id,
            "bridge_id": row.bridge_id,
            "digest": row.digest,
            "code": said.code.value,
            "reason": said.reason,
            "origin": said.origin.value,
            "form": said.form.value,
            "event": said.event,
            "payload": self._sealer.seal(plain, place("refused_payloads", "payload", row.id)),
            "size": max(said.size, len(said.raw)),
            "count": row.count,
            "first_at": row.first_at,
            "last_at": row.last_at,
        }

    def _from(self, row: Row[Any]) -> RefusedPayload:
        kept = _decode(self._sealer.open(row.payload, place("refused_payloads", "payload", row.id)))
        return RefusedPayload(
            id=row.id,
            bridge_id=row.bridge_id,
            digest=row.digest,
            refused=Refused(
                code=RefusalCode(row.code),
                reason=row.reason,
                origin=Origin(row.origin),
                raw=kept.raw,
                form=Form(row.form),
                event=row.event,
                query=kept.query,
                content_type=kept.content_type,
                size=row.size,
            ),
            count=row._mapping["count"],
            first_at=row.first_at,
            last_at=row.last_at,
        )
