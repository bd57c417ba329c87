"""What simulated contacts do can be taken in, and leads to the event that its name promises."""

from __future__ import annotations

import pytest

from bridge.sandbox import contacts
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
