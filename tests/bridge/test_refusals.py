"""Under which code each bridge has kept what it cannot read: new things stand out, and known ones are only counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from bridge.registry import KINDS
from bridge.unread import unknown, unused, worst_of
from hub.model.refused import Form, RefusalCode, Refused
from tests.bridge.goldens.accounts import ACCOUNTS
from tests.bridge.goldens.playing import surroundings
from tests.bridge.goldens.wire import ScriptedWire
from tests.support.manual_time import ManualClock

_META = {"metadata": {"phone_number_id": "1"}}


def meta(field: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"object": "whatsapp_business_account", "entry": [{"changes": [{"field": field, "value": value}]}]}


CASES: dict[str, tuple[str, Any, RefusalCode]] = {
    "android: a newer event": (
        "smsgate",
        {"event": "sms:scheduled", "payload": {}},
        RefusalCode.UNKNOWN_TYPE,
    ),
    "android: a ping": ("smsgate", {"event": "system:ping", "payload": {}}, RefusalCode.UNUSED),
    "android: data": ("smsgate", {"event": "sms:data-received", "payload": {}}, RefusalCode.UNUSED),
    "android: nobody": ("smsgate", {"event": "sms:received", "payload": {}}, RefusalCode.INCOMPLETE),
    "android: no object": ("smsgate", [], RefusalCode.UNREADABLE),
    "blooio: a newer event": ("blooio", {"event": "message.sung"}, RefusalCode.UNKNOWN_TYPE),
    "blooio: typing": ("blooio", {"event": "typing.started"}, RefusalCode.UNUSED),
    "blooio: no message": ("blooio", {"event": "message.sent"}, RefusalCode.INCOMPLETE),
    "coop: a newer event": ("coop", {"event": "message.sung"}, RefusalCode.UNKNOWN_TYPE),
    "msgbubbles: no object": ("msgbubbles", "x", RefusalCode.UNREADABLE),
    "twilio: another account": (
        "twilio",
        {"AccountSid": "AC" + "f" * 32, "MessageSid": "SM1"},
        RefusalCode.OTHER_LINE,
    ),
    "twilio: a newer status": (
        "twilio",
        {"MessageSid": "SM1", "From": "+1", "To": "+2", "MessageStatus": "sung"},
        RefusalCode.UNKNOWN_TYPE,
    ),
    "whatsapp: a known field": ("whatsapp", meta("account_alerts", {}), RefusalCode.UNUSED),
    "whatsapp: a newer field": ("whatsapp", meta("message_songs", {}), RefusalCode.UNKNOWN_TYPE),
    "whatsapp: another number": (
        "whatsapp",
        meta("messages", {"metadata": {"phone_number_id": "9"}, "messages": [{"id": "w"}]}),
        RefusalCode.OTHER_LINE,
    ),
}


@pytest.mark.parametrize(("kind", "told", "code"), CASES.values(), ids=CASES.keys())
async def test_what_cannot_be_read_has_its_code(kind: str, told: Any, code: RefusalCode) -> None:
    clock, account, make = ManualClock(), ACCOUNTS[kind], KINDS[kind].open_hooks
    assert make is not None
    body = urlencode(told).encode() if kind == "twilio" else json.dumps(told).encode()
    given = msgspec.convert(dict(account.settings), KINDS[kind].settings)
    hooks = make(given, surroundings(clock, ScriptedWire()))
    request = account.request(body, clock.now_ms())
    replies = [
        await hooks.receive(request),
        await hooks.read(replace(request, headers={"content-type": account.content_type})),
    ]

    assert [each.refusal for each in replies] == [code, code]
    assert replies[0].reason


@pytest.mark.parametrize(
    ("event", "data", "code"),
    [
        ("message-sung", {"a": 1}, RefusalCode.UNKNOWN_TYPE),
        ("server-update", {}, RefusalCode.UNUSED),
        ("updated-message", {}, RefusalCode.INCOMPLETE),
    ],
)
async def test_bluebubbles_keeps_events_as_its_webhook_has_them(
    event: str, data: Any, code: RefusalCode
) -> None:
    """So they can be read again, whether they came by socket, by webhook or from the history."""
    noted: list[Refused] = []
    around = replace(surroundings(ManualClock(), ScriptedWire()), refuse=noted.append)
    account, make = ACCOUNTS["bluebubbles"], KINDS["bluebubbles"].open_hooks
    assert make is not None
    hooks = make(msgspec.convert(dict(account.settings), KINDS["bluebubbles"].settings), around)
    body = json.dumps({"type": event, "data": data}).encode()
    await hooks.receive(account.request(body, 0))

    (refused,) = noted
    assert refused.code is code
    if code is not RefusalCode.UNUSED:
        assert (refused.form, refused.event) == (Form.REQUEST, event)
        assert json.loads(refused.raw) == json.loads(body)


def test_of_several_reasons_one_for_which_it_is_kept_counts() -> None:
    assert worst_of([unused("a"), unknown("b"), "c"]) is RefusalCode.UNKNOWN_TYPE
    assert worst_of([unused("a"), "c"]) is RefusalCode.INCOMPLETE
    assert worst_of([unused("a")]) is RefusalCode.UNUSED
    assert worst_of([]) is None
