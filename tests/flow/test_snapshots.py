"""Which rows an observation leaves, and that their merge does not care for order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.rows import ChatRow, Known, SnapshotRow
from hub.flow.snapshots import chat_row, fold_chats, message_row, reaction_row, target_row
from hub.model.line import Line
from hub.model.observation import Observation, ObservedChat, ObservedError, ObservedReaction, Part
from hub.model.outbox import attempt_id
from tests.support.histories import distort, histories
from tests.support.row_merge import merged
from tests.support.sightings import AT, CONTACT, DIRECT, GROUP, LINE_HANDLE, OTHER, a_message, seen

LINE = Line(
    id=7,
    bridge_id=1,
    handle=LINE_HANDLE,
    label=None,
    service="imessage",
    is_active=True,
    is_contact_first=True,
    pace_ms=0,
    status="online",
    status_reason=None,
    created_at=0,
)
NOW = AT + 10


def message_of(observation: Observation) -> SnapshotRow:
    row = message_row(observation, message_id=1, line=LINE, chat_id=2, now_ms=NOW)
    assert row is not None
    return row


def chat_of(observation: Observation, chat_id: int = 1) -> ChatRow:
    return chat_row(observation, chat_id=chat_id, line_id=LINE.id, now_ms=NOW)


def differences(row: SnapshotRow | ChatRow, **expected: Any) -> dict[str, tuple[Any, Any]]:
    actual = row._asdict()
    return {name: (value, actual[name]) for name, value in expected.items() if actual[name] != value}


MESSAGES: dict[str, tuple[Observation, dict[str, Any]]] = {
    "received": (
        seen("message.received", message=a_message(sent_at=AT - 5, is_from_me=False, service="iMessage")),
        {
            "guid": "GUID",
            "is_known": Known.SEEN,
            "sender": CONTACT,
            "text": "hello",
            "parts": None,
            "service": "imessage",
            "is_from_me": 0,
            "sent_at": AT - 5,
            "synced_at": NOW,
            "chat_id": 2,
        },
    ),
    "sent by our outbox": (
        seen(
            "message.sent",
            message=a_message(attempt_id=attempt_id(99), reply_to="P", effect="slam", subject="News"),
        ),
        {
            "is_known": Known.SEEN,
            "sender": None,
            "is_from_me": 1,
            "outbox_id": 99,
            "sent_at": AT,
            "reply_to_guid": "P",
            "effect": "slam",
            "subject": "News",
        },
    ),
    "received without words": (
        seen("message.received", message=a_message(text=None)),
        {"is_known": Known.SEEN, "text": None, "parts": None},
    ),
    "only a receipt": (
        seen("status.delivered", actor=CONTACT, target="GUID", chat=None),
        {
            "is_known": Known.UNSEEN,
            "is_from_me": 1,
            "sender": None,
            "delivered_at": AT,
            "sent_at": None,
            "text": None,
        },
    ),
    "a receipt with the whole message": (
        seen("status.read", actor=CONTACT, message=a_message(is_from_me=True, read_at=AT - 1)),
        {"is_known": Known.SEEN, "sender": None, "read_at": AT - 1, "text": "hello"},
    ),
    "we read theirs in a group": (
        seen("status.read", chat=GROUP, message=a_message(is_from_me=False, read_at=AT)),
        {"is_known": Known.UNSEEN, "sender": None, "read_at": AT},
    ),
    "an update that does not say whose": (
        seen("message.observed", message=a_message()),
        {"is_known": Known.UNSEEN},
    ),
    "failed": (
        seen("status.failed", target="GUID", error=ObservedError(code="4", raw="timeout")),
        {"failed_at": AT, "error": '{"code":"4","raw":"timeout"}'},
    ),
    "not failed": (seen("status.read", target="GUID"), {"failed_at": None, "error": None}),
    "downgraded": (
        seen("status.downgraded", target="GUID", chat=ObservedChat(key=DIRECT.key)),
        {"service": "sms"},
    ),
    "edited": (
        seen("message.edited", actor=CONTACT, message=a_message(text="better")),
        {"is_known": Known.SEEN, "edited_at": AT, "text": "better", "sent_at": AT},
    ),
    "unsent": (
        seen("message.unsent", actor=CONTACT, message=a_message(text=None)),
        {"is_known": Known.UNSEEN, "unsent_at": AT},
    ),
    "unsent in part, seen in a poll": (
        seen("message.observed", message=a_message(unsent_parts=(0,))),
        {"unsent_at": AT},
    ),
    "voice": (
        seen("message.received", message=a_message(parts=(Part(type="audio", ref="R"),))),
        {"is_audio_message": 1, "text": None, "parts": '[{"type":"audio","ref":"R"}]'},
    ),
}


@pytest.mark.parametrize("case", MESSAGES)
def test_message_row(case: str) -> None:
    observation, expected = MESSAGES[case]

    assert differences(message_of(observation), **expected) == {}


def test_nothing_about_a_message_leaves_no_row() -> None:
    observation = seen("chat.renamed", chat=GROUP, value="Trip")

    assert message_row(observation, message_id=1, line=LINE, chat_id=2, now_ms=NOW) is None
    assert target_row(observation, message_id=1, line=LINE, chat_id=2, now_ms=NOW) is None
    assert reaction_row(observation, reaction_id=1, line=LINE, now_ms=NOW) is None


def test_reaction_row_and_its_target() -> None:
    reaction = ObservedReaction(type="emoji", emoji="🎉", provider_id="R")
    observation = seen("reaction.removed", actor="+1 555 010 0001", target="GUID", reaction=reaction)

    row = reaction_row(observation, reaction_id=3, line=LINE, now_ms=NOW)
    target = target_row(observation, message_id=4, line=LINE, chat_id=2, now_ms=NOW)

    assert row == (3, LINE.id, "GUID", CONTACT, "", "🎉", 0, 0, AT, NOW)
    assert target is not None
    assert (target.guid, target.is_known, target.chat_id) == ("GUID", 0, 2)


def test_our_own_reaction_is_the_lines() -> None:
    observation = seen("reaction.added", target="GUID", reaction=ObservedReaction(type="love"))

    row = reaction_row(observation, reaction_id=3, line=LINE, now_ms=NOW)

    assert row is not None
    assert (row.sender, row.is_from_me, row.is_added) == (LINE_HANDLE, 1, 1)


@pytest.mark.parametrize(
    ("capabilities", "slot"),
    [(None, "2"), (frozenset({"react_emoji"}), "2"), (frozenset({"react_many"}), "2:🎉")],
)
def test_a_person_holds_as_many_reactions_as_the_network_lets_them(
    capabilities: frozenset[str] | None, slot: str
) -> None:
    """Of a network that says nothing, one on each part."""
    reaction = ObservedReaction(type="emoji", emoji="🎉", part=2)
    observation = seen("reaction.added", target="GUID", reaction=reaction)
    row = reaction_row(observation, reaction_id=3, line=replace(LINE, capabilities=capabilities), now_ms=NOW)

    assert row is not None
    assert row.slot == slot


CHATS: dict[str, tuple[Observation, dict[str, Any]]] = {
    "direct, inbound": (
        seen("message.received", chat=ObservedChat(key="SMS;-;+1 555 010 0001", service="SMS"),
             message=a_message(sent_at=AT - 5)),
        {
            "chat_key": DIRECT.key,
            "identifier": CONTACT,
            "service": "sms",
            "is_group": 0,
            "participants": f'["{CONTACT}"]',
            "has_inbound": 1,
            "last_message_at": AT - 5,
        },
    ),
    "direct, outbound": (seen("message.sent", message=a_message()), {"has_inbound": 0, "last_message_at": AT}),
    "direct, a receipt": (seen("status.read", target="G"), {"has_inbound": 0, "last_message_at": None}),
    "inbound, seen late": (
        seen("message.observed", message=a_message(is_from_me=False, sent_at=AT - 9)),
        {"has_inbound": 1, "last_message_at": AT - 9},
    ),
    "group": (
        seen("chat.left", chat=GROUP, value=OTHER),
        {
            "chat_key": "chat42",
            "identifier": "chat42",
            "name": "Trip",
            "is_group": 1,
            "participants": f'["{CONTACT}","{OTHER}"]',
        },
    ),
    "group by its guid": (
        seen("chat.icon", chat=ObservedChat(key="any;+;chat42", provider_id="any;+;chat42", is_group=True)),
        {"chat_key": "chat42", "identifier": "any;+;chat42", "participants": "[]", "service": ""},
    ),
    "renamed": (seen("chat.renamed", chat=GROUP, value="Holiday"), {"name": "Holiday"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CHATS)
def test_chat_row(case: str) -> None:
    observation, expected = CHATS[case]

    assert differences(chat_of(observation), **expected) == {}


def test_chat_row_needs_a_chat() -> None:
    with pytest.raises(ValueError, match="without a chat"):
        chat_of(seen("line.status", chat=None, value="online"))


def test_rows_of_one_chat_fold_into_one_and_what_is_not_said_stays() -> None:
    bare = ObservedChat(key="chat42", is_group=True)
    rows = fold_chats(
        [
            chat_of(seen("message.received", chat=GROUP, actor=CONTACT, message=a_message()), 1),
            chat_of(seen("message.received", message=a_message()), 2),
            chat_of(seen("status.read", chat=bare, target="G", at=AT + 5), 3),
            chat_of(seen("chat.renamed", chat=bare, value="Holiday"), 4),
        ]
    )

    assert [row.id for row in rows] == [1, 2]
    assert differences(
        rows[0],
        name="Holiday",
        service="imessage",
        has_inbound=1,
        last_message_at=AT,
        participants=f'["{CONTACT}","{OTHER}"]',
    ) == {}  # fmt: skip


def state_after(observations: Iterable[Observation]) -> dict[str, SnapshotRow]:
    rows = []
    for each in observations:
        chat_id = 2 if each.chat is not None else 0
        make = target_row if each.reaction is not None else message_row
        row = make(each, message_id=1, line=LINE, chat_id=chat_id, now_ms=NOW)
        if row is not None:
            rows.append(row)
    return merged(rows)


@pytest.mark.slow
@given(st.data())
def test_state_does_not_depend_on_order_or_repetition(data: st.DataObject) -> None:
    told = data.draw(distort(data.draw(histories())))
    again = data.draw(st.permutations([*told, *told]))

    assert state_after(again) == state_after(told)


@pytest.mark.slow
@given(st.data())
def test_partial_and_late_snapshots_leave_the_state_of_the_whole_ones(data: st.DataObject) -> None:
    shown = data.draw(histories())
    told = data.draw(distort(shown))

    assert state_after(told) == state_after(shown)


@pytest.mark.slow
@given(histories())
def test_last_words_win(shown: list[Observation]) -> None:
    last = {
        each.message.provider_id: each.message.parts[0].text for each in shown if each.message is not None
    }

    assert {guid: row.text for guid, row in state_after(shown).items()} == last


def test_parts_are_read_back_as_they_were() -> None:
    parts = (Part(type="text", text='say "hi"\n👩‍👩‍👧'), Part(type="attachment", filename="a.png", size=3))

    row = message_of(seen("message.received", message=a_message(parts=parts)))

    assert row.parts is not None
    assert msgspec.json.decode(row.parts, type=tuple[Part, ...]) == parts
