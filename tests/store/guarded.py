"""A guard of sends on a store, and what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from hub.flow.directory import load_directory
from hub.flow.line_policies import LinePolicies
from hub.flow.repositories import Store
from hub.flow.safety import LineGuard, Wish
from hub.flow.safety_rows import ConsentRow
from hub.model.errors import InvalidRequest
from hub.model.line import Line
from hub.model.line_safety import LineSafety
from hub.model.outbox import OperationKind
from tests.rules.policies import POLICY
from tests.store.specimens import BRIDGE, CHAT
from tests.store.specimens import LINE as CONTACT_FIRST

#: 2026-06-01T12:00Z, a Monday.
NOON = 1_780_315_200_000
HOUR, DAY = 3_600_000, 86_400_000
LINE = replace(CONTACT_FIRST, is_contact_first=False, created_at=NOON)
CONTACT = "+15550100001"
_ids = count(1)


def limited(**safety: Any) -> Line:
    return replace(LINE, safety=LineSafety(**safety))


def wish(
    to: str = CONTACT,
    *,
    line: Line = LINE,
    kind: OperationKind = OperationKind.SEND,
    is_counted: bool = True,
    outbox_id: int | None = None,
    **payload: object,
) -> Wish:
    body = payload or {"to": to, "chat_key": f"dm:{to}"}
    return Wish(outbox_id=outbox_id or next(_ids), line=line, kind=kind, payload=body, is_counted=is_counted)


class Guarded:
    """A guard on a store."""

    def __init__(self, store: Store, guard: LineGuard) -> None:
        self.store = store
        self.guard = guard

    async def admit(self, *wishes: Wish, now: int = NOON) -> list[InvalidRequest | None]:
        return await self.store.hot.write(lambda tx: self.guard.admit(tx, wishes, now))

    async def codes(self, *wishes: Wish, now: int = NOON) -> list[str | None]:
        return [None if verdict is None else verdict.code for verdict in await self.admit(*wishes, now=now)]

    async def release(self, asked: Wish, *, now: int = NOON) -> object:
        verdict = await self.store.hot.write(lambda tx: self.guard.release(tx, asked, now))
        return verdict.code if isinstance(verdict, InvalidRequest) else verdict

    async def chat(self, key: str, *, members: Sequence[str] = (), has_inbound: int = 1) -> None:
        row = CHAT._replace(
            id=next(_ids),
            chat_key=key,
            has_inbound=has_inbound,
            is_group=int(not key.startswith("dm:")),
            participants=str(list(members)).replace("'", '"'),
        )
        await self.store.hot.write(lambda tx: tx.merge_chats([row]))

    async def say(self, action: str, *, handle: str = CONTACT, scope: int = 1, at: int = NOON) -> None:
        row = ConsentRow(scope, handle, action, "keyword", at, at, 1, next(_ids))
        await self.store.hot.write(lambda tx: tx.safety.merge_consent(row))


async def guard_on(store: Store) -> Guarded:
    """Guard one line, on a bridge that is no sandbox."""
    await store.bridges.add(replace(BRIDGE, kind="push"))
    await store.lines.add(LINE)
    directory = await load_directory(store)
    return Guarded(store, LineGuard(LinePolicies(POLICY, lambda: directory)))
