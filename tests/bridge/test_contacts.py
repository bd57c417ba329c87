"""What simulated contacts do can be taken in, and leads to the event that its name promises."""

from __future__ import annotations

import pytest

from bridge.sandbox import contacts
from bridge.sandbox.memory import read_chat
from hub.model.observation import Observation, Part
from hub.rules.facts import facts_of
from hub.rules.refusals import validate

LINE, CONTACT, AT = "+15550100000", "+1 555 010 0001", 1_800_000_000_000
DIRECT = contacts.direct(LINE, CONTACT)
GROUP = contacts.group(LINE, CONTACT, key="chat42", participants=("+15550100002",), name="Trip")

DEEDS: dict[str, tuple[Observation, list[str]]] = {
    "say": (contacts.say(DIRECT, "hello", guid="G", at=AT), ["message.received"]),
    "say in a group": (contacts.say(GROUP, "hello", guid="G", at=AT), ["message.received"]),
    "file": (
        contacts.send_file(
            DIRECT, Part(type="attachment", filename="a.png", mime_type="image/png"), guid="G", at=AT
        ),
        ["message.received"],
    ),
    "speak": (contacts.speak(DIRECT, guid="G", at=AT, transcription="hi"), ["message.received"]),
    "react": (contacts.react(DIRECT, "T", "love", guid="G", at=AT), ["reaction.added"]),
    "react with an emoji": (contacts.react(GROUP, "T", "🎉", guid="G", at=AT), ["reaction.added"]),
    "take a reaction back": (
        contacts.react(DIRECT, "T", "love", guid="G", at=AT, is_removed=True),
        ["reaction.removed"],
    ),
    "type": (contacts.typing(DIRECT, at=AT), []),
    "stop typing": (contacts.typing(DIRECT, at=AT, is_typing=False), []),
    "read": (contacts.read(DIRECT, "T", at=AT), ["message.read"]),
    "edit": (contacts.edit(DIRECT, "T", "better", at=AT), ["message.edited"]),
    "unsend": (contacts.unsend(DIRECT, "T", at=AT), ["message.unsent"]),
    "rename": (contacts.rename_group(GROUP, "Holiday", at=AT), ["chat.renamed"]),
    "add": (contacts.add_member(GROUP, "+15550100003", at=AT), ["chat.member_added"]),
    "remove": (contacts.remove_member(GROUP, "+15550100002", at=AT), ["chat.member_removed"]),
    "leave": (contacts.leave_group(GROUP, at=AT), ["chat.left"]),
    "icon": (contacts.change_icon(GROUP, at=AT), ["chat.icon_changed"]),
    "take the icon away": (contacts.change_icon(GROUP, at=AT, is_removed=True), ["chat.icon_changed"]),
    "ask": (contacts.ask(GROUP, "Lunch?", ("Soup", "Salad"), guid="P", at=AT), ["poll.created"]),
    "vote": (contacts.vote(GROUP, "P", ("opt-1",), at=AT), ["poll.voted"]),
    "take a vote back": (contacts.vote(GROUP, "P", (), at=AT), ["poll.voted"]),
    "line": (contacts.line_status(LINE, "offline", at=AT, reason="asleep"), ["line.status_changed"]),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_deed_leads_to_its_events(deed: str) -> None:
    observation, types = DEEDS[deed]

    assert validate(observation, now_ms=AT) is None
    assert [fact.type for fact in facts_of(observation, 1)] == types


def test_group_begins_with_its_members_and_its_name() -> None:
    seen = contacts.start_group(GROUP, at=AT)

    assert [(each.kind, each.value) for each in seen] == [
        ("chat.member_added", "+15550100001"),
        ("chat.member_added", "+15550100002"),
        ("chat.renamed", "Trip"),
    ]


def test_nameless_group_begins_with_its_members() -> None:
    scene = contacts.group(LINE, CONTACT, key="chat43")

    assert [each.kind for each in contacts.start_group(scene, at=AT)] == ["chat.member_added"]


def test_the_network_remembers_what_contacts_do_in_a_group() -> None:
    acts = (
        *contacts.start_group(GROUP, at=AT),
        contacts.rename_group(GROUP, "Holiday", at=AT),
        contacts.add_member(GROUP, "+15550100003", at=AT),
        contacts.remove_member(GROUP, "+15550100002", at=AT),
    )
    chat = read_chat(contacts.remembered(None, acts))

    assert chat is not None
    assert (chat.name, chat.members, chat.is_left) == ("Holiday", ("+15550100001", "+15550100003"), False)


def test_a_line_that_is_put_out_and_let_in_again_is_a_member() -> None:
    out = contacts.remembered(None, (contacts.remove_member(GROUP, LINE, at=AT),))
    back = contacts.remembered(out, (contacts.add_member(GROUP, LINE, at=AT),))

    assert [chat is not None and chat.is_left for chat in map(read_chat, (out, back))] == [True, False]


def test_the_network_remembers_nothing_of_a_direct_chat() -> None:
    assert contacts.remembered(None, (contacts.say(DIRECT, "hello", guid="G", at=AT),)) is None
