"""Look after lines: count what each did, judge it, keep the judgement, and tell of a change that has lasted.

The event of a change comes before the record of it, under a key that names the standing it left: whoever repeats a
look after a crash tells nothing twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from hashlib import blake2b
from operator import add
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import structlog

from hub.flow.bulk_feeding import LONGEST_RATE_REST_MS
from hub.flow.directory import Directory, DirectoryHolder, StaleDirectory
from hub.flow.line_policies import LinePolicies
from hub.flow.ports import Clock, HotTransaction, WakeUps
from hub.flow.record import TakeIds, record_events, require_current
from hub.flow.repositories import Store
from hub.flow.rows import DeliveryRow, EventRow
from hub.flow.safety import HELD_BUDGET, HELD_QUIET, HELD_REASONS
from hub.flow.safety_payloads import line_health_data
from hub.flow.safety_repositories import DayRecord, HealthRecord
from hub.flow.safety_rows import CountKey
from hub.model.delivery import DeliveryState
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.model.line_safety import SafetyPolicy
from hub.model.outbox import OperationKind
from hub.rules.budget import Budget, Exhausted, budgets, first_exhausted
from hub.rules.line_health import (
    UNDELIVERED_AFTER_MS,
    Figures,
    HealthWarning,
    LineState,
    Signals,
    Standing,
    event_of,
    find_warnings,
    look,
    status_of,
)
from hub.rules.line_policy import zone_of
from hub.rules.local_time import days_before
from hub.rules.quiet_hours import quiet_until

log = structlog.get_logger("lines")

DAYS: Final = 7
_HOUR_MS: Final = 3_600_000
#: Receipts come late: a day is counted again until so long after its end.
_SETTLED_MS: Final = 6 * _HOUR_MS
#: Chats looked at for messages without an answer, the latest first.
_MOST_CHATS: Final = 1000
#: Counters and days are kept so much longer than they are looked at.
_KEPT_MS: Final = 30 * 24 * _HOUR_MS


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How much of a budget is used."""

    budget: Budget
    used: int


@dataclass(frozen=True, kw_only=True, slots=True)
class HealthReport:
    """How a line fares, for people."""

    standing: Standing
    warnings: tuple[HealthWarning, ...]
    today: Figures
    week: Figures
    unanswered: int
    usages: tuple[Usage, ...]
    #: Until when quiet hours hold back all sends; None: now they do not.
    quiet_until: int | None
    bridge_status: str
    bridge_reason: str | None
    looked_at: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Counted:
    today: Figures
    recent: Figures
    week: Figures


