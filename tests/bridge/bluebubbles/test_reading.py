"""What a row shows: every form of message, tapback and group event, and nothing where it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.bluebubbles.content import parts_of
from bridge.bluebubbles.reactions import emoji_in
from bridge.bluebubbles.reading import Read, View, read_failure, read_message, read_typing
from bridge.quotes import Quote
from hub.model.observation import Observation, Part
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.bluebubbles.mac import Mac, Row

NOW = 1_800_000_000_000
ADA = "+15550100001"
UNKNOWN = "Something that this hub does not know happened in Messages (item 9.2)"
VIEW = View(lines=("+15550100000",), now_ms=NOW)


@pytest.fixture
def mac() -> Mac:
    return Mac(now_ms=lambda: NOW - 60_000)


def shown(mac: Mac, row: Row) -> Row:
    return {**row, "chats": [mac.chats[mac.places[row["guid"]]]]}


def read(mac: Mac, row: Row, view: View = VIEW) -> Read:
    return read_message(shown(mac, row), view)


def one(mac: Mac, row: Row, view: View = VIEW) -> Observation:
    (observation,) = read(mac, row, view).observations
    assert validate(observation, now_ms=NOW) is None
    return observation


def facts(read: Read) -> set[str]:
    return {fact.type for each in read.observations for fact in facts_of(each, 7)}


def test_words_of_somebody_are_received(mac: Mac) -> None:
    seen = one(mac, mac.write(mac.direct(ADA), "hi", author=ADA))

    assert (seen.kind, seen.actor, seen.line) == ("message.received", ADA, "+15550100000")
    assert seen.message is not None
    assert seen.message.parts == (Part(type="text", text="hi"),)
    assert seen.chat is not None
    assert (seen.chat.key, seen.chat.service) == (f"dm:{ADA}", "iMessage")


@pytest.mark.parametrize(
    "guid", [f"iMessage;-;{ADA}", f"SMS;-;{ADA}", f"any;-;{ADA}", "RCS;-;+1 (555) 010-0001", ADA]
)
def test_all_names_of_a_direct_chat_are_one_conversation(mac: Mac, guid: str) -> None:
    row = mac.write(mac.direct(ADA), "hi", author=ADA)

    seen = read_message({**row, "chats": [{"guid": guid, "style": 45}]}, VIEW).observations[0]

    assert seen.chat is not None
    assert seen.chat.key == f"dm:{ADA}"


def test_mail_addresses_are_one_spelling(mac: Mac) -> None:
    seen = one(mac, mac.write(mac.direct("Ada@Example.com"), "hi", author="Ada@Example.com"))

    assert seen.actor == "ada@example.com"


def test_a_group_is_known_by_what_follows_its_service(mac: Mac) -> None:
    group = mac.group(ADA, "+15550100002", name="Trip", identifier="chat42")
    seen = one(mac, mac.write(group, "hi", author=ADA))

    assert seen.chat is not None
    assert (seen.chat.key, seen.chat.is_group, seen.chat.name) == ("chat42", True, "Trip")
    assert seen.chat.participants == (ADA, "+15550100002")


def test_an_own_message_in_a_direct_chat_tells_its_receipts(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "hi", dateDelivered=NOW - 50_000, dateRead=NOW - 40_000)

    assert facts(read(mac, row)) == {"message.sent", "message.delivered", "message.read"}


def test_group_receipts_are_nobodys(mac: Mac) -> None:
    row = mac.write(mac.group(ADA, "+15550100002"), "hi", dateDelivered=NOW - 50_000, dateRead=NOW - 40_000)

    assert facts(read(mac, row)) == {"message.sent"}


def test_reading_it_ourselves_is_no_receipt(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "hi", author=ADA, dateRead=NOW - 40_000)

    assert facts(read(mac, row)) == {"message.received"}


def test_error_22_is_a_failure_with_its_number(mac: Mac) -> None:
    seen = one(mac, mac.write(mac.direct(ADA), "hi", error=22))

    assert seen.kind == "status.failed"
    assert seen.error is not None
    assert seen.error.code == "22"


def test_a_send_error_is_a_failure_before_its_row_says_so(mac: Mac) -> None:
    row = shown(mac, mac.write(mac.direct(ADA), "hi"))

    (seen,) = read_failure({**row, "tempGuid": "t"}, VIEW).observations

    assert seen.kind == "status.failed"
    assert seen.message is not None
    assert seen.message.attempt_id == "t"


def test_an_attempt_of_ours_is_ours_before_is_from_me_is_written(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "hi", author=ADA)

    seen = one(mac, row, View(lines=VIEW.lines, now_ms=NOW, quotes={row["guid"]: Quote("attempt")}))

    assert seen.kind == "message.sent"


def test_a_row_without_its_chat_claims_only_what_it_shows(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "hi", dateDelivered=NOW - 50_000)

    assert read_message(row, VIEW).observations[0].kind == "message.observed"


@pytest.mark.parametrize("masked", ["+156****2244", "•••• 2244"])
def test_masked_chats_are_passed_over(mac: Mac, masked: str) -> None:
    row = mac.write(mac.direct(masked), "win a prize", author=masked)

    assert read(mac, row).passed_over == "masked"


def test_attachments_stand_in_their_places(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "before", author=ADA)
    guid = mac.attach(row, "a.png", b"123", "image/png")
    row["attributedBody"] = [
        {
            "string": "grüße\ufffc 👋🏽 after",
            "runs": [
                {"range": [0, 5], "attributes": {}},
                {"range": [5, 1], "attributes": {"__kIMFileTransferGUIDAttributeName": guid}},
                {"range": [6, 11], "attributes": {}},
            ],
        }
    ]

    parts = parts_of(row)

    assert [part.type for part in parts] == ["text", "attachment", "text"]
    assert parts[0].text == "grüße"
    assert parts[2].text == " 👋🏽 after"
    assert (parts[1].ref, parts[1].filename, parts[1].size) == (guid, "a.png", 3)


def test_attachments_follow_the_words_where_nobody_tells_their_place(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "look", author=ADA)
    mac.attach(row, "a.png", b"123", "image/png")
    row["attributedBody"] = None

    assert [part.type for part in parts_of(row)] == ["text", "attachment"]


def test_files_of_previews_are_hidden(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "x", author=ADA)
    mac.attach(row, "B.pluginPayloadAttachment", b"1", "application/octet-stream")
    mac.attach(row, "c", b"1", "image/png", hideAttachment=True)

    assert [part.type for part in parts_of(row)] == ["text"]


def test_voice_messages_and_stickers_are_told_apart(mac: Mac) -> None:
    voice = mac.write(mac.direct(ADA), None, author=ADA, isAudioMessage=True)
    mac.attach(voice, "Audio Message.caf", b"1", "audio/x-caf")
    sticker = mac.write(mac.direct(ADA), None, author=ADA)
    mac.attach(sticker, "s.heic", b"1", "image/heic", isSticker=True)

    assert [part.type for row in (voice, sticker) for part in parts_of(row)] == ["audio", "sticker"]


def test_a_link_is_a_link_and_its_second_row_is_none(mac: Mac) -> None:
    chat, balloon = mac.direct(ADA), "com.apple.messages.URLBalloonProvider"
    first = mac.write(chat, "https://hub.example/a", author=ADA, balloonBundleId=balloon)
    second = mac.write(
        chat,
        "https://hub.example/a",
        author=ADA,
        balloonBundleId=balloon,
        associatedMessageGuid=first["guid"],
    )

    assert parts_of(first) == (Part(type="link", url="https://hub.example/a"),)
    assert read(mac, second).passed_over == "preview of a link"


def test_replies_effects_and_subjects_are_told(mac: Mac) -> None:
    row = mac.write(
        mac.direct(ADA),
        "hi",
        author=ADA,
        threadOriginatorGuid="P",
        replyToGuid="not-a-reply",
        expressiveSendStyleId="com.apple.messages.effect.CKConfettiEffect",
        subject="News",
    )
    message = one(mac, row).message

    assert message is not None
    assert (message.reply_to, message.effect, message.subject) == ("P", "confetti", "News")


def test_an_effect_without_a_name_of_ours_keeps_its_own(mac: Mac) -> None:
    message = one(
        mac, mac.write(mac.direct(ADA), "hi", author=ADA, expressiveSendStyleId="com.x.New")
    ).message

    assert message is not None
    assert message.effect == "com.x.New"


@pytest.mark.parametrize(
    ("named", "words", "kind", "reaction", "emoji"),
    [
        ("love", "Loved “x”", "reaction.added", "love", None),
        ("-question", "Removed a question mark from “x”", "reaction.removed", "question", None),
        ("2006", "Reacted 🎉 to “🙈 x”", "reaction.added", "emoji", "🎉"),
        ("2006", "hat mit 👩🏽‍🚀 auf „x“ reagiert", "reaction.added", "emoji", "👩🏽‍🚀"),
        ("2006", "Reacted 1️⃣ to “x”", "reaction.added", "emoji", "1️⃣"),
        ("2006", "Reacted 🇩🇪 to “x”", "reaction.added", "emoji", "🇩🇪"),
        ("3006", "Removed a 🎉 from “x”", "reaction.removed", "emoji", "🎉"),
        ("2007", "Reacted with a sticker to “x”", "reaction.added", "sticker", None),
    ],
)
def test_tapbacks(  # noqa: PLR0917 - a row of the table
    mac: Mac, named: str, words: str, kind: str, reaction: str, emoji: str | None
) -> None:
    row = mac.write(
        mac.direct(ADA), words, author=ADA, associatedMessageGuid="p:0/TARGET", associatedMessageType=named
    )
    seen = one(mac, row)

    assert seen.reaction is not None
    assert (seen.kind, seen.target, seen.actor) == (kind, "TARGET", ADA)
    assert (seen.reaction.type, seen.reaction.emoji, seen.reaction.provider_id) == (
        reaction,
        emoji,
        row["guid"],
    )


@pytest.mark.parametrize(
    ("named", "target", "part"),
    [
        ("bp:TARGET", "TARGET", 0),
        ("p:12/TARGET", "TARGET", 12),
        ("p:0/TARGET", "TARGET", 0),
        ("TARGET", "TARGET", 0),
        ("p:99999/TARGET", "p:99999/TARGET", 0),
    ],
)
def test_the_target_of_a_tapback_has_three_spellings(mac: Mac, named: str, target: str, part: int) -> None:
    row = mac.write(mac.direct(ADA), "x", associatedMessageGuid=named, associatedMessageType="like")
    seen = one(mac, row)

    assert seen.reaction is not None
    assert (seen.target, seen.reaction.part) == (target, part)


@pytest.mark.parametrize("words", ["", "Reacted to “🎉”", "12 dogs", "„x“"])
def test_no_emoji_is_none(words: str) -> None:
    assert emoji_in(words) is None


def test_votes_and_unknown_associations_are_passed_over(mac: Mac) -> None:
    row = mac.write(mac.direct(ADA), "x", author=ADA, associatedMessageGuid="T", associatedMessageType="4000")

    assert read(mac, row).passed_over == "unknown association"


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


def test_the_line_is_the_one_that_was_written_to(mac: Mac) -> None:
    chat = mac.direct(ADA)
    row = mac.write(chat, "hi", author=ADA)
    view = View(lines=("+15550100009", "me@example.com"), now_ms=NOW, default_line="+15550100009")

    mac.chats[chat]["lastAddressedHandle"] = "ME@example.com"
    assert one(mac, row, view).line == "me@example.com"
    mac.chats[chat]["lastAddressedHandle"] = "+15550100077"
    assert one(mac, row, view).line == "+15550100009"


@pytest.mark.parametrize("absurd", [-1, 0, NOW + 10 * 86_400_000, 10**30, "soon", None, [], True, 1.5])
def test_absurd_dates_are_left_out(mac: Mac, absurd: Any) -> None:
    row = mac.write(mac.direct(ADA), "x", dateDelivered=absurd, dateRead=absurd, dateCreated=absurd)
    seen = one(mac, row)

    assert seen.message is not None
    assert (seen.message.delivered_at, seen.message.read_at) in {(None, None), (1, 1)}


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
