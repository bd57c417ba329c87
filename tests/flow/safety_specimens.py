"""The events of consent and line health, for the golden files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hub.flow.safety_payloads import consent_data, line_health_data
from hub.model.consent import EVERY_LINE, ConsentAction, ConsentEntry, ConsentSource
from hub.model.ids import EPOCH_MS
from hub.model.line import Bridge, Line
from hub.rules.line_health import Figures, HealthWarning, LineState, Standing
from tests.support.sightings import AT, CONTACT, LINE_HANDLE

_ID = (AT - EPOCH_MS) << 21
BRIDGE = Bridge(
    id=_ID + 1,
    name="mac-mini",
    kind="push",
    secrets=(),
    cursor=None,
    is_enabled=True,
    created_at=0,
)
LINE = Line(
    id=_ID,
    bridge_id=_ID + 1,
    handle=LINE_HANDLE,
    label="Front desk",
    service="imessage",
    is_active=True,
    is_contact_first=True,
    pace_ms=1_000,
    status="online",
    status_reason=None,
    created_at=AT,
)
STOP = ConsentEntry(
    id=_ID + 2,
    scope_line_id=LINE.id,
    line_id=LINE.id,
    handle=CONTACT,
    action=ConsentAction.OPTED_OUT,
    source=ConsentSource.KEYWORD,
    said_at=AT,
    recorded_at=AT + 40,
    message_id=_ID + 3,
    keyword="stop",
)
ASKED = replace(
    STOP,
    scope_line_id=EVERY_LINE,
    line_id=None,
    action=ConsentAction.OPTED_IN,
    source=ConsentSource.API,
    message_id=None,
    keyword=None,
    reason="Signed the form at the desk",
)
UNANSWERED = HealthWarning(
    code="unanswered",
    state=LineState.FLAGGED,
    message="6 messages in a row to one contact without an answer.",
)
OFFLINE = HealthWarning(
    code="bridge_offline", state=LineState.OFFLINE, message="The bridge says that the line is offline."
)


def _health(state: LineState, *warnings: HealthWarning) -> Callable[[], str]:
    standing = Standing(state=state, reason=warnings[0].code if warnings else None, since=AT)
    return lambda: line_health_data(
        LINE,
        BRIDGE,
        standing,
        warnings,
        previous=LineState.LIMITED if warnings else LineState.OFFLINE,
        today=Figures(sent=9, failed=1, received=2, new_conversations=3),
        week=Figures(sent=60, received=20),
        unanswered=6,
    )


SAFETY_RENDERED: dict[str, Callable[[], str]] = {
    "contact.help_requested": lambda: consent_data(
        replace(STOP, action=ConsentAction.HELP, keyword="help"), line=LINE, chat_id=_ID + 4
    ),
    "contact.opted_in": lambda: consent_data(ASKED, line=None, chat_id=None),
    "contact.opted_out": lambda: consent_data(STOP, line=LINE, chat_id=_ID + 4),
    "line.degraded": _health(LineState.FLAGGED, UNANSWERED),
    "line.offline": _health(LineState.OFFLINE, OFFLINE, UNANSWERED),
    "line.online": _health(LineState.ACTIVE),
}
