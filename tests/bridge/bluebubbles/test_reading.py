"""What a row shows: every form of message, tapback and group event, and nothing where it cannot be told."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.bluebubbles.content import parts_of
from bridge.bluebubbles.reactions import emoji_in
from bridge.bluebubbles.reading import View, read_failure, read_message
from bridge.quotes import Quote
from hub.model.observation import Part
from tests.bridge.bluebubbles.mac import Mac
from tests.bridge.bluebubbles.reading_stage import ADA, NOW, VIEW, facts, one, read, shown


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
