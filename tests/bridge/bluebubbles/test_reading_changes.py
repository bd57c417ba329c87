"""What a row shows of what became of a message or of a chat: edits, unsends, group events, typing, cards."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.bluebubbles.reading import View, read_typing
from hub.model.observation import Part
from tests.bridge.bluebubbles.mac import Mac, Row
from tests.bridge.bluebubbles.reading_stage import ADA, NOW, VIEW, facts, one, read

UNKNOWN = "Something that this hub does not know happened in Messages (item 9.2)"


def test_an_edit_is_told_with_its_date_and_words(mac: Mac) -> None:
    row = mac.write(
        mac.direct(ADA),
        "new",
        author=ADA,
        dateEdited=NOW - 1_000,
        messageSummaryInfo=[{"ep": [0], "otr": {"0": {}}}],
    )

    assert facts(read(mac, row)) == {"message.received", "message.edited"}


def test_an_edit_date_without_its_reason_claims_nothing(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "new", author=ADA, dateEdited=NOW - 1_000)

    assert facts(read(mac, row)) == {"message.received"}


@pytest.mark.parametrize(
    ("summary", "count", "parts"),
    [
        ({"rp": [1], "otr": {"0": {}, "1": {}}}, 1, (1,)),
        ({"retractedParts": [1], "otr": {"0": {}, "1": {}}}, 1, (1,)),
        ({"rp": [0, 1], "otr": {"0": {}, "1": {}}}, 0, ()),
        ({"rp": ["0"], "otr": {"0": {}}}, 1, ()),
        ({"rp": [0, -4, "x", None, 10**9], "otr": {"0": {}, "1": {}}}, 1, (0,)),
    ],
    ids=["a part", "as the entity names it", "whole by count", "whole by parts", "garbage between"],
)
def test_unsends_move_the_edit_date_and_are_no_edits(
    mac: Mac, summary: dict[str, Any], count: int, parts: tuple[int, ...]
) -> None:
    row = mac.write(
        mac.direct(ADA),
        "x",
        author=ADA,
        dateEdited=NOW - 1_000,
        messageSummaryInfo=[summary],
        partCount=count,
    )
    seen = one(mac, row)

    assert seen.message is not None
    assert (seen.message.unsent_parts, seen.message.unsent_at) == (parts, NOW - 1_000)
    assert facts(read(mac, row)) == {"message.received", "message.unsent"}


def group_row(mac: Mac, **fields: Any) -> Row:
    return mac.write(mac.group(ADA, "+15550100002", identifier="chat1"), None, author=ADA, **fields)


@pytest.mark.parametrize(
    ("fields", "kind", "value"),
    [
        ({"itemType": 1, "groupActionType": 0, "otherHandle": 2}, "chat.member_added", "+15550100002"),
        ({"itemType": 1, "groupActionType": 1, "otherHandle": 2}, "chat.member_removed", "+15550100002"),
        ({"itemType": 2, "groupTitle": "Trip"}, "chat.renamed", "Trip"),
        ({"itemType": 2, "groupTitle": None}, "chat.renamed", ""),
        ({"itemType": 3, "groupActionType": 0}, "chat.left", None),
        ({"itemType": 3, "groupActionType": 1}, "chat.icon", None),
        ({"itemType": 3, "groupActionType": 2}, "chat.icon", "removed"),
    ],
)
def test_group_events(mac: Mac, fields: dict[str, Any], kind: str, value: str | None) -> None:
    view = View(lines=VIEW.lines, now_ms=NOW, handles={2: "+15550100002"})
    seen = one(mac, group_row(mac, **fields), view)

    assert (seen.kind, seen.value, seen.actor) == (kind, value, ADA)


@pytest.mark.parametrize("fields", [{"itemType": 5}, {"itemType": 6}])
def test_what_a_hub_has_no_word_for_is_passed_over(mac: Mac, fields: dict[str, Any]) -> None:
    assert read(mac, group_row(mac, **fields)).passed_over == "unknown item"


def test_typing_is_of_direct_chats(mac: Mac) -> None:
    (seen,) = read_typing({"display": True, "guid": f"iMessage;-;{ADA}"}, VIEW).observations

    assert (seen.kind, seen.actor) == ("typing.started", ADA)
    assert read_typing({"display": True, "guid": "iMessage;+;chat1"}, VIEW).observations == ()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {
                "balloonBundleId": "com.apple.messages.MSMessageExtensionBalloonPlugin:0:com.apple.messages.Polls"
            },
            "com.apple.messages.Polls",
        ),
        ({"itemType": 3, "groupActionType": 4}, "The background of the chat was changed"),
        ({"itemType": 4}, "Location sharing was started or stopped"),
        (
            {"itemType": 9, "groupActionType": 2},
            UNKNOWN,
        ),
    ],
)
def test_what_has_no_kind_of_its_own_is_a_card(mac: Mac, fields: Row, words: str) -> None:
    seen = one(mac, mac.write(mac.direct(ADA), None, author=ADA, **fields))

    assert (seen.kind, seen.actor) == ("message.received", ADA)
    assert seen.message is not None
    assert seen.message.parts == (Part(type="card", text=words),)
