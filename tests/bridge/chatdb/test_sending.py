"""What comes of a send by AppleScript, by what its script does: exit 0 is no proof, nothing goes twice."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bridge.chatdb.applescript import SCRIPT, Verdict, read_failure
from bridge.chatdb.database import ChatDatabase
from bridge.chatdb.telling import Telling
from bridge.macos.placing import Placing
from bridge.macos.sends import Expected, SentMemory
from bridge.macos.tallies import Tallies
from hub.model.outbox import Disposition, OperationKind
from hub.rules.facts import facts_of
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.macos.surroundings import CONTACT

GROUP = "chat123456789"
OTHER = "+15550100002"


@pytest.fixture
def harness(tmp_path: Path) -> ChatDbHarness:
    return ChatDbHarness(tmp_path)


@pytest.mark.parametrize(
    ("fault", "disposition", "code", "is_retry_safe"),
    [
        ("", Disposition.ACCEPTED, None, False),
        ("flips", Disposition.ACCEPTED, None, False),
        ("midway_sent", Disposition.ACCEPTED, None, False),
        ("buddy_unknown", Disposition.REJECTED, "chat_not_found", False),
        ("error_22", Disposition.REJECTED, "22", False),
        ("late_error", Disposition.REJECTED, "22", False),
        ("ghost", Disposition.REJECTED, "ghost_row", False),
        ("lost", Disposition.MAY_HAVE_COMPLETED, "not_confirmed", False),
        ("midway_unsent", Disposition.MAY_HAVE_COMPLETED, "applescript_2753", False),
        ("hangs_sent", Disposition.MAY_HAVE_COMPLETED, "timeout", False),
        ("hangs_unsent", Disposition.MAY_HAVE_COMPLETED, "timeout", False),
        ("-1728", Disposition.REJECTED, "chat_not_found", False),
        ("-1700", Disposition.REJECTED, "chat_not_found", False),
        ("-1743", Disposition.NOT_STARTED, "automation_denied", True),
        ("-600", Disposition.NOT_STARTED, "messages_not_running", True),
    ],
)
async def test_a_send_ends_as_chat_db_shows(
    harness: ChatDbHarness, fault: str, disposition: Disposition, code: str | None, is_retry_safe: bool
) -> None:
    harness.switch({"hello": fault})

    outcome = await harness.adapter.perform(harness.send())

    assert (outcome.disposition, outcome.code, outcome.is_retry_safe) == (disposition, code, is_retry_safe)
    assert len(harness.calls()) == 1


async def test_a_known_chat_is_tried_when_the_contact_is_not_known(harness: ChatDbHarness) -> None:
    harness.builder.chat(CONTACT)
    harness.switch({"hello": "buddy_unknown"})

    outcome = await harness.adapter.perform(harness.send())

    assert outcome.disposition is Disposition.ACCEPTED
    assert [call[:2] for call in harness.calls()] == [["buddy", CONTACT], ["chat", f"iMessage;-;{CONTACT}"]]


async def test_a_group_is_named_by_its_guid(harness: ChatDbHarness) -> None:
    harness.builder.chat(GROUP, members=(CONTACT, OTHER))

    outcome = await harness.adapter.perform(harness.send(chat_key=GROUP))

    assert outcome.disposition is Disposition.ACCEPTED
    assert [call[:2] for call in harness.calls()] == [["chat", f"iMessage;+;{GROUP}"]]


async def test_a_group_that_is_not_there_is_refused(harness: ChatDbHarness) -> None:
    outcome = await harness.adapter.perform(harness.send(chat_key=GROUP))

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "chat_not_found")
    assert harness.calls() == []


@pytest.mark.parametrize(
    "text", ['"; do shell script "rm -rf ~" --', "-e", "\\\n'\t\r$(id)`id`", "🎉" * 100, "--help"]
)
async def test_words_are_data(harness: ChatDbHarness, text: str) -> None:
    """The fake refuses a script that holds them."""
    outcome = await harness.adapter.perform(harness.send(text))

    assert outcome.disposition is Disposition.ACCEPTED
    assert harness.calls()[0][4] == text
    assert text not in SCRIPT


async def test_files_are_laid_into_the_folder_first(harness: ChatDbHarness) -> None:
    operation = harness.operation(OperationKind.SEND, attachments=["file_0000000000001"])

    outcome = await harness.adapter.perform(operation)

    assert outcome.disposition is Disposition.ACCEPTED
    assert Path(harness.calls()[0][4]).is_relative_to(harness.attachments)
    assert harness.read(harness.calls()[0][4]) == harness.files.contents["file_0000000000001"]
    assert (await harness.adapter.lookup(operation)).provider_id == outcome.provider_id


@pytest.mark.parametrize(
    ("files", "code"), [(["file_nobody"], "file_unavailable"), (["file_0000000000009"], "file_unavailable")]
)
async def test_files_that_cannot_be_sent_are_refused(
    harness: ChatDbHarness, files: list[str], code: str
) -> None:
    harness.files.contents["file_0000000000009"] = b"x" * (101 * 1024 * 1024)

    outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, attachments=files))

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, code)
    assert harness.calls() == []


async def test_several_parts_go_one_after_the_other(harness: ChatDbHarness) -> None:
    operation = harness.send("words", attachments=["file_0000000000001", "file_0000000000002"])
    harness.switch({"file_0000000000002.png": "error_22"})

    outcome = await harness.adapter.perform(operation)

    assert (outcome.disposition, outcome.parts_done) == (Disposition.REJECTED, 2)
    assert [call[3] for call in harness.calls()] == ["text", "file", "file"]


@pytest.mark.parametrize("words", ["a", "on run argv", "item 1 of argv"])
async def test_equal_parts_are_two_messages_whatever_they_say(harness: ChatDbHarness, words: str) -> None:
    """Also what stands in the script itself."""
    parts = [{"type": "text", "text": words}] * 2
    outcome = await harness.adapter.perform(harness.operation(OperationKind.SEND, parts=parts))

    assert (outcome.disposition, outcome.parts_done) == (Disposition.ACCEPTED, 2)
    assert len({piece.guid for piece in outcome.pieces}) == 2


async def test_a_retry_begins_after_the_parts_that_arrived(harness: ChatDbHarness) -> None:
    operation = harness.send("words", attachments=["file_0000000000001"], parts_done=1)

    outcome = await harness.adapter.perform(operation)

    assert (outcome.disposition, outcome.parts_done) == (Disposition.ACCEPTED, 2)
    assert [call[3] for call in harness.calls()] == ["file"]


async def test_each_message_of_a_send_says_which_part_it_is(harness: ChatDbHarness) -> None:
    """In the answer and in a look-up, so that the hub makes one message of them."""
    operation = harness.send("words", attachments=["file_0000000000001"])
    outcome = await harness.adapter.perform(operation)
    found = await harness.adapter.lookup(operation)

    assert [(piece.part, piece.part_count) for piece in outcome.pieces] == [(0, 1), (1, 1)]
    assert found.pieces == outcome.pieces


async def test_a_look_up_takes_no_message_that_is_known_to_be_another(harness: ChatDbHarness) -> None:
    """Its own words, in its chat and time; the bridge has forgotten whose it was."""
    first = harness.send("ok")
    outcome = await harness.adapter.perform(first)
    again = harness.restarted()
    asked = replace(harness.send("ok"), dispatched_at=first.dispatched_at)
    found = await again.lookup(replace(asked, taken=frozenset({outcome.provider_id or ""})))
    mistaken = await again.lookup(asked)

    assert found.disposition is Disposition.MAY_HAVE_COMPLETED
    assert mistaken.provider_id == outcome.provider_id


@pytest.mark.parametrize(
    ("settings", "payload", "expected"),
    [
        ({"sms_fallback": True}, {"allow_sms_fallback": True}, Disposition.ACCEPTED),
        ({"sms_fallback": True}, {}, Disposition.REJECTED),
        ({}, {"allow_sms_fallback": True}, Disposition.REJECTED),
    ],
)
async def test_sms_is_for_what_imessage_refused_and_only_where_allowed(
    tmp_path: Path, settings: dict[str, Any], payload: dict[str, Any], expected: Disposition
) -> None:
    harness = ChatDbHarness(tmp_path, **settings)
    harness.switch({"hello": "sent_by_sms"})

    outcome = await harness.adapter.perform(harness.send(**payload))

    assert outcome.disposition is expected


async def test_what_went_as_sms_is_one_message(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path, sms_fallback=True)
    harness.switch({"hello": "sent_by_sms"})
    operation = harness.send(allow_sms_fallback=True)
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        outcome = await harness.adapter.perform(operation)
        told = [each.message for each in await heard.until_quiet(at_least=1) if each.message]

    assert {(each.provider_id, each.attempt_id, each.service) for each in told} == {
        (outcome.provider_id, operation.attempt_id, "SMS")
    }


async def test_nothing_is_sent_while_the_database_cannot_be_read(harness: ChatDbHarness) -> None:
    """It could not be confirmed."""
    harness.builder.close()
    (harness.folder / "chat.db").unlink()

    outcome = await harness.adapter.perform(harness.send())

    assert (outcome.disposition, outcome.is_retry_safe) == (Disposition.NOT_STARTED, True)
    assert harness.calls() == []


async def test_of_two_equal_texts_the_later_send_is_the_later_row(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    operation = harness.send("ok")
    harness.builder.message(chat, "ok", at_ms=operation.dispatched_at - 3_000, guid="FIRST")
    harness.builder.message(chat, "ok", at_ms=operation.dispatched_at + 500, guid="SECOND")

    assert (await harness.restarted().lookup(operation)).provider_id == "SECOND"


async def test_a_lookup_after_a_restart_goes_by_chat_time_and_words(harness: ChatDbHarness) -> None:
    sent, lost = harness.timing_out()
    for operation in (sent, lost):
        await harness.adapter.perform(operation)
    harness.restarted()

    found = [(await harness.adapter.lookup(operation)).disposition for operation in (sent, lost)]

    assert found == [Disposition.ACCEPTED, Disposition.MAY_HAVE_COMPLETED]


async def test_the_same_words_twice_are_two_messages(harness: ChatDbHarness) -> None:
    outcomes = [await harness.adapter.perform(harness.send()) for _ in range(2)]

    assert len({outcome.provider_id for outcome in outcomes}) == 2


async def test_the_same_words_before_are_no_proof(harness: ChatDbHarness) -> None:
    await harness.adapter.perform(harness.send())
    harness.switch({"hello": "lost"})

    outcome = await harness.adapter.perform(harness.send())

    assert outcome.disposition is Disposition.MAY_HAVE_COMPLETED


@pytest.mark.parametrize("fault", ["", "flips", "hangs_sent"])
async def test_own_messages_quote_their_attempt(harness: ChatDbHarness, fault: str) -> None:
    harness.switch({"hello": fault})
    operation = harness.send()
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        await harness.adapter.perform(operation)
        told = await heard.until_quiet(at_least=1)

    assert {each.message.attempt_id for each in told if each.message} == {operation.attempt_id}
    assert {fact.type for each in told for fact in facts_of(each, 7)} == {"message.sent"}


def test_a_row_is_of_the_latest_send_of_its_words_and_of_none_that_is_long_past(
    harness: ChatDbHarness,
) -> None:
    now_ms, sent, quoted = harness.time.now_ms(), SentMemory(), []
    placing, tallies = Placing(lambda: harness.lines), Tallies("chatdb")
    for attempt, age_ms in (("LOST", 60_000), ("SENT", 1_000)):
        expected = Expected(
            attempt_id=attempt,
            part=0,
            chat_key=f"dm:{CONTACT}",
            words="ok",
            filename=None,
            since_ms=now_ms - age_ms,
            after_rowid=0,
        )
        sent.expect(expected)
    database = ChatDatabase(harness.settings.database)
    for later_ms in (0, 30 * 60_000):
        row = harness.builder.message(harness.builder.chat(CONTACT), "ok", at_ms=now_ms)
        telling = Telling(placing=placing, sent=sent, tallies=tallies, now_ms=partial(int, now_ms + later_ms))
        (told,) = telling.tell(database, database.messages_at([row]), since_ms=0).observations
        quoted.append(told.message.attempt_id if told.message else "")
    database.close()

    assert quoted == ["SENT", None]


async def test_listening_only_sends_nothing(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path, sends=False)

    outcome = await harness.adapter.perform(harness.send())

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "unsupported")


@pytest.mark.parametrize(
    ("complaint", "verdict"),
    [
        ("", Verdict.MAY_HAVE_SENT),
        ("execution error: Messages got an error: AppleEvent timed out. (-1712)", Verdict.MAY_HAVE_SENT),
        ("0:1: execution error: Not authorized (-1743)\n", Verdict.DENIED),
        ("say (-1743) and go on", Verdict.MAY_HAVE_SENT),
        ("(" + "9" * 100_000 + ")", Verdict.MAY_HAVE_SENT),
    ],
)
def test_only_known_failures_prove_that_nothing_was_sent(complaint: str, verdict: Verdict) -> None:
    assert read_failure(complaint).verdict is verdict
