"""What a bridge accepted is seen at once: groups, polls, places, cards, and how a chat stands."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.flow.aftermath import Answered, leave_behind
from hub.flow.repositories import Chat
from hub.model.ids import Prefix, id_text
from hub.model.outbox import Disposition, Operation, OperationKind, OperationOutcome, OutboxItem
from tests.support.hub_world import CONTACT, STRANGER, HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker

MEMBERS = [CONTACT, "+15550100002"]
FILE = id_text(Prefix.FILE, 77)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.fixture
def worker(world: HubWorld) -> SandboxWorker:
    return SandboxWorker(world)


async def done(world: HubWorld, worker: SandboxWorker, kind: OperationKind, **payload: object) -> OutboxItem:
    """Let it be performed; give the item at its end."""
    item_id = await worker.owe(kind, **payload)
    await worker.perform()
    item = await world.store.outbox.get(item_id)
    assert item is not None
    return item


async def chat(world: HubWorld, key: str) -> Chat:
    found = await world.store.chats.by_key(world.sandbox_line.id, key)
    assert found is not None
    return found


async def made(world: HubWorld, worker: SandboxWorker) -> Chat:
    """A group of ours, before the network has shown anything of it."""
    item = await done(world, worker, OperationKind.GROUP_CREATE, participants=MEMBERS, name="Trip")
    found = await world.store.chats.get(item.id)
    assert found is not None
    assert item.result == {"chat_id": id_text(Prefix.CHAT, item.id), "participants": MEMBERS}
    return found


async def test_a_new_group_is_there_when_its_bridge_said_so_and_stays_one(
    world: HubWorld, worker: SandboxWorker
) -> None:
    before = await made(world, worker)
    await worker.listen()
    after = await world.store.chats.get(before.id)

    assert (before.is_group, before.name, list(before.participants)) == (True, "Trip", MEMBERS)
    assert after is not None
    assert (after.chat_key, after.name, after.participants) == (before.chat_key, "Trip", before.participants)


async def test_a_group_follows_what_is_done_to_it(world: HubWorld, worker: SandboxWorker) -> None:
    key = (await made(world, worker)).chat_key
    await done(world, worker, OperationKind.GROUP_RENAME, chat_key=key, name="Holiday")
    await done(world, worker, OperationKind.GROUP_ADD, chat_key=key, handle=STRANGER)
    await done(world, worker, OperationKind.GROUP_REMOVE, chat_key=key, handle=MEMBERS[1])
    await done(world, worker, OperationKind.GROUP_ICON, chat_key=key, file_id=FILE)
    stands = await chat(world, key)

    assert (stands.name, stands.participants, stands.icon_file_id) == ("Holiday", (CONTACT, STRANGER), 77)
    await done(world, worker, OperationKind.GROUP_ICON, chat_key=key, remove=True)
    await done(world, worker, OperationKind.GROUP_LEAVE, chat_key=key)
    stands = await chat(world, key)
    assert (stands.icon_file_id, stands.left_at) == (None, world.clock.now_ms())


async def test_reading_and_marking_as_unread(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("Hi")
    key = f"dm:{CONTACT}"
    unread = await world.store.chats.unread([(await chat(world, key)).id])
    await done(world, worker, OperationKind.READ, chat_key=key)
    read = await chat(world, key)
    await done(world, worker, OperationKind.UNREAD, chat_key=key)

    assert list(unread.values()) == [1]
    assert (read.own_read_at, read.is_marked_unread) == (world.clock.now_ms(), False)
    assert (await chat(world, key)).is_marked_unread
    assert await world.store.chats.unread([read.id]) == {read.id: 0}


async def test_reading_where_nothing_was_ever_said_makes_no_chat(
    world: HubWorld, worker: SandboxWorker
) -> None:
    item = await done(world, worker, OperationKind.READ, chat_key=f"dm:{STRANGER}")

    assert item.state.name == "SENT"
    assert await world.store.chats.by_key(world.sandbox_line.id, f"dm:{STRANGER}") is None


@pytest.mark.parametrize("is_evidence_first", [False, True])
async def test_a_poll_has_the_id_of_its_outbox_item_whoever_tells_first(
    world: HubWorld, worker: SandboxWorker, is_evidence_first: bool
) -> None:
    await world.say("Hi")
    item_id = await worker.owe(
        OperationKind.POLL, chat_key=f"dm:{CONTACT}", title="Lunch?", options=["Soup", "Salad"]
    )
    if is_evidence_first:  # performed by a worker that died before it could say so
        item = await world.store.outbox.get(item_id)
        assert item is not None
        operation = Operation(
            outbox_id=item.id, line_handle=world.sandbox_line.handle, kind=item.kind, payload=item.payload,
            dispatched_at=world.clock.now_ms(),
        )  # fmt: skip
        await worker.bridge.perform(operation)
        await worker.listen()
    await worker.work()
    tally = await world.store.chats.poll(item_id)
    item = await world.store.outbox.get(item_id)

    assert tally is not None
    assert (tally.poll.title, tally.poll.is_from_me, tally.poll.outbox_id) == ("Lunch?", 1, item_id)
    assert tally.poll.chat_id == (await chat(world, f"dm:{CONTACT}")).id
    assert item is not None
    assert (item.result or {})["poll_id"] == id_text(Prefix.POLL, item_id)


async def test_places_a_card_and_a_background_are_kept(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("Hi")
    located = await done(world, worker, OperationKind.LOCATION)
    carded = await done(world, worker, OperationKind.CONTACT_CARD, action="set", card={"first_name": "Ada"})
    key = f"dm:{CONTACT}"
    await done(world, worker, OperationKind.BACKGROUND, chat_key=key, file_id=FILE)
    places = await world.store.chats.places(world.sandbox_line.id)
    background: dict[str, Any] = json.loads((await chat(world, key)).background or "{}")

    assert [place.handle for place in places] == (located.result or {})["handles"]
    assert places[0].label == "Greenwich"
    assert await world.store.chats.card(world.sandbox_line.id) == (
        '{"first_name":"Ada"}',
        world.clock.now_ms(),
    )
    assert carded.result == {"card": {"first_name": "Ada"}}
    assert (background["file_id"], background["version"]) == (77, 1)


async def test_a_refusal_leaves_nothing_behind(world: HubWorld, worker: SandboxWorker) -> None:
    chat_before = await made(world, worker)
    item = await done(
        world, worker, OperationKind.GROUP_REMOVE, chat_key=chat_before.chat_key, handle=STRANGER
    )

    assert (item.state.name, (item.error or "").partition(":")[0]) == ("FAILED", "not_a_member")
    assert (await chat(world, chat_before.chat_key)).participants == chat_before.participants


ODD: tuple[tuple[OperationKind, dict[str, object], dict[str, object]], ...] = (
    (OperationKind.GROUP_CREATE, {}, {"chat_key": 5}),
    (OperationKind.GROUP_CREATE, {}, {}),
    (OperationKind.POLL, {}, {"poll_guid": "P", "options": [{"id": 1}]}),
    (OperationKind.LOCATION, {}, {"places": [{"handle": "+1", "latitude": "north", "longitude": 1.0}]}),
    (OperationKind.CONTACT_CARD, {}, {"card": ["x"]}),
    (OperationKind.GROUP_ICON, {"chat_key": f"dm:{CONTACT}", "file_id": "nonsense"}, {}),
    (OperationKind.BACKGROUND, {"chat_key": f"dm:{CONTACT}", "remove": True}, {"version": "one"}),
)


@pytest.mark.parametrize(("kind", "payload", "result"), ODD, ids=lambda each: str(each)[:30])
async def test_an_answer_that_makes_no_sense_is_set_aside(
    world: HubWorld, kind: OperationKind, payload: dict[str, object], result: dict[str, object]
) -> None:
    await world.say("Hi")
    operation = Operation(
        outbox_id=5, line_handle=world.sandbox_line.handle, kind=kind, payload=payload, dispatched_at=1
    )
    outcome = OperationOutcome(disposition=Disposition.ACCEPTED, result=result)
    answered = Answered(line=world.sandbox_line, operation=operation, outcome=outcome, now_ms=2)

    assert await world.store.hot.write(lambda tx: leave_behind(tx, answered)) is None


async def test_what_needs_no_more_is_passed_on(world: HubWorld, worker: SandboxWorker) -> None:
    called = await done(world, worker, OperationKind.FACETIME, to=CONTACT)
    checked = await done(world, worker, OperationKind.CHECK, handle=CONTACT)

    assert list(called.result or {}) == ["url"]
    assert (checked.result or {})["imessage"] is True
