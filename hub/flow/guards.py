"""Where a line's sends are guarded, and the guard of a hub that guards nothing.

A guard is asked within the transactions that act on its verdict, so what it counts is exact.
Not here: the rules that keep a line safe (hub.flow.safety.LineGuard is such a guard).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from hub.flow.ports import HotTransaction
from hub.flow.safety import Postponed, Verdict
from hub.flow.safety import Wish as Guarded
from hub.model.errors import InvalidRequest
from hub.model.outbox import OutboxState
from hub.rules.sending import NextStep


class SendGuard(Protocol):
    """Keeps a line safe."""

    async def admit(
        self, tx: HotTransaction, wishes: Sequence[Guarded], now_ms: int
    ) -> list[InvalidRequest | None]:
        """Judge what is about to be owed, each for itself, in turn: a refusal, or None."""
        ...

    async def release(self, tx: HotTransaction, wish: Guarded, now_ms: int) -> Verdict:
        """Judge what is about to be handed to its bridge: a refusal for good, a postponement, or None to go ahead.

        What it counted is undone with the transaction if the item turns out to be somebody else's.
        """
        ...


class _Permissive:
    async def admit(
        self, tx: HotTransaction, wishes: Sequence[Guarded], now_ms: int
    ) -> list[InvalidRequest | None]:
        return [None] * len(wishes)

    async def release(self, tx: HotTransaction, wish: Guarded, now_ms: int) -> Verdict:
        return None


PERMISSIVE: Final[SendGuard] = _Permissive()


def step_of(verdict: InvalidRequest | Postponed, now_ms: int) -> NextStep:
    """Give what becomes of an item that may not go out, or not now."""
    if isinstance(verdict, Postponed):
        at_ms, state, error = verdict.until_ms, OutboxState.PENDING, verdict.reason
    else:
        at_ms, state, error = now_ms, OutboxState.FAILED, f"{verdict.code}: {verdict.message}"
    return NextStep(state=state, at_ms=at_ms, error=error, is_untried=True)
