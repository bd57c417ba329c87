"""Edits and unsends of ours: told once, by the bridge's answer or by evidence, on both databases."""

from __future__ import annotations

from functools import partial

import pytest

from hub.flow.payloads import status_of
from hub.flow.repositories import Store
from hub.model.observation import ObservedMessage
from hub.model.outbox import OperationKind, OutboxState
from tests.store.shown_sends import ACCEPTED, REFUSED, named, shown
from tests.support.sent_story import UNSURE, Stage, a_stage
from tests.support.sightings import AT, a_message, seen


@pytest.fixture
async def stage(store: Store) -> Stage:
    return await a_stage(store)


async def a_sent_message(stage: Stage, guid: str = "G") -> int:
    accepted = await stage.ask("Helo")
    stage.bridge.outcome = named(ACCEPTED, guid)
    await stage.tell(shown("message.sent", guid, accepted.outbox_id, text="Helo"))
    await stage.end(accepted.outbox_id)
    return (await stage.message(accepted.message_id or 0)).id


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("when", ["before", "after", "never"])
async def test_an_edit_of_ours_is_told_once(stage: Stage, when: str, dated: bool) -> None:
    message_id = await a_sent_message(stage)
    item = await stage.change(OperationKind.EDIT, await stage.message(message_id), text="Hello")
    edited_at = stage.clock.now_ms() + 7 if dated else None
    message = a_message("G", "Hello", is_from_me=True, edited_at=edited_at)
    evidence = seen("message.edited", message=message, at=AT + 20)
    stage.bridge.meanwhile = [partial(stage.tell, evidence)] if when == "before" else []
    await stage.end(item)
    for _ in range(2 if when != "never" else 0):
        await stage.tell(evidence)

    assert (await stage.message(message_id)).text == "Hello"
    assert (await stage.told(message_id)).count("message.edited") == 1


async def test_two_edits_to_the_same_words_are_two(stage: Stage) -> None:
    """There and back again: each edit has its own echo."""
    message_id = await a_sent_message(stage)
    for number, text in enumerate(("Hello", "Helo", "Hello")):
        item = await stage.change(OperationKind.EDIT, await stage.message(message_id), text=text)
        await stage.end(item)
        edited_at = AT + 100 + number
        message = a_message("G", text, is_from_me=True, edited_at=edited_at)
        await stage.tell(seen("message.edited", message=message, at=edited_at))

    assert (await stage.told(message_id)).count("message.edited") == 3


async def test_an_edit_from_another_device_is_told_beside_ours(stage: Stage) -> None:
    message_id = await a_sent_message(stage)
    item = await stage.change(OperationKind.EDIT, await stage.message(message_id), text="Hello")
    await stage.end(item)
    message = a_message("G", "Hi", is_from_me=True, edited_at=stage.clock.now_ms() + 1)
    await stage.tell(seen("message.edited", message=message, at=AT + 20))

    assert (await stage.message(message_id)).text == "Hi"
    assert (await stage.told(message_id)).count("message.edited") == 2


@pytest.mark.parametrize("when", ["before", "after", "never"])
async def test_an_unsend_of_ours_is_told_once(stage: Stage, when: str) -> None:
    message_id = await a_sent_message(stage)
    item = await stage.change(OperationKind.UNSEND, await stage.message(message_id))
    message = ObservedMessage(provider_id="G", is_from_me=True, unsent_parts=(0,), unsent_at=AT + 30)
    evidence = seen("message.unsent", message=message, at=AT + 30)
    stage.bridge.meanwhile = [partial(stage.tell, evidence)] if when == "before" else []
    await stage.end(item)
    for _ in range(2 if when != "never" else 0):
        await stage.tell(evidence)

    assert status_of(await stage.message(message_id)) == "unsent"
    assert (await stage.told(message_id)).count("message.unsent") == 1


@pytest.mark.parametrize("kind", [OperationKind.EDIT, OperationKind.UNSEND])
async def test_an_unknown_change_is_proved_by_evidence(stage: Stage, kind: OperationKind) -> None:
    message_id = await a_sent_message(stage)
    item = await stage.change(kind, await stage.message(message_id), text="Hello")
    stage.bridge.outcome = UNSURE
    await stage.step(item)
    observed = {
        OperationKind.EDIT: seen(
            "message.edited", message=a_message("G", "Hello", is_from_me=True, edited_at=AT + 99)
        ),
        OperationKind.UNSEND: seen("message.unsent", message=a_message("G", None, is_from_me=True)),
    }[kind]
    await stage.tell(observed)

    assert (await stage.end(item)).state is OutboxState.SENT
    told = await stage.told(message_id)
    assert (told.count("message.edited"), told.count("message.unsent")) == (
        int(kind is OperationKind.EDIT),
        int(kind is OperationKind.UNSEND),
    )


@pytest.mark.parametrize("kind", [OperationKind.EDIT, OperationKind.UNSEND])
async def test_a_change_that_is_refused_changes_nothing(stage: Stage, kind: OperationKind) -> None:
    message_id = await a_sent_message(stage)
    before = await stage.message(message_id)
    item = await stage.change(kind, before, text="Hello")
    stage.bridge.outcome = REFUSED

    assert (await stage.end(item)).state is OutboxState.FAILED
    assert await stage.message(message_id) == before
