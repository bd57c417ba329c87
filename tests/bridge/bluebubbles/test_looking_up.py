"""How a doubt about a send is cleared: by what the Mac shows, and never by its absence alone."""

from __future__ import annotations

import pytest

from bridge.bluebubbles.proof import QUIET_MS
from hub.model.outbox import Disposition, OperationKind, OperationOutcome
from tests.bridge.bluebubbles.harness import CONTACT, BlueBubblesHarness

STRANGER = "+15550100099"


async def doubtful(bb: BlueBubblesHarness, fate: str, **given: object) -> OperationOutcome:
    """Send with a doubt, restart (nothing is remembered), and look it up."""
    bb.server.faults.by_words["Don't “do” it!"] = fate
    operation = bb.operation(OperationKind.SEND, text="Don't “do” it!")
    assert (await bb.adapter.perform(operation)).disposition is Disposition.MAY_HAVE_COMPLETED
    bb.clock.advance(QUIET_MS)
    return await bb.restarted(**given).lookup(operation)  # type: ignore[arg-type]  # settings


async def test_letters_and_digits_prove_a_send(bb: BlueBubblesHarness) -> None:
    bb.server.faults.by_words["x"] = "lost"
    found = await doubtful(bb, "lost")

    assert (found.disposition, found.provider_id) == (Disposition.ACCEPTED, bb.mac.rows[0]["guid"])


async def test_apple_may_have_changed_quotes(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text='Don\'t "do" it -- now')
    bb.mac.write(bb.chat, "Don\u2019t \u201cdo\u201d it \u2014 now")

    assert (await bb.adapter.lookup(operation)).disposition is Disposition.ACCEPTED


@pytest.mark.parametrize(
    ("words", "fields"),
    [
        ("hello", {"author": CONTACT}),
        ("hello", {"dateCreated": 1_799_999_000_000}),
        ("other", {}),
        (None, {}),
    ],
    ids=["of somebody else", "older", "other words", "no words"],
)
async def test_what_proves_nothing(
    bb: BlueBubblesHarness, words: str | None, fields: dict[str, object]
) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    bb.mac.write(bb.chat, words, **fields)  # type: ignore[arg-type]  # fields of a row

    assert (await bb.adapter.lookup(operation)).disposition is Disposition.MAY_HAVE_COMPLETED


async def test_the_same_words_elsewhere_or_of_another_attempt_prove_nothing(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    await bb.send("hello")
    await bb.send("hello", to=STRANGER)

    assert (await bb.adapter.lookup(operation)).disposition is Disposition.MAY_HAVE_COMPLETED


async def test_a_failed_row_is_the_verdict(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    bb.mac.write(bb.chat, "hello", error=22)
    found = await bb.adapter.lookup(operation)

    assert (found.disposition, found.code) == (Disposition.REJECTED, "22")


async def test_a_file_is_known_by_its_name(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, attachments=["file_1"])
    await bb.adapter.perform(operation)

    assert (await bb.restarted().lookup(operation)).disposition is Disposition.ACCEPTED


async def test_absence_is_no_proof_unless_the_owner_says_so(bb: BlueBubblesHarness) -> None:
    never = await doubtful(bb, "hang_unsent")
    again = await doubtful(bb, "hang_unsent", resend="after_quiet")

    assert never.disposition is Disposition.MAY_HAVE_COMPLETED
    assert (again.disposition, again.is_retry_safe, again.is_certain) == (Disposition.NOT_STARTED, True, True)


async def test_a_part_that_is_found_forbids_to_send_all_again(bb: BlueBubblesHarness) -> None:
    bb.server.faults.is_private_api = False
    bridge = bb.restarted(resend="after_quiet")
    operation = bb.operation(OperationKind.SEND, text="look", audio_message="file_1")
    bb.mac.write(bb.chat, "look")
    bb.clock.advance(QUIET_MS)
    found = await bridge.lookup(operation)

    assert (found.disposition, found.code) == (Disposition.MAY_HAVE_COMPLETED, "partly_found")


async def test_absence_on_a_sick_server_is_no_proof_for_anybody(bb: BlueBubblesHarness) -> None:
    bb.server.faults.is_helper_connected = False
    bridge = bb.restarted(resend="after_quiet")
    operation = bb.operation(OperationKind.SEND, text="hello")
    bb.clock.advance(QUIET_MS)

    assert (await bridge.lookup(operation)).disposition is Disposition.MAY_HAVE_COMPLETED


async def test_other_operations_are_proved_by_what_shows(bb: BlueBubblesHarness) -> None:
    sent = await bb.send("helo")
    asked = [
        bb.operation(OperationKind.EDIT, message_guid=sent.provider_id, text="hello"),
        bb.operation(OperationKind.REACT, message_guid=sent.provider_id, type="love"),
        bb.operation(OperationKind.GROUP_CREATE, participants=[CONTACT, STRANGER], text="hi"),
    ]
    before = [(await bb.adapter.lookup(each)).disposition for each in asked]
    for each in asked:
        await bb.adapter.perform(each)
    bridge = bb.restarted()

    assert set(before) == {Disposition.MAY_HAVE_COMPLETED}
    assert [(await bridge.lookup(each)).disposition for each in asked] == [Disposition.ACCEPTED] * 3


async def test_of_two_equal_texts_the_later_send_is_the_later_row(bb: BlueBubblesHarness) -> None:
    bb.mac.write(bb.chat, "ok")
    bb.clock.advance(3_000)
    operation = bb.operation(OperationKind.SEND, text="ok")
    bb.clock.advance(500)
    second = bb.mac.write(bb.chat, "ok")

    assert (await bb.restarted().lookup(operation)).provider_id == second["guid"]
