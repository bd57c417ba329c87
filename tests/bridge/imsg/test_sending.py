"""What is asked of imsg, and what its answers say; its dispositions are passed on word for word."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hub.model.errors import AttachmentGone, BridgeError
from hub.model.outbox import Disposition, OperationKind
from tests.bridge.imsg.harness import HELPER, ImsgHarness
from tests.bridge.macos.surroundings import CONTACT

GROUP = "chat123456789"
ACCEPTED, REJECTED, UNKNOWN = Disposition.ACCEPTED, Disposition.REJECTED, Disposition.MAY_HAVE_COMPLETED


@pytest.mark.parametrize(
    ("fault", "disposition", "code", "is_retry_safe"),
    [
        ("", ACCEPTED, None, False),
        ("no_chat", ACCEPTED, None, False),
        ("chat_gone", ACCEPTED, None, False),
        ("not_started", Disposition.NOT_STARTED, "imsg", True),
        ("may_have_completed", UNKNOWN, "imsg", False),
        ("still_in_flight", Disposition.STILL_IN_FLIGHT, "imsg", False),
        ("database", Disposition.NOT_STARTED, "database_unreadable", True),
        ("busy", Disposition.NOT_STARTED, "imsg_busy", True),
        ("denied", UNKNOWN, "imsg", False),
        ("no_receipt", UNKNOWN, "no_receipt", False),
        ("dies", UNKNOWN, "imsg_ended", False),
        ("hangs_sent", UNKNOWN, "timeout", False),
        ("hangs_unsent", UNKNOWN, "timeout", False),
    ],
)
async def test_a_send_ends_as_imsg_says(
    harness: ImsgHarness, fault: str, disposition: Disposition, code: str | None, is_retry_safe: bool
) -> None:
    harness.switch({"hello": fault})

    outcome = await harness.adapter.perform(harness.send())

    assert (outcome.disposition, outcome.code, outcome.is_retry_safe) == (disposition, code, is_retry_safe)


@pytest.mark.parametrize(
    "fault", ["may_have_completed", "still_in_flight", "dies", "hangs_sent", "no_receipt"]
)
async def test_a_lost_answer_is_found_by_the_attempt(harness: ImsgHarness, fault: str) -> None:
    harness.switch({"hello": fault})
    operation = harness.send()
    await harness.adapter.perform(operation)
    harness.restarted()

    found = await harness.adapter.lookup(operation)

    assert (found.disposition, found.provider_id) == (ACCEPTED, operation.attempt_id)


async def test_a_repeated_attempt_is_known_and_not_sent_again(harness: ImsgHarness) -> None:
    operation = harness.send()

    outcomes = [await harness.adapter.perform(operation) for _ in range(3)]

    assert {outcome.disposition for outcome in outcomes} == {ACCEPTED}
    assert harness.arrived(operation) == 1


async def test_a_lane_that_is_blocked_is_begun_again(harness: ImsgHarness) -> None:
    harness.switch({"first": "still_in_flight"})

    outcomes = [await harness.adapter.perform(harness.send(text)) for text in ("first", "second")]

    assert [outcome.disposition for outcome in outcomes] == [Disposition.STILL_IN_FLIGHT, ACCEPTED]


async def test_a_failure_is_found(harness: ImsgHarness) -> None:
    harness.switch({"hello": "fails"})
    operation = harness.send()
    await harness.adapter.perform(operation)

    found = await harness.adapter.lookup(operation)

    assert (found.disposition, found.code) == (REJECTED, "22")


async def test_without_tracking_a_lost_send_is_looked_for_by_words_chat_and_time(tmp_path: Path) -> None:
    harness = ImsgHarness(tmp_path, off=["send.tracked"])
    harness.network.add(at_ms=harness.time.now_ms() - 3_600_000, chat=CONTACT, own=True, text="hello")
    harness.network.add(at_ms=harness.time.now_ms(), chat="+15550100009", own=True, text="hello")
    harness.switch({"hello": "dies"})
    operation = harness.send()

    before = await harness.adapter.lookup(operation)
    await harness.adapter.perform(operation)
    after = await harness.adapter.lookup(operation)
    await harness.aclose()

    assert (before.disposition, after.disposition) == (UNKNOWN, ACCEPTED)


ASKED: list[tuple[str, OperationKind, dict[str, Any], dict[str, Any]]] = [
    ("send.tracked", OperationKind.SEND, {"text": "x"}, {"to": CONTACT, "text": "x", "allow_sms_fallback": False}),
    ("send.tracked", OperationKind.SEND, {"text": "x", "chat_key": GROUP}, {"chat_identifier": GROUP, "text": "x"}),
    ("send.rich", OperationKind.SEND, {"text": "x", "reply_to_guid": "P"}, {"reply_to": "P", "text": "x"}),
    ("send.rich", OperationKind.SEND, {"text": "x", "effect": "slam"},
     {"effect": "com.apple.MobileSMS.expressivesend.impact"}),
    ("send.rich", OperationKind.SEND, {"text": "x", "subject": "S"}, {"subject": "S"}),
    ("tapback", OperationKind.REACT, {"message_guid": "M", "type": "emphasize"},
     {"chat_identifier": CONTACT, "message_id": "M", "kind": "emphasis"}),
    ("tapback", OperationKind.REACT, {"message_guid": "M", "type": "🎉", "remove": True},
     {"emoji": "🎉", "remove": True}),
    ("message.edit", OperationKind.EDIT, {"message_guid": "M", "text": "y"}, {"message_id": "M", "text": "y"}),
    ("message.unsend", OperationKind.UNSEND, {"message_guid": "M"}, {"message_id": "M"}),
    ("typing", OperationKind.TYPING, {"state": "on"}, {"to": CONTACT, "typing": True}),
    ("typing", OperationKind.TYPING, {"state": "off"}, {"to": CONTACT, "typing": False}),
    ("read", OperationKind.READ, {}, {"to": CONTACT}),
    ("chats.markUnread", OperationKind.UNREAD, {}, {"chat_identifier": CONTACT}),
    ("chats.create", OperationKind.GROUP_CREATE, {"participants": [CONTACT], "name": "N"},
     {"addresses": [CONTACT], "name": "N"}),
    ("group.rename", OperationKind.GROUP_RENAME, {"chat_key": GROUP, "name": "N"}, {"name": "N"}),
    ("group.addParticipant", OperationKind.GROUP_ADD, {"chat_key": GROUP, "handle": CONTACT}, {"address": CONTACT}),
    ("group.removeParticipant", OperationKind.GROUP_REMOVE, {"chat_key": GROUP, "handle": CONTACT},
     {"address": CONTACT}),
    ("group.leave", OperationKind.GROUP_LEAVE, {"chat_key": GROUP}, {"chat_identifier": GROUP}),
    ("group.setIcon", OperationKind.GROUP_ICON, {"chat_key": GROUP, "remove": True}, {"chat_identifier": GROUP}),
    ("handles.check", OperationKind.CHECK, {"handle": CONTACT}, {"address": CONTACT}),
    ("poll.send", OperationKind.POLL, {"title": "Q", "options": ["A"]}, {"question": "Q", "options": ["A"]}),
]  # fmt: skip


async def test_each_operation_is_asked_for_in_imsgs_words(harness: ImsgHarness) -> None:
    """The fake refuses parameters that imsg does not know."""
    for method, kind, payload, expected in ASKED:
        outcome = await harness.adapter.perform(harness.operation(kind, **payload))

        assert outcome.disposition is ACCEPTED, method
        asked = harness.calls(method)[-1]
        assert expected.items() <= asked.items(), method


async def test_several_parts_go_one_after_the_other(harness: ImsgHarness) -> None:
    harness.switch({"file_0000000000002.png": "not_started"})
    operation = harness.send("words", attachments=["file_0000000000001", "file_0000000000002"])

    outcome = await harness.adapter.perform(operation)

    assert (outcome.disposition, outcome.parts_done) == (Disposition.NOT_STARTED, 2)


async def test_files_lie_in_messages_folder_and_come_back_from_there(harness: ImsgHarness) -> None:
    await harness.adapter.perform(harness.operation(OperationKind.SEND, attachments=["file_0000000000001"]))
    (told,) = await harness.told()

    assert told.message is not None
    ref = told.message.parts[0].ref or ""
    content = b"".join([piece async for piece in harness.adapter.open_attachment(ref)])
    assert content == harness.files.contents["file_0000000000001"]
    with pytest.raises(AttachmentGone):
        await anext(harness.adapter.open_attachment("/etc/passwd"))


async def test_what_the_helper_does_is_refused_without_it(tmp_path: Path) -> None:
    harness = ImsgHarness(tmp_path, off=HELPER)
    able = await harness.adapter.capabilities()
    await harness.aclose()

    assert able == {
        "attachments", "delivered", "history", "read_in", "read_out", "sms_fallback", "text", "typing_out"
    }  # fmt: skip


@pytest.mark.parametrize(("version", "is_able"), [(1, False), (2, True), (3, True)])
async def test_emoji_need_their_version(harness: ImsgHarness, version: int, is_able: bool) -> None:
    harness.switch(emoji=version)

    assert ("react_emoji" in await harness.adapter.capabilities()) is is_able


async def test_unknown_effects_are_refused(harness: ImsgHarness) -> None:
    outcome = await harness.adapter.perform(harness.send(effect="earthquake"))

    assert (outcome.disposition, outcome.code) == (REJECTED, "unknown_effect")
    assert harness.calls("send") == []


async def test_no_program_is_no_crash(tmp_path: Path) -> None:
    harness = ImsgHarness(tmp_path, program="/nowhere/imsg")

    outcome = await harness.adapter.perform(harness.send())

    assert (outcome.disposition, outcome.is_retry_safe) == (Disposition.NOT_STARTED, True)
    assert (await harness.adapter.health())[0] == "offline"
    with pytest.raises(BridgeError):
        await harness.adapter.capabilities()
    await harness.aclose()


async def test_health_tells_of_the_database(harness: ImsgHarness) -> None:
    harness.switch(no_database=True)

    assert await harness.adapter.health() == ("offline", "Full Disk Access")
