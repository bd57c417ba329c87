"""How many conversations a line may open and how many messages it may send, by its own clock.

Networks block numbers that write to many strangers, and new numbers sooner. Only conversations that we open count:
the first message to a chat in which nobody has written before. What is refused or postponed counts nothing.
Not here: counting exactly under concurrency (the store) and what a refusal looks like (hub.flow.safety).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from zoneinfo import ZoneInfo

from hub.model.line_safety import SafetyPolicy
from hub.model.outbox import OperationKind
from hub.rules.line_policy import zone_of
from hub.rules.local_time import Window, day_of, days_between, hour_of


class Counter(IntEnum):
    """What is counted; kept in the store under this number."""

    NEW_BY_HOUR = 0
    NEW_BY_DAY = 1
    MESSAGES_BY_DAY = 2


#: Operations that put a message of ours before a contact.
MESSAGES: Final = frozenset(
    {OperationKind.CONTACT_CARD, OperationKind.GROUP_CREATE, OperationKind.POLL, OperationKind.SEND}
)
#: Operations that can open a conversation.
OPENINGS: Final = MESSAGES | {OperationKind.FACETIME}


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """One limit in one stretch of time."""

    counter: Counter
    window: Window
    limit: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Exhausted:
    """A limit that is used up."""

    budget: Budget
    used: int

    @property
    def is_about_conversations(self) -> bool:
        return self.budget.counter is not Counter.MESSAGES_BY_DAY

    @property
    def subject(self) -> str:
        return "new_conversations" if self.is_about_conversations else "messages"

    @property
    def period(self) -> str:
        return "hour" if self.budget.counter is Counter.NEW_BY_HOUR else "day"


def new_per_day(policy: SafetyPolicy, zone: ZoneInfo, *, since_ms: int, now_ms: int) -> int:
    """Give today's limit of new conversations: that of the warm-up while it lasts. 0: no limit.

    Args:
        policy: The line's.
        zone: The line's time zone.
        since_ms: Since when the number is in use.
        now_ms: Unix ms.
    """
    age = max(0, days_between(zone, since_ms, now_ms))
    limit = policy.new_conversations_per_day
    if age >= len(policy.warm_up_per_day):
        return limit
    warm_up = policy.warm_up_per_day[age]
    return min(limit, warm_up) if limit and warm_up else limit or warm_up


def budgets(
    policy: SafetyPolicy, kind: OperationKind, *, since_ms: int, now_ms: int, is_new: bool
) -> tuple[Budget, ...]:
    """Give the limits that an operation must keep; none where none is set.

    Args:
        policy: The line's.
        kind: What is to be done.
        since_ms: Since when the number is in use.
        now_ms: Unix ms.
        is_new: Whether it would open a conversation.
    """
    zone = zone_of(policy)
    day, limits = day_of(zone, now_ms), []
    if kind in MESSAGES:
        limits.append((Counter.MESSAGES_BY_DAY, day, policy.messages_per_day))
    if is_new and kind in OPENINGS:
        per_day = new_per_day(policy, zone, since_ms=since_ms, now_ms=now_ms)
        limits.append((Counter.NEW_BY_DAY, day, per_day))
        limits.append((Counter.NEW_BY_HOUR, hour_of(zone, now_ms), policy.new_conversations_per_hour))
    return tuple(
        Budget(counter=counter, window=window, limit=limit) for counter, window, limit in limits if limit
    )


def first_exhausted(wanted: Iterable[Budget], used: Mapping[tuple[Counter, int], int]) -> Exhausted | None:
    """Give the limit that forbids one more, the one that lasts longest; None if there is room in all.

    Args:
        wanted: The limits.
        used: By counter and start of its window.
    """
    spent = [
        Exhausted(budget=budget, used=count)
        for budget in wanted
        if (count := used.get((budget.counter, budget.window.start_ms), 0)) >= budget.limit
    ]
    return max(spent, key=lambda each: each.budget.window.end_ms, default=None)