class LineHealth:
    """Looks after lines."""

    def __init__(
        self,
        *,
        store: Store,
        directory: DirectoryHolder,
        policies: LinePolicies,
        take_ids: TakeIds,
        wake_ups: WakeUps,
        clock: Clock,
    ) -> None:
        self._store = store
        self._directory = directory
        self._policies = policies
        self._take_ids = take_ids
        self._wake_ups = wake_ups
        self._clock = clock
        #: By line, as of the last look.
        self._judged_by: dict[int, SafetyPolicy] = {}

    async def report(self, line: Line) -> HealthReport:
        """Tell how a line fares, as the last look found it; budgets as they are now."""
        now_ms, policy = self._clock.now_ms(), self._policies.of(line)
        zone = zone_of(policy)
        record = await self._store.health.get(line.id)
        counted = _sum_up(await self._days(line, zone, now_ms), zone, now_ms)
        return HealthReport(
            standing=_standing(record, line),
            warnings=_warnings(record),
            today=counted.today,
            week=counted.week,
            unanswered=0 if record is None else record.unanswered,
            usages=await self._usages(line, policy, now_ms),
            quiet_until=quiet_until(policy.quiet_hours, zone, now_ms, is_new=False),
            bridge_status=(record.bridge_status if record else None) or "online",
            bridge_reason=record.bridge_reason if record else None,
            looked_at=record.looked_at if record else None,
        )

    async def look_after(self, line: Line) -> HealthReport:
        """Count, judge, keep, and tell of a change; let go what waits for nothing any more."""
        now_ms, policy = self._clock.now_ms(), self._policies.of(line)
        zone = zone_of(policy)
        record = await self._store.health.get(line.id)
        counted = _sum_up(await self._count_days(line, zone, now_ms), zone, now_ms)
        unanswered = await self._store.health.unanswered(
            line.id, since=now_ms - DAYS * 24 * _HOUR_MS, most_chats=_MOST_CHATS
        )
        usages = await self._usages(line, policy, now_ms)
        await self._judge_anew(line, policy, usages, now_ms)
        before = _standing(record, line)
        signals = self._signals(line, record, counted, unanswered, usages)
        warnings = find_warnings(signals, policy, known=before.warnings)
        after, is_changed = look(before, warnings, now_ms=now_ms)
        report = HealthReport(
            standing=after,
            warnings=tuple(warnings),
            today=counted.today,
            week=counted.week,
            unanswered=unanswered,
            usages=usages,
            quiet_until=quiet_until(policy.quiet_hours, zone, now_ms, is_new=False),
            bridge_status=signals.bridge_status,
            bridge_reason=signals.bridge_reason,
            looked_at=now_ms,
        )
        if is_changed:
            await self._tell(line, before, report)
        await self._keep(line, record, report)
        return report

    async def forget(self) -> None:
        """Delete counters that nobody looks at any more."""
        await self._store.health.forget(before=self._clock.now_ms() - _KEPT_MS)

    async def _judge_anew(
        self, line: Line, policy: SafetyPolicy, usages: tuple[Usage, ...], now_ms: int
    ) -> None:
        """Have what waits judged again: for what is over, or, sends and bulk jobs, because the policy is another."""
        over = set(HELD_REASONS)
        if self._judged_by.get(line.id) != policy:
            if await self._store.bulk.look_again(line.id, rate_rest_ms=LONGEST_RATE_REST_MS, now=now_ms):
                self._wake_ups.job_added()
        else:
            if quiet_until(policy.quiet_hours, zone_of(policy), now_ms, is_new=True) is not None:
                over.remove(HELD_QUIET)
            if _spent(usages) is not None:
                over.difference_update(HELD_BUDGET.values())
        if over and await self._store.outbox.let_go(line.id, reasons=over, now=now_ms):
            self._wake_ups.line_due(line.id, now_ms)
        self._judged_by[line.id] = policy

    # ---- counting

    async def _days(self, line: Line, zone: ZoneInfo, now_ms: int) -> dict[int, DayRecord]:
        since = days_before(zone, now_ms, DAYS - 1).start_ms
        return {day.day_start: day for day in await self._store.health.days(line.id, since=since)}

    async def _count_days(self, line: Line, zone: ZoneInfo, now_ms: int) -> dict[int, DayRecord]:
        """Count the days that can have changed since they were counted."""
        days = await self._days(line, zone, now_ms)
        for number in range(DAYS):
            window = days_before(zone, now_ms, number)
            known = days.get(window.start_ms)
            if known is not None and known.counted_at >= window.end_ms + _SETTLED_MS:
                continue
            figures = await self._store.health.count(
                line.id, window, now=now_ms, undelivered_before=now_ms - UNDELIVERED_AFTER_MS
            )
            day = DayRecord(day_start=window.start_ms, counted_at=now_ms, figures=figures)
            days[window.start_ms] = day
            await self._store.health.save_day(line.id, day)
        return days

    async def _usages(self, line: Line, policy: SafetyPolicy, now_ms: int) -> tuple[Usage, ...]:
        since_ms = line.created_at if policy.in_service_since is None else policy.in_service_since
        wanted = budgets(policy, OperationKind.SEND, since_ms=since_ms, now_ms=now_ms, is_new=True)
        keys = [CountKey(line.id, each.counter.value, each.window.start_ms) for each in wanted]
        used = await self._store.health.used(keys)
        return tuple(
            Usage(budget=budget, used=used.get(key, 0)) for budget, key in zip(wanted, keys, strict=True)
        )

    def _signals(
        self,
        line: Line,
        record: HealthRecord | None,
        counted: _Counted,
        unanswered: int,
        usages: tuple[Usage, ...],
    ) -> Signals:
        bridge = self._directory.current.bridges_by_id.get(line.bridge_id)
        spent = _spent(usages)
        return Signals(
            is_active=line.is_active,
            is_bridge_enabled=bridge is not None and bridge.is_enabled,
            bridge_status=(record.bridge_status if record else None) or "online",
            bridge_reason=record.bridge_reason if record else None,
            spent_budget=None if spent is None else spent.subject,
            recent=counted.recent,
            week=counted.week,
            unanswered=unanswered,
        )

    # ---- keeping and telling

    async def _keep(self, line: Line, record: HealthRecord | None, report: HealthReport) -> None:
        after = report.standing
        shown = [
            {"code": each.code, "state": each.state, "message": each.message} for each in report.warnings
        ]
        kept = HealthRecord(
            line_id=line.id,
            state=after.state,
            reason=after.reason,
            since=after.since,
            warnings=msgspec.json.encode(shown).decode(),
            worse_since=after.worse_since,
            better_since=after.better_since,
            unanswered=report.unanswered,
            looked_at=report.looked_at,
            bridge_status=None,
            bridge_reason=None,
            bridge_at=None,
        )
        if not await self._store.health.looked(kept, was_since=None if record is None else record.since):
            log.info("line.looked_after_elsewhere", line_id=id_text(Prefix.LINE, line.id))
            return
        if await self._store.lines.tell_status(line.id, status_of(after.state), after.reason):
            self._wake_ups.configuration_changed()

    async def _tell(self, line: Line, before: Standing, report: HealthReport) -> None:
        after = report.standing
        mark = f"health:{line.id}:{before.state}:{before.since}:{after.state}".encode()
        event = EventRow(
            self._take_ids(1)[0],
            event_of(after.state),
            line.id,
            None,
            blake2b(mark, digest_size=16).digest(),
            after.since,
            None,
            line_health_data(
                line,
                self._directory.current.bridges_by_id.get(line.bridge_id),
                after,
                report.warnings,
                previous=before.state,
                today=report.today,
                week=report.week,
                unanswered=report.unanswered,
            ),
        )
        deliveries = await self._record(event)
        pending = [row.id for row in deliveries if row.state == DeliveryState.PENDING]
        if pending:
            self._wake_ups.deliveries_recorded(pending[0], pending[-1])
        log.warning(
            "line.changed", line_id=id_text(Prefix.LINE, line.id), state=after.state, reason=after.reason
        )

    async def _record(self, event: EventRow) -> list[DeliveryRow]:
        while True:
            directory = await self._directory.refresh()
            try:
                return await self._store.hot.write(
                    lambda tx: self._record_in(tx, directory, event)  # noqa: B023 - used within the turn
                )
            except StaleDirectory:
                continue

    async def _record_in(
        self, tx: HotTransaction, directory: Directory, event: EventRow
    ) -> list[DeliveryRow]:
        await require_current(tx, directory)
        now_ms = self._clock.now_ms()
        _, deliveries = await record_events(tx, directory, [event], take_ids=self._take_ids, now_ms=now_ms)
        return deliveries


