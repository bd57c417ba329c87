"""Under which code each bridge has kept what it cannot read: new things stand out, and known ones are only counted."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from bridge.registry import KINDS
from bridge.smsgate.ids import message_id
from bridge.unread import unknown, unused, worst_of
from hub.flow.refused import RefusedBook
from hub.model.outbox import Operation, OperationKind, attempt_id
from hub.model.refused import Form, Origin, RefusalCode, Refused, RefusedPayload
from tests.bridge.goldens.accounts import ACCOUNTS, ASKED
from tests.bridge.goldens.playing import surroundings
from tests.bridge.goldens.wire import ScriptedWire
from tests.bridge.networks import CONTACT, LINE
from tests.support.manual_time import EndOfTime, ManualClock

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


_AT, _SINCE = "2027-01-15T07:59:58Z", 1_799_999_999_000
_CHAT = {"id": "c1", "identifier": CONTACT, "last_message_time": _SINCE, "last_message_at": _SINCE}
#: What an account lists → the codes under which it is kept; whatever else stands in the list is told.
LISTS: dict[str, tuple[str, list[Any], list[RefusalCode]]] = {
    "ava: no phone": ("ava", [{"messages": [{"id": "1", "timestamp": _AT}]}], [RefusalCode.INCOMPLETE]),
    "ava: two without ids": (
        "ava",
        [{"messages": [{"timestamp": _AT}, {"phone": CONTACT}]}],
        [RefusalCode.INCOMPLETE] * 2,
    ),
    "ava: no list": ("ava", [{"messages": "none"}], [RefusalCode.UNREADABLE]),
    "blooio: a chat without an id, one without a time, and an empty one": (
        "blooio",
        [{"chats": [{**_CHAT, "id": None}, {**_CHAT, "last_message_time": "soon"}, {"id": "empty"}]}],
        [RefusalCode.INCOMPLETE] * 2,
    ),
    "blooio: no time": (
        "blooio",
        [{"chats": [_CHAT]}, {"messages": [{"message_id": "m", "text": "\ud83d"}]}],
        [RefusalCode.INCOMPLETE],
    ),
    "blooio: a reaction that is none": (
        "blooio",
        [
            {"chats": [_CHAT]},
            {"messages": [{"message_id": "m", "time_sent": _SINCE, "sender": CONTACT, "reactions": [{}]}]},
        ],
        [RefusalCode.INCOMPLETE],
    ),
    "coop: a number, and no time": (
        "coop",
        [{"data": [{"id": "m", "from": CONTACT}, 7]}],
        [RefusalCode.UNREADABLE, RefusalCode.INCOMPLETE],
    ),
    "coop: a conversation without an id, and files without an address": (
        "coop",
        [
            {"data": [{"id": "m", "conversationId": "c", "from": CONTACT, "createdAt": _AT}]},
            {"data": [{"title": "Trip"}]},
            {"data": [{"url": "https://files.example/1"}, {"filename": "cat.png"}, 7]},
        ],
        [RefusalCode.INCOMPLETE] * 3,
    ),
    "messages.dev: a chat without an id": (
        "messages-dev",
        [{"data": [{**_CHAT, "id": [1]}]}],
        [RefusalCode.INCOMPLETE],
    ),
    "messages.dev: nobody, long ago, and not out": (
        "messages-dev",
        [
            {"data": [_CHAT]},
            {
                "data": [
                    {"guid": "a", "sent_at": _SINCE},
                    {"guid": "b", "sent_at": 1},
                    {"guid": "c", "is_from_me": True, "status": "queued"},
                ]
            },
        ],
        [RefusalCode.INCOMPLETE],
    ),
    "msgbubbles: no time": (
        "msgbubbles",
        [{"data": [{"id": "m", "direction": "inbound"}]}],
        [RefusalCode.INCOMPLETE],
    ),
    "smsgate: a number, no id, a newer state, and a message of another program": (
        "smsgate",
        [
            [
                7,
                {"state": "Sent"},
                {"id": message_id(attempt_id(1)), "state": "Sung", "recipients": [{"phoneNumber": CONTACT}]},
                {"id": "m", "state": "Sent", "recipients": [{"phoneNumber": CONTACT}]},
            ]
        ],
        [RefusalCode.UNREADABLE, RefusalCode.INCOMPLETE, RefusalCode.UNKNOWN_TYPE],
    ),
    "twilio: a newer status": (
        "twilio",
        [{"messages": [{"sid": "SM1", "from": LINE, "to": CONTACT, "date_sent": _AT, "status": "sung"}]}],
        [RefusalCode.UNKNOWN_TYPE],
    ),
    "twilio: no id, no sides, and none yet": (
        "twilio",
        [{"messages": [{"status": "sent"}, {"sid": "SM1"}, {"sid": "SM2", "status": "accepted"}]}],
        [RefusalCode.INCOMPLETE] * 2,
    ),
    "twilio: another number": ("twilio", [{"messages": [{"sid": "SM1", "from": CONTACT}]}], []),
}


class Kept:
    """Where the book writes: rows by digest, as the store has them."""

    def __init__(self) -> None:
        self.rows: list[RefusedPayload] = []

    async def __call__(self, rows: Sequence[RefusedPayload]) -> None:
        self.rows += rows


@pytest.mark.parametrize(("kind", "shown", "codes"), LISTS.values(), ids=LISTS.keys())
async def test_what_a_list_shows_and_nobody_reads_is_one_row_for_each(
    kind: str, shown: list[Any], codes: list[RefusalCode]
) -> None:
    """However often it is listed, and whatever its vendor changes about it meanwhile."""
    clock, kept = ManualClock(), Kept()
    book = RefusedBook(keep=kept, clock=clock, new_id=iter(range(1, 99)).__next__)
    settings = ACCOUNTS[kind].settings if kind in ACCOUNTS else ASKED[kind]
    for word in ("one", "two"):
        wire = ScriptedWire(
            [{"text": json.dumps(each).replace('"m"', f'"m", "was": "{word}"')} for each in shown]
        )
        around = replace(surroundings(clock, wire), refuse=partial(book.note, 1), hook_url=None)
        adapter = KINDS[kind].open(msgspec.convert(dict(settings), KINDS[kind].settings), around)
        with contextlib.suppress(EndOfTime):
            async for _ in adapter.events(str(_SINCE) if kind != "twilio" else _AT):
                pass
    await book.aclose()

    assert [row.refused.code for row in kept.rows] == codes
    assert [row.count for row in kept.rows] == [2] * len(codes)
    assert {(row.refused.origin, row.refused.form) for row in kept.rows} <= {(Origin.FEED, Form.OTHER)}
    assert all(row.refused.raw for row in kept.rows)


#: What is listed where a send is looked for: one that cannot be compared, one that is none, and one of the contact's.
SEARCHED: dict[str, list[Any]] = {
    "ava": [
        {"total": 3},
        {"messages": [{"id": "m", "direction": "outbound"}, "x", {"direction": "inbound"}]},
    ],
    "blooio": [{"messages": [{"message_id": "m", "direction": "outbound"}, "x", {"direction": "inbound"}]}],
    "coop": [{"data": [{"id": "m", "direction": "sent"}, "x", {"direction": "received"}]}],
    "messages-dev": [{"data": [{"guid": "m", "is_from_me": True}, "x", {"is_from_me": False}]}],
    "msgbubbles": [
        {
            "data": [
                {"id": "m", "direction": "outbound", "conversation_id": "c"},
                "x",
                {"direction": "inbound"},
            ]
        },
        {"data": {"id": "c", "from_handle": LINE, "remote_handle": CONTACT}},
    ],
    "twilio": [{"messages": [{"sid": "SM1", "body": "hi"}, "x"]}],
}


@pytest.mark.parametrize(("kind", "shown"), SEARCHED.items(), ids=SEARCHED.keys())
async def test_what_is_listed_and_nobody_can_compare_is_kept_when_a_send_is_looked_for(
    kind: str, shown: list[Any]
) -> None:
    clock, noted = ManualClock(), list[Refused]()
    wire = ScriptedWire([{"json": each} for each in shown])
    around = replace(surroundings(clock, wire), refuse=noted.append)
    settings = ACCOUNTS[kind].settings if kind in ACCOUNTS else ASKED[kind]
    operation = Operation(
        outbox_id=1,
        line_handle=LINE,
        kind=OperationKind.SEND,
        payload={"from": LINE, "to": CONTACT, "text": "hi"},
        dispatched_at=clock.now_ms(),
    )
    adapter = KINDS[kind].open(msgspec.convert(dict(settings), KINDS[kind].settings), around)
    outcome = await adapter.lookup(operation)

    assert outcome.code == "not_found"
    assert [(each.code, each.origin) for each in noted] == [
        (RefusalCode.UNREADABLE, Origin.BACKFILL),
        (RefusalCode.INCOMPLETE, Origin.BACKFILL),
    ]
