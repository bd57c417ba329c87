"""/v1/lines/{id}/health: how a line fares, and what it may still do today."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from hub.api.calls import AnyEndpoint, Call, Endpoint, NoBody, NoQuery, Reply, not_found, path_id
from hub.flow.line_health import HealthReport, Usage
from hub.model.ids import Prefix, id_text
from hub.model.line import Line
from hub.rules.budget import Counter
from hub.rules.line_health import Figures

State = Literal["active", "limited", "flagged", "offline"]


class Warned(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not well."""

    code: str
    #: How bad it is.
    state: State
    message: str


class FigureReply(msgspec.Struct, frozen=True, kw_only=True):
    """What a line did."""

    sent: int
    delivered: int
    failed: int
    received: int
    #: Conversations that the line opened.
    new_conversations: int
    #: Sent over an hour ago, and nothing is known of them since.
    undelivered: int
    #: The share of what was sent that arrived; null when nothing was sent, or the network does not tell.
    delivered_rate: float | None
    #: Sent to one received.
    sent_received_ratio: float


class UsageReply(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a budget is used."""

    of: Literal["new_conversations", "messages"]
    period: Literal["hour", "day"]
    limit: int
    used: int
    remaining: int
    resets_at: int


class BridgeWord(msgspec.Struct, frozen=True, kw_only=True):
    """What the line's bridge last said of it."""

    status: str
    reason: str | None


class HealthReply(msgspec.Struct, frozen=True, kw_only=True):
    """How a line fares."""

    line_id: str
    line_handle: str
    state: State
    #: The code of the worst warning; null while active.
    reason: str | None
    since: int
    #: Everything that is not well, the worst first, as of the last look.
    warnings: list[Warned]
    #: By the line's clock.
    today: FigureReply
    #: Today and the six days before.
    week: FigureReply
    #: The most messages in a row to one contact without an answer.
    unanswered_most: int
    #: The budgets that are set, as they are now.
    budgets: list[UsageReply]
    #: Until when quiet hours hold back everything; null while they do not.
    quiet_until: int | None
    bridge: BridgeWord
    #: When a worker last looked and counted; null before the first time.
    looked_at: int | None
    request_id: str


async def _get(call: Call[NoQuery, NoBody]) -> Reply:
    line = await call.uses.lines.get(path_id(call, Prefix.LINE, "line"))
    if line is None:
        raise not_found("line")
    call.uses.lines.require(call.key, line.id)
    return Reply(content=_reply(call, line, await call.uses.line_health.report(line)))


def _reply(call: Call[Any, Any], line: Line, report: HealthReport) -> HealthReply:
    standing = report.standing
    return HealthReply(
        line_id=id_text(Prefix.LINE, line.id),
        line_handle=line.handle,
        state=msgspec.convert(standing.state.value, State),
        reason=standing.reason,
        since=standing.since,
        warnings=[
            Warned(code=each.code, state=msgspec.convert(each.state.value, State), message=each.message)
            for each in report.warnings
        ],
        today=_figures(report.today, is_telling=report.week.delivered > 0),
        week=_figures(report.week, is_telling=report.week.delivered > 0),
        unanswered_most=report.unanswered,
        budgets=[_usage(each) for each in report.usages],
        quiet_until=report.quiet_until,
        bridge=BridgeWord(status=report.bridge_status, reason=report.bridge_reason),
        looked_at=report.looked_at,
        request_id=call.request_id,
    )


def _figures(figures: Figures, *, is_telling: bool) -> FigureReply:
    rate = figures.delivered_rate if is_telling else None
    return FigureReply(
        sent=figures.sent,
        delivered=figures.delivered,
        failed=figures.failed,
        received=figures.received,
        new_conversations=figures.new_conversations,
        undelivered=figures.undelivered,
        delivered_rate=None if rate is None else round(rate, 3),
        sent_received_ratio=round(figures.ratio, 2),
    )


def _usage(usage: Usage) -> UsageReply:
    budget = usage.budget
    return UsageReply(
        of="messages" if budget.counter is Counter.MESSAGES_BY_DAY else "new_conversations",
        period="hour" if budget.counter is Counter.NEW_BY_HOUR else "day",
        limit=budget.limit,
        used=usage.used,
        remaining=max(0, budget.limit - usage.used),
        resets_at=budget.window.end_ms,
    )


ENDPOINTS: tuple[AnyEndpoint, ...] = (
    Endpoint(
        method="GET",
        path="/v1/lines/{id}/health",
        name="get_line_health",
        summary="Tell how a line fares: its state and why, figures, warnings and budgets.",
        tag="lines",
        scope="lines:read",
        query=NoQuery,
        body=NoBody,
        reply=HealthReply,
        errors=("line_not_found", "line_not_accessible"),
        handle=_get,
    ),
)
