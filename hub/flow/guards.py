"""The guard of a hub that guards nothing: every operation may be asked for, and every one may go out.

Not here: the rules that keep a line safe; whoever has some puts a SendGuard (hub.flow.ports) in its place.
"""

from __future__ import annotations

from typing import Final

from hub.flow.ports import SendGuard
from hub.flow.rows import DueOutbox
from hub.model.line import Line
from hub.model.outbox import OperationKind
from hub.rules.sending import NextStep


class _Permissive:
    async def check_accept(
        self, line: Line, kind: OperationKind, *, chat_key: str | None, now_ms: int
    ) -> None:
        return None

    async def check_perform(self, item: DueOutbox, line: Line, *, now_ms: int) -> NextStep | None:
        return None


PERMISSIVE: Final[SendGuard] = _Permissive()
