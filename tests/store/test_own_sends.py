"""A message that we send is one, whatever order its outcome, its evidence and a crash come in; on both databases."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import msgspec
import pytest

from hub.flow.payloads import status_of
from hub.flow.repositories import Store
from hub.flow.rows import Known
from hub.model.observation import ObservedError
from hub.model.outbox import OutboxState, attempt_id
from tests.store.shown_sends import ACCEPTED, REFUSED, bare, named, shown
from tests.support.sent_story import Stage, a_stage
from tests.support.sightings import AT


@pytest.fixture
async def stage(store: Store) -> Stage:
    return await a_stage(store)


# ---- names


@pytest.mark.parametrize("quotes", [True, False])
@pytest.mark.parametrize("is_evidence_first", [True, False])
async def test_it_takes_its_networks_name(stage: Stage, quotes: bool, is_evidence_first: bool) -> None:
    accepted = await stage.ask(metadata=None)
    outbox_id, asked_id = accepted.outbox_id, accepted.message_id or 0
    evidence = shown("message.sent", "G", outbox_id if quotes else None, sent_at=AT + 1)
    stage.bridge.outcome = named(ACCEPTED, "G")
    if is_evidence_first:
        stage.bridge.meanwhile.append(partial(stage.tell, evidence))
    await stage.end(outbox_id)
    if not is_evidence_first:
        await stage.tell(evidence)

    message = await stage.message(asked_id)
    assert (message.guid, message.outbox_id, status_of(message)) == ("G", outbox_id, "sent")
    assert message.queued_at is not None
    assert await stage.visible("G", attempt_id(outbox_id)) == {message.id: message}


async def test_what_went_as_sms_says_so_once(stage: Stage) -> None:
    accepted = await stage.ask(allow_sms_fallback=True)
    asked_id = accepted.message_id or 0
    stage.bridge.outcome = replace(named(ACCEPTED, "SM1"), was_downgraded=True)
    await stage.end(accepted.outbox_id)
    await stage.tell(shown("message.sent", "SM1", accepted.outbox_id, service="SMS", sent_at=AT + 1))
    await stage.tell(shown("status.delivered", "SM1", None, service="SMS", delivered_at=AT + 2))

    message = await stage.message(asked_id)
    assert (message.was_downgraded, status_of(message)) == (1, "delivered")
    told = await stage.told(asked_id)
    assert told.count("message.downgraded") == 1
    assert sorted(told) == ["message.delivered", "message.downgraded", "message.queued", "message.sent"]


async def test_a_placeholder_becomes_a_part_of_the_row_that_its_network_showed(stage: Stage) -> None:
    """What was asked for is kept; the words are those of the network."""
    accepted = await stage.ask("hello")
    stage.bridge.outcome = named(ACCEPTED, "G")
    stage.bridge.meanwhile.append(partial(stage.tell, shown("message.sent", "G", None, text="Hello!")))
    await stage.end(accepted.outbox_id)
    message = await stage.message(accepted.message_id or 0)

    assert message.id != accepted.message_id
    assert (message.text, message.outbox_id) == ("Hello!", accepted.outbox_id)
    assert message.queued_at is not None
    item = await stage.item(accepted.outbox_id)
    assert item.message_id == message.id


async def test_what_the_network_shows_beats_what_was_asked_for(stage: Stage) -> None:
    accepted = await stage.ask("hi")
    await stage.tell(shown("message.sent", "G", accepted.outbox_id, text="HI!"))

    assert (await stage.message(accepted.message_id or 0)).text == "HI!"


async def test_bare_evidence_shows_what_was_asked_for(stage: Stage) -> None:
    accepted = await stage.ask("hi")
    await stage.tell(shown("status.delivered", "G", accepted.outbox_id, text=None))
    message = await stage.message(accepted.message_id or 0)

    assert (message.text, message.is_known, status_of(message)) == ("hi", Known.ASKED, "delivered")


# ---- failure


@pytest.mark.parametrize("is_evidence_first", [True, False])
@pytest.mark.parametrize("quotes", [True, False])
@pytest.mark.parametrize("tells_guid", [True, False])
async def test_a_failure_is_told_once(
    stage: Stage, is_evidence_first: bool, quotes: bool, tells_guid: bool
) -> None:
    if not quotes and not tells_guid:
        return  # nothing links the two
    accepted = await stage.ask()
    outbox_id, asked_id = accepted.outbox_id, accepted.message_id or 0
    error = ObservedError(code="22", raw="shown")
    evidence = shown("status.failed", "G", outbox_id if quotes else None, error=error)
    stage.bridge.outcome = named(REFUSED, "G") if tells_guid else REFUSED
    if is_evidence_first:
        stage.bridge.meanwhile.append(partial(stage.tell, evidence))
    await stage.end(outbox_id)
    for _ in range(2):
        await stage.tell(evidence)

    message = await stage.message(asked_id)
    assert status_of(message) == "failed"
    assert (await stage.told(asked_id, message.id)).count("message.failed") == 1
    assert len(await stage.visible("G", attempt_id(outbox_id))) == 1


async def test_what_nobody_can_prove_ends_as_failed_and_says_why(stage: Stage) -> None:
    accepted = await stage.ask()
    item = await stage.end(accepted.outbox_id)
    message = await stage.message(accepted.message_id or 0)

    assert (item.state, status_of(message)) == (OutboxState.FAILED, "failed")
    assert msgspec.json.decode(message.error or "{}")["code"] == "delivery_unknown"
    assert await stage.told(message.id) == ["message.queued", "message.failed"]


async def test_late_proof_overrules_that_nobody_knew(stage: Stage) -> None:
    accepted = await stage.ask()
    await stage.end(accepted.outbox_id)
    await stage.tell(shown("message.sent", "G", accepted.outbox_id))
    message, item = await stage.message(accepted.message_id or 0), await stage.item(accepted.outbox_id)

    assert (status_of(message), message.error) == ("sent", None)
    assert (item.state, item.error, item.provider_id) == (OutboxState.SENT, None, "G")


async def test_late_proof_overrules_no_refusal(stage: Stage) -> None:
    """The bridge said for certain that it failed; that it went through all the same, the message says."""
    stage.bridge.outcome = REFUSED
    accepted = await stage.ask()
    await stage.end(accepted.outbox_id)
    await stage.tell(shown("message.sent", "G", accepted.outbox_id))

    assert (await stage.item(accepted.outbox_id)).state == OutboxState.FAILED


async def test_evidence_proves_what_a_bridge_could_not_say(stage: Stage) -> None:
    """Nothing is called unknown that was seen."""
    accepted = await stage.ask()
    stage.bridge.meanwhile.append(partial(stage.tell, shown("message.sent", "G", accepted.outbox_id)))
    item = await stage.end(accepted.outbox_id)

    assert (item.state, item.provider_id) == (OutboxState.SENT, "G")


async def test_one_of_several_parts_proves_nothing_of_the_others(stage: Stage) -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    accepted = await stage.ask("", parts=parts)
    stage.bridge.meanwhile.append(partial(stage.tell, shown("message.sent", "G", accepted.outbox_id)))

    assert (await stage.end(accepted.outbox_id)).state is OutboxState.FAILED


# ---- retries


async def test_a_retry_begins_after_the_parts_that_its_network_has(stage: Stage) -> None:
    parts = [{"type": "text", "text": text} for text in "abc"]
    accepted = await stage.ask("", parts=parts)
    stage.bridge.outcome = replace(REFUSED, parts_done=2)
    await stage.end(accepted.outbox_id)
    again = await stage.retry(accepted.message_id or 0)
    stage.bridge.outcome = named(ACCEPTED, "G2")
    await stage.end(again.outbox_id)

    assert [operation.payload.get("parts_done") for operation in stage.bridge.asked] == [None, 2]
    message = await stage.message(accepted.message_id or 0)
    assert (status_of(message), message.outbox_id) == ("sent", again.outbox_id)


@pytest.mark.parametrize("quotes", [True, False])
@pytest.mark.parametrize("tells_guid", [True, False])
async def test_evidence_of_an_attempt_that_was_replaced_changes_nothing(
    stage: Stage, quotes: bool, tells_guid: bool
) -> None:
    if not quotes and not tells_guid:
        return  # nothing links the two
    accepted = await stage.ask()
    stage.bridge.outcome = named(REFUSED, "G1") if tells_guid else REFUSED
    await stage.end(accepted.outbox_id)
    again = await stage.retry(accepted.message_id or 0)
    before = await stage.message(accepted.message_id or 0)
    events = len(await stage.store.events.newest(limit=1_000))
    old = accepted.outbox_id if quotes else None
    await stage.tell(
        shown("message.sent", "G1", old), shown("status.delivered", "G1", old), bare("status.read", "G1")
    )

    assert await stage.message(accepted.message_id or 0) == before
    assert await stage.visible("G1", attempt_id(again.outbox_id)) == {before.id: before}
    assert len(await stage.store.events.newest(limit=1_000)) == events


async def test_a_retry_that_turns_out_to_be_the_first_attempt_is_that_message(stage: Stage) -> None:
    """A bridge that finds its earlier send when it is asked again."""
    accepted = await stage.ask()
    stage.bridge.outcome = named(REFUSED, "G")
    await stage.end(accepted.outbox_id)
    again = await stage.retry(accepted.message_id or 0)
    stage.bridge.outcome = named(ACCEPTED, "G")
    await stage.end(again.outbox_id)
    message = await stage.message(accepted.message_id or 0)

    assert (message.guid, status_of(message), message.outbox_id) == ("G", "sent", again.outbox_id)
    assert len(await stage.visible("G", attempt_id(again.outbox_id))) == 1
