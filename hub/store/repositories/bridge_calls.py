"""Agents and the calls to them in the database. Every move is a compare-and-set on the state and the fence."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Update, delete, func, insert, select, update

from hub.model.bridge_call import Agent, AgentHello, BridgeCall, CallState, CallVerb
from hub.store.database import Database
from hub.store.repositories.configuration import raise_revision
from hub.store.schema import bridge_agents, bridge_call_pieces, bridge_calls, bridges

_pieces = bridge_call_pieces.c
_calls = bridge_calls.c
_NOT_BEGUN = (CallState.WAITING, CallState.CLAIMED)


class SqlBridgeCalls:
    """hub.flow.agent_store.BridgeCalls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hello(self, bridge_id: int, hello: AgentHello, *, now: int) -> tuple[Agent, bool]:
        mine = bridge_agents.c.bridge_id == bridge_id
        told = {
            "name": hello.name,
            "kind": hello.kind,
            "version": hello.version,
            "capabilities": msgspec.json.encode(sorted(hello.capabilities)).decode(),
            "health": hello.health,
            "health_reason": hello.health_reason,
            "heard_at": now,
            "program": hello.program,
            "os": hello.os,
        }

        def work(connection: Connection) -> tuple[Agent, bool]:
            # The bridge's row first: of two who say hello at once, one waits for the other.
            changed = update(bridges).where(
                bridges.c.id == bridge_id, bridges.c.agent.is_distinct_from(hello.kind)
            )
            is_other_kind = connection.execute(changed.values(agent=hello.kind)).rowcount > 0
            if not is_other_kind:
                connection.execute(update(bridges).where(bridges.c.id == bridge_id).values(heard_at=now))
            known = connection.execute(select(bridge_agents).where(mine)).first()
            fence = 1 if known is None else known.fence + (known.name != hello.name)
            values = {**told, "fence": fence}
            if known is None:
                connection.execute(insert(bridge_agents).values(bridge_id=bridge_id, **values))
            else:
                connection.execute(update(bridge_agents).where(mine).values(values))
            if is_other_kind:
                raise_revision(connection, bridges, [bridge_id])
            row = connection.execute(select(bridge_agents).where(mine)).one()
            return _agent(row), is_other_kind

        return await self._database.write(work)

    async def agent(self, bridge_id: int) -> Agent | None:
        query = select(bridge_agents).where(bridge_agents.c.bridge_id == bridge_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _agent(row)

    async def agents(self) -> dict[int, Agent]:
        rows = await self._database.read(lambda connection: connection.execute(select(bridge_agents)).all())
        return {row.bridge_id: _agent(row) for row in rows}

    async def heard(self, bridge_id: int, *, fence: int, at: int) -> bool:
        mine = (bridge_agents.c.bridge_id == bridge_id, bridge_agents.c.fence == fence)
        return await self._moves(update(bridge_agents).where(*mine).values(heard_at=at))

    async def add(self, call: BridgeCall) -> None:
        query = insert(bridge_calls).values(_values(call))
        await self._database.write(lambda connection: connection.execute(query).rowcount)

    async def get(self, call_id: int) -> BridgeCall | None:
        query = select(bridge_calls).where(_calls.id == call_id)
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _call(row)

    async def performed(self, bridge_id: int, attempt_id: str) -> BridgeCall | None:
        query = (
            select(bridge_calls)
            .where(
                _calls.attempt_id == attempt_id,
                _calls.bridge_id == bridge_id,
                _calls.verb == CallVerb.PERFORM,
            )
            .order_by(_calls.id.desc())
            .limit(1)
        )
        row = await self._database.read(lambda connection: connection.execute(query).first())
        return None if row is None else _call(row)

    async def claim(
        self, bridge_id: int, *, fence: int, holding: Collection[int], limit: int, now: int, lease_until: int
    ) -> list[BridgeCall] | None:
        newest = select(bridge_agents.c.fence).where(bridge_agents.c.bridge_id == bridge_id)
        free = (
            select(bridge_calls)
            .where(_calls.bridge_id == bridge_id, _calls.state.in_(_NOT_BEGUN), _calls.id.not_in(holding))
            .order_by(_calls.id)
            .limit(limit)
        )

        def look(connection: Connection) -> list[int] | None:
            if connection.execute(newest).scalar() != fence:
                return None
            return [row.id for row in connection.execute(free)]

        def work(connection: Connection) -> list[BridgeCall] | None:
            # Locked, so that nobody raises the fence meanwhile: who is told so claims nothing afterwards.
            if connection.execute(newest.with_for_update()).scalar() != fence:
                return None
            claimed = []
            for row in connection.execute(free).all():
                took = _mine(row.id, bridge_id, *_NOT_BEGUN).values(
                    state=CallState.CLAIMED, fence=fence, lease_until=lease_until
                )
                if connection.execute(took).rowcount:
                    claimed.append(_call(row))
            if claimed:
                mine = update(bridge_agents).where(bridge_agents.c.bridge_id == bridge_id)
                connection.execute(mine.values(called_at=now))
            return claimed

        found = await self._database.read(look)
        if not found:  # most looks find nothing, and cost no transaction
            return None if found is None else []
        return await self._database.write(work)

    async def lost(self, bridge_id: int, *, holding: Collection[int], now: int) -> list[int]:
        lost = (
            _calls.bridge_id == bridge_id,
            _calls.state == CallState.DISPATCHED,
            _calls.id.not_in(holding),
            _calls.lease_until > now,
        )

        def work(connection: Connection) -> list[int]:
            ids = [row.id for row in connection.execute(select(_calls.id).where(*lost))]
            connection.execute(update(bridge_calls).where(*lost, _calls.id.in_(ids)).values(lease_until=now))
            return ids

        query = select(_calls.id).where(*lost).limit(1)
        if await self._database.read(lambda connection: connection.execute(query).first()) is None:
            return []
        return await self._database.write(work)

    async def begin(self, call_id: int, *, bridge_id: int, fence: int, now: int, lease_until: int) -> bool:
        mine = _mine(call_id, bridge_id, CallState.CLAIMED).where(
            _calls.fence == fence, _calls.lease_until > now
        )
        again = select(_calls.id).where(
            _calls.id == call_id,
            _calls.bridge_id == bridge_id,
            _calls.fence == fence,
            _calls.state == CallState.DISPATCHED,
            _calls.lease_until > now,
        )

        def work(connection: Connection) -> bool:
            moved = connection.execute(
                mine.values(state=CallState.DISPATCHED, lease_until=lease_until)
            ).rowcount
            return moved > 0 or connection.execute(again).first() is not None

        return await self._database.write(work)

    async def extend(self, call_id: int, *, bridge_id: int, fence: int, now: int, lease_until: int) -> bool:
        mine = _mine(call_id, bridge_id, CallState.CLAIMED, CallState.DISPATCHED)
        mine = mine.where(_calls.fence == fence, _calls.lease_until > now)
        return await self._moves(mine.values(lease_until=lease_until))

    async def answer(self, call_id: int, *, bridge_id: int, outcome: str) -> bool:
        mine = _mine(call_id, bridge_id, CallState.CLAIMED, CallState.DISPATCHED)
        return await self._moves(mine.values(state=CallState.ANSWERED, outcome=outcome))

    async def take_back(self, call: BridgeCall, *, outcome: str) -> bool:
        same = _mine(call.id, call.bridge_id, call.state).where(
            _calls.fence.is_not_distinct_from(call.fence),
            _calls.lease_until.is_not_distinct_from(call.lease_until),
        )
        return call.state in _NOT_BEGUN and await self._moves(
            same.values(state=CallState.ANSWERED, outcome=outcome)
        )

    async def forget(self, bridge_id: int, *, before: int, limit: int) -> int:
        old = (
            select(_calls.id)
            .where(_calls.bridge_id == bridge_id, _calls.created_at < before)
            .order_by(_calls.id)
            .limit(limit)
        )

        def work(connection: Connection) -> int:
            ids = [row.id for row in connection.execute(old)]
            if ids:
                connection.execute(delete(bridge_call_pieces).where(_pieces.call_id.in_(ids)))
                connection.execute(delete(bridge_calls).where(_calls.id.in_(ids)))
            return len(ids)

        return await self._database.write(work)

    async def add_piece(self, call_id: int, number: int, content: bytes, *, most: int) -> int | None:
        of_call = _pieces.call_id == call_id
        held = select(func.count()).select_from(bridge_call_pieces).where(of_call)
        same = select(_pieces.number).where(of_call, _pieces.number == number)

        def work(connection: Connection) -> int | None:
            count = connection.execute(held).scalar_one()
            if connection.execute(same).first() is not None:
                return count  # a repetition, after a lost answer
            if count >= most:
                return None
            values = {"call_id": call_id, "number": number, "content": content}
            connection.execute(insert(bridge_call_pieces).values(values))
            return count + 1

        return await self._database.write(work)

    async def take_piece(self, call_id: int, number: int) -> bytes | None:
        this = select(_pieces.content).where(_pieces.call_id == call_id, _pieces.number == number)
        upto = delete(bridge_call_pieces).where(_pieces.call_id == call_id, _pieces.number <= number)

        def work(connection: Connection) -> bytes:
            content: bytes = connection.execute(this).scalar_one()
            connection.execute(upto)
            return content

        if await self._database.read(lambda connection: connection.execute(this).first()) is None:
            return None
        return await self._database.write(work)

    async def drop_pieces(self, call_id: int) -> None:
        gone = delete(bridge_call_pieces).where(_pieces.call_id == call_id)
        await self._database.write(lambda connection: connection.execute(gone).rowcount)

    async def _moves(self, statement: Update) -> bool:
        return await self._database.write(lambda connection: connection.execute(statement).rowcount > 0)


def _mine(call_id: int, bridge_id: int, *states: CallState) -> Update:
    return update(bridge_calls).where(
        _calls.id == call_id, _calls.bridge_id == bridge_id, _calls.state.in_(states)
    )


def _values(call: BridgeCall) -> dict[str, Any]:
    return {column.name: getattr(call, column.name) for column in bridge_calls.columns}


def _call(row: Row[Any]) -> BridgeCall:
    values = {**row._mapping, "verb": CallVerb(row.verb), "state": CallState(row.state)}
    return BridgeCall(**values)


def _agent(row: Row[Any]) -> Agent:
    capabilities = frozenset(msgspec.json.decode(row.capabilities, type=list[str]))
    return Agent(**{**row._mapping, "capabilities": capabilities})