def _spent(usages: tuple[Usage, ...]) -> Exhausted | None:
    used = {(each.budget.counter, each.budget.window.start_ms): each.used for each in usages}
    return first_exhausted((each.budget for each in usages), used)


def _sum_up(days: dict[int, DayRecord], zone: ZoneInfo, now_ms: int) -> _Counted:
    figures = [
        day.figures if (day := days.get(days_before(zone, now_ms, number).start_ms)) else Figures()
        for number in range(DAYS)
    ]
    return _Counted(today=figures[0], recent=figures[0] + figures[1], week=reduce(add, figures, Figures()))


def _warnings(record: HealthRecord | None) -> tuple[HealthWarning, ...]:
    if record is None:
        return ()
    found = msgspec.json.decode(record.warnings, type=list[dict[str, str]])
    return tuple(
        HealthWarning(code=each["code"], state=LineState(each["state"]), message=each["message"])
        for each in found
    )


def _standing(record: HealthRecord | None, line: Line) -> Standing:
    if record is None:
        return Standing(state=LineState.ACTIVE, reason=None, since=line.created_at)
    return Standing(
        state=LineState(record.state),
        reason=record.reason,
        since=record.since,
        warnings=frozenset(each.code for each in _warnings(record)),
        worse_since=record.worse_since,
        better_since=record.better_since,
    )
