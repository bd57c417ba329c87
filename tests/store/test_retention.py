"""What is old goes, a page at a time, with all that belongs to it; what is still owed or is proof stays."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from hub.flow.ports import HotTransaction
from hub.flow.repositories import Store
from hub.model.delivery import DeliveryState
from hub.model.ids import first_id_at, parse_id
from tests.api.bulk_stage import feed, make
from tests.store.specimens import (
    ATTEMPT,
    DISPATCH,
    FINISH,
    OUTBOX,
    RAW,
    delivery,
    event,
)
from tests.store.test_hot import KNOWN
from tests.support.hub_world import CONTACT, SANDBOX_LINE, HubWorld, open_world
from tests.support.sandbox_worker import SandboxWorker

WAIT = {"Prefer": "wait=5"}
#: Of which the sandbox simulates votes, reactions and reads.
ECHO = "+15550100200"
#: A page more than there can be.
ALL = 1000


@pytest.fixture
async def world(url: str) -> AsyncIterator[HubWorld]:
    async with open_world(url) as opened:
        yield opened


@pytest.fixture
def worker(world: HubWorld) -> SandboxWorker:
    worker = SandboxWorker(world)
    worker.attend()
    return worker


async def expire(world: HubWorld, *tables: str) -> dict[str, int]:
    """Delete what is older than now."""
    world.clock.advance(1)
    before_ms = world.clock.now_ms()
    return {
        table: await world.store.retention.expire_page(table, before_ms=before_ms, limit=ALL)
        for table in tables
    }


async def _deliver(store: Store, states: dict[int, DeliveryState]) -> None:
    """One event with one delivery to webhook 7 for each state, ids alike."""

    async def work(tx: HotTransaction) -> None:
        await tx.insert_events([event(number) for number in states])
        await tx.insert_deliveries([delivery(number, event_id=number) for number in states])
        await tx.finish_deliveries(
            [FINISH._replace(id=number, state=state) for number, state in states.items()],
            [ATTEMPT._replace(delivery_id=number) for number in states],
        )

    await store.hot.write(work)


async def test_old_events_go_with_their_deliveries_and_attempts(store: Store) -> None:
    """In pages, oldest first; one with a pending delivery stays."""
    states = {
        1: DeliveryState.SUCCEEDED,
        2: DeliveryState.PENDING,
        3: DeliveryState.DEAD,
        4: DeliveryState.HELD,
    }
    await _deliver(store, states)
    before = 1_704_067_200_001
    assert first_id_at(before) > 4
    pages = [await store.retention.expire_page("events", before_ms=before, limit=2) for _ in range(3)]

    assert pages == [2, 1, 0]
    assert [found.id for found in await store.events.page(first_id=0, last_id=99, limit=9)] == [2]
    assert await store.deliveries.get(1) is None
    assert await store.deliveries.attempts(1) == []
    assert [attempt.number for attempt in await store.deliveries.attempts(2)] == [1]


async def test_everything_old_expires(store: Store) -> None:
    """Raw payloads, attempts of finished deliveries, finished sends, idempotency keys."""
    await _deliver(store, {1: DeliveryState.SUCCEEDED, 2: DeliveryState.PENDING})

    async def work(tx: HotTransaction) -> None:
        await tx.insert_raw([RAW])
        await tx.insert_idempotency([KNOWN, KNOWN._replace(key="new", created_at=2**45)])
        await tx.insert_outbox([OUTBOX, OUTBOX._replace(id=2)])
        await tx.update_outbox([DISPATCH._replace(state=4)])

    await store.hot.write(work)
    tables = ("attempts", "idempotency_keys", "outbox", "raw_payloads")
    expire = store.retention.expire_page
    counts = [await expire(table, before_ms=1_704_067_200_001, limit=9) for table in tables * 2]

    assert counts == [1, 1, 1, 1, 0, 0, 0, 0]
    assert await store.outbox.get(2) is not None
    assert len(await store.deliveries.attempts(2)) == 1


# ---- messages


async def send(world: HubWorld, text: str, **more: object) -> dict[str, str]:
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": text, **more}
    answered = await world.api.post("/v1/messages", body, headers=WAIT)
    assert answered.status == 201, answered.body
    sent: dict[str, str] = answered.json
    return sent


async def test_messages_go_and_their_chats_stay(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("How much is it?")
    sent = await send(world, "Ten")
    await worker.listen()

    gone = await expire(world, "messages")

    assert gone == {"messages": 2}
    assert (await world.api.get("/v1/messages")).json["data"] == []
    assert (await world.api.get(f"/v1/messages/{sent['message_id']}")).code == "message_not_found"
    assert (await world.api.get(f"/v1/messages/{sent['message_id']}/timeline")).code == "message_not_found"
    chats = (await world.api.get("/v1/chats?from=%2B15550100000")).json["data"]
    assert [(chat["identifier"], chat["last_message"]) for chat in chats] == [(CONTACT, None)]
    assert (await expire(world, "messages")) == {"messages": 0}


async def test_a_message_that_is_still_to_be_sent_stays(world: HubWorld, worker: SandboxWorker) -> None:
    later = world.clock.now_ms() + 86_400_000
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Tomorrow", "send_at": later}
    planned = (await world.api.post("/v1/messages", body)).json
    await send(world, "Now")

    assert await expire(world, "messages") == {"messages": 1}
    left = (await world.api.get("/v1/messages")).json["data"]
    assert [message["id"] for message in left] == [planned["message_id"]]


async def test_what_spoke_of_a_message_that_is_gone_still_reads_well(
    world: HubWorld, worker: SandboxWorker
) -> None:
    guid = await world.say("Ten or twelve?")
    first = await send(world, "Ten")
    await expire(world, "messages", "reactions")
    answer = await send(world, "Twelve, sorry")
    event_id = (await world.api.get("/v1/events?type=message.received")).json["data"][0]["id"]

    shown = (await world.api.get(f"/v1/messages/{answer['message_id']}")).json
    refused = await world.api.post(
        "/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "?", "reply_to": first["message_id"]}
    )
    edited = await world.api.post(f"/v1/messages/{first['message_id']}/edit", {"text": "11"})

    assert shown["status"] == "sent"
    assert refused.code == edited.code == "message_not_found"
    assert (await world.api.get(f"/v1/events/{event_id}")).json["data"]["guid"] == guid
    assert (await world.api.get(f"/v1/events/{event_id}/explain")).status == 200
    assert (await world.api.get(f"/v1/outbox?id={first['id']}")).status == 200
    assert (await world.api.get("/v1/messages?q=ten")).json["data"] == []


async def test_a_repeat_of_a_send_whose_message_is_gone_sends_nothing(
    world: HubWorld, worker: SandboxWorker
) -> None:
    body = {"from": SANDBOX_LINE, "to": CONTACT, "text": "Once"}
    headers = {"Idempotency-Key": "once", **WAIT}
    first = await world.api.post("/v1/messages", body, headers=headers)
    await expire(world, "messages")

    again = await world.api.post("/v1/messages", body, headers=headers)

    assert again.headers["idempotent-replayed"] == "true"
    assert again.json["message_id"] == first.json["message_id"]
    assert (await world.api.get("/v1/messages")).json["data"] == []


async def test_a_late_word_on_a_message_that_is_gone_does_no_harm(
    world: HubWorld, worker: SandboxWorker
) -> None:
    await send(world, "Read me")
    await expire(world, "messages")

    await worker.listen()  # delivered and read come now

    assert (await world.api.get("/v1/messages")).json["data"] == []


async def test_reactions_and_polls_go_with_their_votes(world: HubWorld, worker: SandboxWorker) -> None:
    asked = {"from": SANDBOX_LINE, "to": ECHO, "title": "Lunch?", "options": ["Soup", "Salad"]}
    poll = (await world.api.post("/v1/polls", asked, headers=WAIT)).json["poll_id"]
    guid = await world.say("Nice")
    loved = {"from": SANDBOX_LINE, "to": CONTACT, "message_id": guid, "type": "love"}
    assert (await world.api.post("/v1/reactions", loved, headers=WAIT)).status == 201
    await worker.listen()
    voted = (await world.api.get(f"/v1/polls/{poll}")).json
    key = [(world.sandbox_line.id, voted["guid"])]
    assert len(await world.store.hot.read(lambda tx: tx.chats.votes(key))) == voted["total_votes"] == 1

    gone = await expire(world, "polls", "reactions")

    assert gone["polls"] == 1
    assert gone["reactions"] >= 1
    assert (await world.api.get(f"/v1/polls/{poll}")).code == "poll_not_found"
    assert await world.store.hot.read(lambda tx: tx.chats.votes(key)) == []


async def test_files_go_when_their_message_has_gone(world: HubWorld, worker: SandboxWorker) -> None:
    made = await world.api.post("/v1/files", b"bytes", headers={"Content-Type": "text/plain"})
    await send(world, "See", attachments=[made.json["id"]])
    file_id = parse_id("file", made.json["id"])
    assert await world.store.files.release_orphans(limit=9, now=0) == 0

    await expire(world, "messages")

    assert await world.store.files.release_orphans(limit=9, now=0) == 1
    assert await world.store.files.expire_page(unused_before=2**50, now=2**50, limit=9) == 1
    assert await world.store.files.get(file_id) is None


async def test_chats_consents_and_contacts_are_never_old(world: HubWorld, worker: SandboxWorker) -> None:
    await world.say("STOP")
    await expire(world, "messages", "reactions", "polls", "outbox", "events", "raw_payloads")

    refused = await world.api.post(
        "/v1/messages", {"from": SANDBOX_LINE, "to": CONTACT, "text": "Still there?"}
    )

    assert refused.code == "contact_opted_out"


# ---- bulk sends, and what was found out


async def test_bulk_sends_go_after_their_recipients_once_they_are_over(world: HubWorld) -> None:
    running = await make(world)
    over = await make(world, people=["+15550107777"])
    await world.api.post(f"/v1/bulk/{over['id']}/cancel", {})
    retention = world.store.retention

    world.clock.advance(1)
    now_ms = world.clock.now_ms()
    counts = [await retention.expire_page("bulk_jobs", before_ms=now_ms, limit=1) for _ in range(3)]

    assert counts == [1, 1, 0]
    assert (await world.api.get(f"/v1/bulk/{over['id']}")).code == "bulk_not_found"
    assert (await world.api.get(f"/v1/bulk/{running['id']}")).json["total"] == 3
    await feed(world, running)


async def test_what_was_found_out_of_handles_is_asked_anew(world: HubWorld, worker: SandboxWorker) -> None:
    path = "/v1/availability?from=%2B15550100000&handle=%2B15550100001"
    assert (await world.api.get(path)).status == 200

    assert await expire(world, "availability") == {"availability": 1}
    assert (await world.api.get(path)).status == 200
