"""Judge how a line fares, and decide when a change is told.

active ─ limited ─ flagged ─ offline: limited means that something holds back a part of what it could send (a budget
is used up, the bridge says degraded); flagged, that what it does looks like what networks punish; offline, that its
bridge does not reach the network.

A warning begins at its threshold and ends at four fifths of it, and a change is told only once it has lasted: what
flutters is told at most once a settling time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from hub.model.line_safety import SafetyPolicy

#: How long a change for the worse, or for the better, must last before it is told.
WORSE_AFTER_MS: Final = 60_000
BETTER_AFTER_MS: Final = 300_000
#: A warning ends at this share of its threshold.
RELIEF: Final = 0.8
#: Shares and ratios of fewer messages say nothing.
LEAST_MESSAGES: Final = 20
#: A message without evidence counts as undelivered after this time.
UNDELIVERED_AFTER_MS: Final = 3_600_000


class LineState(StrEnum):
    """How a line fares."""

    ACTIVE = "active"
    LIMITED = "limited"
    FLAGGED = "flagged"
    OFFLINE = "offline"


_RANK: Final = {state: rank for rank, state in enumerate(LineState)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What a line did in some time."""

    sent: int = 0
    delivered: int = 0
    failed: int = 0
    received: int = 0
    #: Conversations that we opened.
    new_conversations: int = 0
    #: Sent over an hour ago, and nothing is known of them since.
    undelivered: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            sent=self.sent + other.sent,
            delivered=self.delivered + other.delivered,
            failed=self.failed + other.failed,
            received=self.received + other.received,
            new_conversations=self.new_conversations + other.new_conversations,
            undelivered=self.undelivered + other.undelivered,
        )

    @property
    def ratio(self) -> float:
        """Sent to one received; without anything received, as if it were one."""
        return self.sent / max(self.received, 1)

    @property
    def delivered_rate(self) -> float | None:
        """The share of what was sent that arrived; None when nothing was sent."""
        return self.delivered / self.sent if self.sent else None

    @property
    def failed_share(self) -> float:
        asked = self.sent + self.failed
        return self.failed / asked if asked else 0.0

    @property
    def undelivered_share(self) -> float:
        return self.undelivered / self.sent if self.sent else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Signals:
    """Everything that a line is judged by."""

    is_active: bool
    is_bridge_enabled: bool
    #: `online`, `degraded` or `offline`, as the bridge last said, and why.
    bridge_status: str
    bridge_reason: str | None
    #: `new_conversations` or `messages`: the budget that is used up.
    spent_budget: str | None
    #: Today and the day before.
    recent: Figures
    week: Figures
    #: The most messages in a row to one chat without an answer.
    unanswered: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthWarning:
    """One thing that is not well."""

    code: str
    state: LineState
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """Where a line stands, as it was told."""

    state: LineState
    #: The code of the worst warning; None while active.
    reason: str | None
    #: Unix ms.
    since: int
    #: The codes of all warnings of the last look, for their relief.
    warnings: frozenset[str] = frozenset()
    #: Since when what is seen is worse, or better, than what was told.
    worse_since: int | None = None
    better_since: int | None = None


def find_warnings(signals: Signals, policy: SafetyPolicy, *, known: frozenset[str]) -> list[HealthWarning]:
    """Give everything that is not well, the worst first.

    Args:
        signals: What is seen.
        policy: The line's thresholds.
        known: The warnings of the last look; these end later than they begin.
    """
    found = [*_bridge_warnings(signals), *_behaviour_warnings(signals, policy, known)]
    if signals.spent_budget is not None:
        what = signals.spent_budget.replace("_", " ")
        found.append(
            _limited(f"{signals.spent_budget}_spent", f"The line's budget of {what} is used up for now.")
        )
    return sorted(found, key=lambda each: -_RANK[each.state])


def look(standing: Standing, warnings: list[HealthWarning], *, now_ms: int) -> tuple[Standing, bool]:
    """Take a look into account.

    Returns:
        The standing, and whether its state has changed, which is then to be told.
    """
    seen = warnings[0].state if warnings else LineState.ACTIVE
    reason = warnings[0].code if warnings else None
    codes = frozenset(each.code for each in warnings)
    if seen is standing.state:
        return (
            replace(standing, reason=reason, warnings=codes, worse_since=None, better_since=None),
            False,
        )
    is_worse = _RANK[seen] > _RANK[standing.state]
    begun = standing.worse_since if is_worse else standing.better_since
    begun = now_ms if begun is None else begun
    if now_ms - begun >= (WORSE_AFTER_MS if is_worse else BETTER_AFTER_MS):
        return Standing(state=seen, reason=reason, since=now_ms, warnings=codes), True
    waiting = replace(
        standing,
        warnings=codes,
        worse_since=begun if is_worse else None,
        better_since=None if is_worse else begun,
    )
    return waiting, False


def event_of(state: LineState) -> str:
    """The event that tells of a change to a state."""
    match state:
        case LineState.ACTIVE:
            return "line.online"
        case LineState.OFFLINE:
            return "line.offline"
        case LineState.LIMITED | LineState.FLAGGED:
            return "line.degraded"


def status_of(state: LineState) -> str:
    """The line's `status` on the wire."""
    return event_of(state).removeprefix("line.")


def _bridge_warnings(signals: Signals) -> list[HealthWarning]:
    reason = f": {signals.bridge_reason}" if signals.bridge_reason else ""
    if not signals.is_bridge_enabled:
        return [_offline("bridge_disabled", "The bridge of this line is disabled.")]
    if not signals.is_active:
        return [_offline("line_inactive", "The line is switched off.")]
    if signals.bridge_status == "offline":
        return [_offline("bridge_offline", f"The bridge says that the line is offline{reason}.")]
    if signals.bridge_status == "degraded":
        return [_limited("bridge_degraded", f"The bridge says that the line is degraded{reason}.")]
    return []


def _behaviour_warnings(signals: Signals, policy: SafetyPolicy, known: frozenset[str]) -> list[HealthWarning]:
    recent, week = signals.recent, signals.week
    says_much = recent.sent + recent.failed >= LEAST_MESSAGES
    #: Some networks never tell of delivery; on these, silence means nothing.
    tells_delivery = week.delivered > 0
    checks = (
        (
            "unanswered",
            float(signals.unanswered),
            float(policy.unanswered_warning),
            f"{signals.unanswered} messages in a row to one contact without an answer.",
        ),
        (
            "sent_received_ratio",
            week.ratio if week.sent >= LEAST_MESSAGES else 0.0,
            policy.ratio_warning,
            f"{week.sent} sent to {week.received} received within 7 days.",
        ),
        (
            "failures",
            recent.failed_share if says_much else 0.0,
            policy.failed_warning,
            f"{recent.failed} of {recent.sent + recent.failed} messages failed since yesterday.",
        ),
        (
            "undelivered",
            recent.undelivered_share if says_much and tells_delivery else 0.0,
            policy.undelivered_warning,
            f"{recent.undelivered} of {recent.sent} messages did not arrive since yesterday.",
        ),
    )
    return [
        HealthWarning(code=code, state=LineState.FLAGGED, message=message)
        for code, value, threshold, message in checks
        if threshold and value >= threshold * (RELIEF if code in known else 1.0)
    ]


def _offline(code: str, message: str) -> HealthWarning:
    return HealthWarning(code=code, state=LineState.OFFLINE, message=message)


def _limited(code: str, message: str) -> HealthWarning:
    return HealthWarning(code=code, state=LineState.LIMITED, message=message)
