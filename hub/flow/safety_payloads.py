"""Render the events of consent and of line health (see hub.flow.payloads)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.flow.event_shapes import ConsentData, HealthWarningData, LineHealthData
from hub.model.consent import EVERY_LINE, ConsentAction, ConsentEntry
from hub.model.ids import Prefix, id_text
from hub.model.line import Bridge, Line
from hub.rules.line_health import Figures, HealthWarning, LineState, Standing

_encode = msgspec.json.Encoder().encode


def consent_data(entry: ConsentEntry, *, line: Line | None, chat_id: int | None) -> str:
    """Render what somebody said about consent."""
    return _encode(
        ConsentData(
            id=id_text(Prefix.CONSENT, entry.id),
            handle=entry.handle,
            line_id=None if entry.line_id is None else id_text(Prefix.LINE, entry.line_id),
            line_handle=None if line is None else line.handle,
            chat_id=id_text(Prefix.CHAT, chat_id) if chat_id else None,
            scope="hub" if entry.scope_line_id == EVERY_LINE else "line",
            state=None if entry.action is ConsentAction.HELP else entry.action.value,
            source=entry.source.value,
            keyword=entry.keyword,
            message_id=None if entry.message_id is None else id_text(Prefix.MESSAGE, entry.message_id),
            reason=entry.reason,
            said_at=entry.said_at,
            recorded_at=entry.recorded_at,
        )
    ).decode()


def line_health_data(
    line: Line,
    bridge: Bridge | None,
    standing: Standing,
    warnings: Sequence[HealthWarning],
    *,
    previous: LineState,
    today: Figures,
    week: Figures,
    unanswered: int,
) -> str:
    """Render how a line fares from now on."""
    return _encode(
        LineHealthData(
            line_id=id_text(Prefix.LINE, line.id),
            line_handle=line.handle,
            label=line.label,
            bridge_id=id_text(Prefix.BRIDGE, line.bridge_id),
            bridge_name=None if bridge is None else bridge.name,
            state=standing.state.value,
            previous_state=previous.value,
            reason=standing.reason,
            since=standing.since,
            warnings=tuple(
                HealthWarningData(code=each.code, state=each.state.value, message=each.message)
                for each in warnings
            ),
            sent_today=today.sent,
            failed_today=today.failed,
            received_today=today.received,
            new_conversations_today=today.new_conversations,
            sent_week=week.sent,
            received_week=week.received,
            unanswered_most=unanswered,
            occurred_at=standing.since,
        )
    ).decode()
