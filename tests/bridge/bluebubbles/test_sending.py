"""Sends and other operations: what is asked for, what the answers mean, and how a doubt is cleared."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.model.outbox import Disposition, OperationKind
from tests.bridge.bluebubbles.harness import CONTACT, BlueBubblesHarness

STRANGER = "+15550100099"


async def test_the_method_is_chosen_from_what_the_server_is(bb: BlueBubblesHarness) -> None:
    """Left to itself the server takes AppleScript, which cannot do half of it."""
    bodies: list[dict[str, object]] = []
    write = bb.server._write

    async def noting(body: dict[str, object], *more: object) -> object:
        bodies.append(body)
        return await write(body, *more)  # type: ignore[arg-type]  # passed through

    bb.server._write = noting  # type: ignore[assignment,method-assign]  # looks on
    await bb.send("one")
    bb.server.faults.is_helper_connected = False
    bb.clock.advance(60_000)
    await bb.send("two")

    assert [body["method"] for body in bodies] == ["private-api", "apple-script"]


async def test_a_send_carries_its_attempt_and_is_known_by_it(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    outcome = await bb.adapter.perform(operation)

    assert outcome.provider_id == bb.mac.rows[-1]["guid"]
    assert bb.mac.sent == {operation.attempt_id: 1}


async def test_words_and_files_are_one_message_by_the_private_api(bb: BlueBubblesHarness) -> None:
    outcome = await bb.send("look", attachments=["file_1", "file_2"])

    (row,) = bb.mac.rows
    assert outcome.provider_id == row["guid"]
    assert outcome.parts_done == 3
    assert [(piece.part, piece.part_count) for piece in outcome.pieces] == [(0, None)]
    assert [each["transferName"] for each in row["attachments"]] == ["file_1.png", "file_2.png"]
    assert list(bb.mac.files.values()) == [b"12345", b"12345"]


async def test_words_and_files_are_several_by_applescript(bb: BlueBubblesHarness) -> None:
    bb.server.faults.is_private_api = False
    outcome = await bb.send("look", attachments=["file_1", "file_2"])

    assert outcome.disposition is Disposition.ACCEPTED
    assert (len(bb.mac.rows), outcome.provider_id) == (3, bb.mac.rows[0]["guid"])
    assert len(bb.mac.sent) == 3
    assert [(piece.guid, piece.part, piece.part_count) for piece in outcome.pieces] == [
        (row["guid"], place, 1) for place, row in enumerate(bb.mac.rows)
    ]


async def test_what_fails_between_tells_how_far_it_came_and_goes_on_there(bb: BlueBubblesHarness) -> None:
    bb.server.faults.is_private_api = False
    bb.files.gone.add("file_2")
    operation = bb.operation(OperationKind.SEND, text="look", attachments=["file_1", "file_2"])
    outcome = await bb.adapter.perform(operation)
    bb.files.gone.clear()
    again = replace(operation, payload={**operation.payload, "parts_done": outcome.parts_done})
    finished = await bb.adapter.perform(again)

    assert (outcome.disposition, outcome.code, outcome.parts_done) == (
        Disposition.REJECTED,
        "file_unavailable",
        2,
    )
    assert (finished.disposition, finished.parts_done, len(bb.mac.rows)) == (Disposition.ACCEPTED, 3, 3)


async def test_a_file_with_an_odd_name_cannot_break_its_form(bb: BlueBubblesHarness) -> None:
    bb.files.content = b'--hub-\r\n"; name="chatGuid"\r\n\r\nx'
    outcome = await bb.send("", text=None, attachments=['a"\r\nX: y'])

    assert outcome.disposition is Disposition.ACCEPTED
    assert list(bb.mac.files.values()) == [bb.files.content]


async def test_too_large_files_are_refused_before_they_are_read(bb: BlueBubblesHarness) -> None:
    bridge = bb.restarted(most_file_bytes=1_048_576)
    bb.files.content = b"x" * 1_048_577
    outcome = await bridge.perform(bb.operation(OperationKind.SEND, attachments=["file_1"]))

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "file_too_large")


async def test_mentions_replies_effects_and_subjects_reach_the_mac(bb: BlueBubblesHarness) -> None:
    await bb.send("hi", effect="Invisible Ink", subject="News", reply_to_guid="P")
    await bb.send("", text=None, parts=[{"type": "text", "text": "hi Ada", "mention": CONTACT}])

    row = bb.mac.rows[0]
    assert row["expressiveSendStyleId"] == "com.apple.MobileSMS.expressivesend.invisibleink"
    assert (row["subject"], row["threadOriginatorGuid"]) == ("News", "P")
    assert f"mentioned {CONTACT}" in bb.mac.deeds


async def test_a_chat_that_is_not_there_yet_begins_with_its_words(bb: BlueBubblesHarness) -> None:
    outcome = await bb.send("hello", to=STRANGER)

    assert outcome.provider_id == bb.mac.rows[-1]["guid"]
    assert f"iMessage;-;{STRANGER}" in bb.mac.chats


async def test_a_chat_is_answered_where_it_was_seen(bb: BlueBubblesHarness) -> None:
    """An SMS conversation stays one, although iMessage would be tried first."""
    sms = bb.mac.direct(STRANGER, service="SMS")
    bb.mac.write(sms, "hi", author=STRANGER)
    async with bb.listening('{"at":1}') as told:
        await told.kind("message.received")
    await bb.send("hello", to=STRANGER)

    assert bb.mac.places[bb.mac.rows[-1]["guid"]] == sms


async def test_a_masked_handle_is_never_written_to(bb: BlueBubblesHarness) -> None:
    outcome = await bb.send("hello", to="+156****2244")

    assert (outcome.disposition, outcome.code) == (Disposition.REJECTED, "masked_handle")


@pytest.mark.parametrize(
    ("fate", "disposition", "code"),
    [
        ("error22", Disposition.REJECTED, "22"),
        ("refused", Disposition.REJECTED, "refused"),
        ("timeout", Disposition.MAY_HAVE_COMPLETED, "no_verdict"),
        ("lost", Disposition.MAY_HAVE_COMPLETED, "no_verdict"),
        ("hang_sent", Disposition.MAY_HAVE_COMPLETED, "timeout"),
        ("hang_unsent", Disposition.MAY_HAVE_COMPLETED, "timeout"),
    ],
)
async def test_how_sends_end(bb: BlueBubblesHarness, fate: str, disposition: Disposition, code: str) -> None:
    bb.server.faults.by_words["words"] = fate

    outcome = await bb.send("words")

    assert (outcome.disposition, outcome.code) == (disposition, code)
    assert len(bb.mac.rows) <= 1


async def test_a_temp_guid_is_a_lock_and_no_key(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    bb.server.queue.add(operation.attempt_id)
    locked = await bb.adapter.perform(operation)
    bb.server.queue.clear()
    outcomes = [await bb.adapter.perform(operation) for _ in range(2)]

    assert locked.disposition is Disposition.STILL_IN_FLIGHT
    assert {each.disposition for each in outcomes} == {Disposition.ACCEPTED}
    assert bb.arrived(operation) == 2
    assert "idempotent_send" not in await bb.adapter.capabilities()


@pytest.mark.parametrize("state", ["is_private_api", "is_helper_connected"])
async def test_without_the_helper_it_is_not_started(bb: BlueBubblesHarness, state: str) -> None:
    bridge = bb.restarted(method="private-api")
    await bridge.capabilities()
    setattr(bb.server.faults, state, False)

    outcome = await bridge.perform(bb.operation(OperationKind.SEND, text="hello"))

    assert (outcome.disposition, outcome.code) == (Disposition.NOT_STARTED, "private_api_away")
    assert outcome.is_retry_safe


async def test_a_wrong_password_and_a_broken_tunnel_send_nothing(bb: BlueBubblesHarness) -> None:
    wrong = await bb.restarted(password="other").perform(bb.operation(OperationKind.SEND, text="a"))
    bb.server.faults.broken[""] = 530
    broken = await bb.restarted().perform(bb.operation(OperationKind.SEND, text="a"))

    assert (wrong.disposition, wrong.code) == (Disposition.NOT_STARTED, "unauthorized")
    assert broken.disposition is Disposition.NOT_STARTED
    assert not bb.mac.rows


async def test_what_a_server_can_is_not_judged_while_it_is_away(bb: BlueBubblesHarness) -> None:
    bb.server.faults.broken[""] = 502
    reaction = bb.operation(OperationKind.REACT, type="love", message_guid="TARGET-GUID")

    outcome = await bb.restarted().perform(reaction)

    assert (outcome.disposition, outcome.code) == (Disposition.NOT_STARTED, "unreachable")
    assert outcome.is_retry_safe


async def test_json_of_somebody_else_is_no_success(bb: BlueBubblesHarness) -> None:
    await bb.send("first")
    bb.server.faults.pages["/message/text"] = (200, {}, '{"status": "ok"}')

    assert (await bb.send("second")).disposition is Disposition.MAY_HAVE_COMPLETED


async def test_a_gateway_that_gives_up_leaves_a_doubt(bb: BlueBubblesHarness) -> None:
    await bb.send("first")
    bb.server.faults.broken["/message/text"] = 502

    assert (await bb.send("second")).disposition is Disposition.MAY_HAVE_COMPLETED


async def test_only_a_clear_stop_is_asked_for(bb: BlueBubblesHarness) -> None:
    """DELETE …/typing starts typing in 1.9.9."""
    off = bb.operation(OperationKind.TYPING, state="off")
    await bb.adapter.perform(bb.operation(OperationKind.TYPING, state="on"))
    await bb.adapter.perform(off)
    before = [method for method, _ in bb.server.typing]
    bb.server.faults.server_version = "1.9.10"
    await bb.restarted().perform(off)

    assert before == ["POST"]
    assert [method for method, _ in bb.server.typing] == ["POST", "DELETE"]


async def test_every_part_is_taken_back(bb: BlueBubblesHarness) -> None:
    sent = await bb.send("look", attachments=["file_1"])
    outcome = await bb.adapter.perform(bb.operation(OperationKind.UNSEND, message_guid=sent.provider_id))

    assert outcome.disposition is Disposition.ACCEPTED
    assert bb.mac.rows[0]["partCount"] == 0


async def test_sharing_the_card_is_all_that_a_mac_does_with_it(bb: BlueBubblesHarness) -> None:
    share = await bb.adapter.perform(bb.operation(OperationKind.CONTACT_CARD, action="share"))
    change = await bb.adapter.perform(bb.operation(OperationKind.CONTACT_CARD, action="set", card={}))

    assert share.disposition is Disposition.ACCEPTED
    assert f"share {bb.chat}" in bb.mac.deeds
    assert (change.disposition, change.code) == (Disposition.REJECTED, "unsupported")


async def test_a_group_is_made_with_name_and_first_words(bb: BlueBubblesHarness) -> None:
    made = await bb.adapter.perform(
        bb.operation(OperationKind.GROUP_CREATE, participants=[CONTACT, STRANGER], text="hi", name="Trip")
    )
    result = made.result or {}
    sent = await bb.send("again", chat_key=result["chat_key"])

    (group,) = [chat for chat in bb.mac.chats.values() if chat["style"] == 43]
    assert group["displayName"] == "Trip"
    assert result["participants"] == [CONTACT, STRANGER]
    assert bb.mac.places[str(sent.provider_id)] == group["guid"]


async def test_reach_tells_what_a_mac_knows(bb: BlueBubblesHarness) -> None:
    outcome = await bb.adapter.perform(bb.operation(OperationKind.CHECK, handles=[CONTACT, "a@example.com"]))

    assert (outcome.result or {})["handles"] == {
        CONTACT: {"imessage": True, "facetime": True, "sms": None},
        "a@example.com": {"imessage": True, "facetime": False, "sms": None},
    }
