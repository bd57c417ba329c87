"""What clients do beyond the checklist: conversations, answers, files, retries of requests, lines that cannot."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.sandbox import contacts
from hub.flow.rows import OutboxUpdate
from hub.model.outbox import OperationKind, OutboxState
from hub.rules.lanes import shard_of
from tests.dialects.msgbubbles.bubbles import (
    FOREIGN,
    SECOND,
    SEND,
    THIRD,
    a_client,
    group,
    quoted,
    read,
    sent,
    staged,
    told,
)
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, SANDBOX_LINE, HubWorld
from tests.support.sandbox_worker import SandboxWorker


async def test_a_conversation_stands_in_place_of_the_handles(client: Caller, worker: SandboxWorker) -> None:
    direct = await sent(client)
    again = await client.post("/v1/messages", {"conversation_id": direct["conversation_id"], "text": "more"})
    trip = await group(client, CONTACT, SECOND)
    both = await client.post("/v1/messages", {"conversation_id": trip["id"], "text": "to both"})

    assert (again.status, again.json["data"]["conversation_id"]) == (202, direct["conversation_id"])
    assert (both.status, both.json["data"]["conversation_id"]) == (202, trip["id"])
    assert told(await client.post("/v1/messages", {"conversation_id": FOREIGN, "text": "hi"})) == (
        404,
        "not_found",
    )


async def test_an_answer_names_what_it_answers(client: Caller, worker: SandboxWorker) -> None:
    first = await sent(client)
    await worker.work()
    answer = await sent(client, reply_to=first["id"], effect="confetti")
    listed = (await client.get("/v1/messages")).json["data"]

    assert (answer["reply_to"], answer["effect"]) == (first["id"], "confetti")
    assert {each["id"]: each["reply_to"] for each in listed} == {answer["id"]: first["id"], first["id"]: None}
    assert told(await client.post("/v1/messages", {**SEND, "reply_to": FOREIGN})) == (404, "not_found")
    waiting = await client.post("/v1/messages", {**SEND, "reply_to": answer["id"]})
    assert told(waiting) == (409, "conflict")


async def test_ten_files_and_words_are_one_message(client: Caller, worker: SandboxWorker) -> None:
    ids = await staged(client, 10)
    message = await sent(client, attachment_ids=ids)
    await worker.work()

    assert [each["id"] for each in message["attachments"]] == ids
    assert message["text"] == SEND["text"]
    assert (await read(client, f"/v1/messages/{message['id']}"))["status"] == "read"
    assert {each["message_id"] for each in message["attachments"]} == {message["id"]}


async def test_a_recording_goes_as_a_voice_memo(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    (file_id,) = await staged(client)
    await sent(client, attachment_ids=[file_id], text=None, voice_memo=True)
    (ours,) = (await world.api.get("/v1/messages")).json["data"]

    assert ours["is_audio_message"] is True
    two = await client.post(
        "/v1/messages", {**SEND, "attachment_ids": await staged(client, 1), "voice_memo": True}
    )
    assert told(two) == (400, "invalid_request")


async def test_who_is_not_on_imessage_gets_an_sms(client: Caller, worker: SandboxWorker) -> None:
    message = await sent(client, to="+15550100302")
    await worker.work()
    shown = await read(client, f"/v1/messages/{message['id']}")

    assert (shown["channel"], shown["status"]) == ("sms", "delivered")
    assert told(await client.post(f"/v1/messages/{message['id']}/react", {"reaction": "love"})) == (
        409,
        "conflict",
    )


async def test_what_comes_in_is_shown(world: HubWorld, client: Caller) -> None:
    await world.say("Hi")
    (message,) = (await client.get("/v1/messages")).json["data"]
    chat = await read(client, f"/v1/chats/{message['conversation_id']}")

    assert (message["direction"], message["status"], message["channel"]) == (
        "inbound",
        "received",
        "imessage",
    )
    assert message["sent_at"] is not None
    assert (chat["from_handle"], chat["remote_handle"], chat["is_group"]) == (SANDBOX_LINE, CONTACT, False)
    assert chat["last_message_at"] == message["created_at"]


async def test_a_contacts_message_is_reacted_to_and_marked_as_read(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    await world.say("Hi")
    (message,) = (await client.get("/v1/messages")).json["data"]
    reacted = await client.post(f"/v1/messages/{message['id']}/react", {"reaction": "🎉"})
    marked = await client.post(f"/v1/chats/{message['conversation_id']}/read")
    typing = [
        await client.post(f"/v1/chats/{message['conversation_id']}/typing", body)
        for body in (None, {"typing": False})
    ]

    assert (reacted.status, marked.status) == (200, 200)
    assert [(each.status, each.json["data"]["typing"]) for each in typing] == [(202, True), (202, False)]
    (native,) = (await world.api.get("/v1/chats")).json["data"]
    assert native["unread_count"] == 0
    assert told(await client.post(f"/v1/messages/{message['id']}/unsend")) == (409, "conflict")


async def test_chats_come_newest_first_page_by_page(world: HubWorld, client: Caller) -> None:
    for contact in (CONTACT, SECOND, THIRD):
        await world.say("Hi", contact=contact)
        world.clock.advance(1_000)
    await world.say("again", contact=CONTACT)
    seen: list[str] = []
    path, has_more = "/v1/chats?limit=1", True
    while has_more:
        page = (await client.get(path)).json
        has_more, (chat,) = page["has_more"], page["data"]
        seen.append(chat["remote_handle"])
        path = f"/v1/chats?limit=1&before={quoted(chat['created_at'])}"

    assert seen == [THIRD, SECOND, CONTACT]


async def test_a_group_that_the_network_refuses_is_told_at_once(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    trip = await group(client, CONTACT, SECOND)
    path = f"/v1/chats/{trip['id']}/participants"
    key = {"Idempotency-Key": "join"}
    first = await client.post(path, {"handle": THIRD}, headers=key)
    again = await client.post(path, {"handle": THIRD}, headers=key)
    twice = await client.post(path, {"handle": THIRD})

    assert (first.status, again.status) == (200, 200)
    assert told(twice) == (409, "conflict")


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        (None, None, (503, "device_offline")),
        (OutboxState.UNKNOWN, None, (503, "unavailable")),
        (OutboxState.FAILED, "line_offline: The line is offline.", (503, "device_offline")),
        (OutboxState.FAILED, "25: The network refused it.", (502, "rename_failed")),
    ],
    ids=["waits", "no answer", "offline", "refused"],
)
async def test_each_verdict_has_its_code(  # noqa: PLR0917 - what a verdict is, and who gets it
    world: HubWorld,
    client: Caller,
    worker: SandboxWorker,
    state: OutboxState | None,
    error: str | None,
    expected: tuple[int, str],
) -> None:
    trip = await group(client, CONTACT, SECOND)
    world.naps.meanwhile = _Ending(world, state, error)
    answered = await client.patch(f"/v1/chats/{trip['id']}", {"title": "Holiday"})

    assert told(answered) == expected
    assert ("retry-after" in answered.headers) == (answered.status == 503)


class _Ending:
    """Does what a worker would do whose bridge says this."""

    def __init__(self, world: HubWorld, state: OutboxState | None, error: str | None) -> None:
        self._world = world
        self._state = state
        self._error = error

    async def __call__(self, seconds: float) -> None:
        if self._state is None:
            return
        line, now = self._world.sandbox_line, self._world.clock.now_ms()
        due = await self._world.store.hot.read(lambda tx: tx.due_outbox(line.id, shard_of(line.id), 100))
        for item in [each for each in due if each.kind == OperationKind.GROUP_RENAME]:
            for state in dict.fromkeys((OutboxState.DISPATCHED, self._state)):
                is_over = now if state >= OutboxState.SENT else None
                update = OutboxUpdate(item.id, state, 1, now, now, None, self._error, is_over)
                await self._world.store.hot.write(lambda tx, update=update: tx.update_outbox([update]))  # type: ignore[misc] # bound early on purpose


async def test_a_number_that_cannot_says_so(world: HubWorld, client: Caller) -> None:
    """A line without the capability, as a device that cannot: nothing is owed, and nothing is pretended."""
    worker = SandboxWorker(world, without=frozenset({"edit", "effects", "group_create", "availability"}))
    await worker.tell_capabilities()
    message = await sent(client)
    await worker.work()

    edited = await client.post(f"/v1/messages/{message['id']}/edit", {"text": "other"})
    effect = await client.post("/v1/messages", {**SEND, "effect": "confetti"})
    made = {"from_handle": SANDBOX_LINE, "addresses": [CONTACT, SECOND], "message": "Hi"}
    for answered in (edited, effect, await client.post("/v1/chats", made)):
        assert told(answered) == (409, "conflict")
    availability = await client.get(f"/v1/handles/availability?handle={CONTACT}")
    assert told(availability) == (503, "unavailable")


async def test_a_number_that_may_only_answer_says_so(client: Caller) -> None:
    """The vendor has no such rule; this hub may hold a number to it."""
    answered = await client.post("/v1/messages", {**SEND, "from_handle": OTHER_LINE})

    assert told(answered) == (409, "conflict")


async def test_a_key_that_may_not_read_sends_nothing(world: HubWorld) -> None:
    """The answer of a send shows the message: whoever may not read it is refused before, not after."""
    mute = await a_client(world, scopes=frozenset({"messages:write", "chats:write", "reactions:write"}))

    assert told(await mute.post("/v1/messages", SEND)) == (403, "forbidden")
    made = {"from_handle": SANDBOX_LINE, "addresses": [CONTACT, SECOND], "message": "Hi"}
    assert told(await mute.post("/v1/chats", made)) == (403, "forbidden")
    assert (await world.api.get("/v1/messages")).json["data"] == []


async def test_a_repeat_waits_for_what_was_begun(
    world: HubWorld, client: Caller, worker: SandboxWorker
) -> None:
    body = {"from_handle": SANDBOX_LINE, "addresses": [CONTACT, SECOND], "message": "Hello both"}
    key = {"Idempotency-Key": "trip"}
    performs, world.naps.meanwhile = world.naps.meanwhile, _Ending(world, None, None)
    early = await client.post("/v1/chats", body, headers=key)
    world.naps.meanwhile = performs
    late = await client.post("/v1/chats", body, headers=key)
    again = await client.post("/v1/chats", body, headers=key)

    assert told(early) == (503, "device_offline")
    assert (late.status, again.status, again.json["data"]["id"]) == (201, 200, late.json["data"]["id"])
    assert len((await client.get("/v1/chats")).json["data"]) == 1


async def test_a_repeated_send_shows_the_message_as_it_is_now(client: Caller, worker: SandboxWorker) -> None:
    key = {"Idempotency-Key": "k"}
    message = await sent(client, headers=key)
    await worker.work()
    again = await client.post("/v1/messages", SEND, headers=key)

    assert (again.status, again.json["data"]["id"], again.json["data"]["status"]) == (
        200,
        message["id"],
        "read",
    )


async def test_every_repeat_of_a_post_is_harmless(client: Caller, worker: SandboxWorker) -> None:
    message = await sent(client)
    await worker.work()
    asked: list[tuple[str, Any]] = [
        (f"/v1/messages/{message['id']}/react", {"reaction": "love"}),
        (f"/v1/messages/{message['id']}/edit", {"text": "new"}),
        (f"/v1/messages/{message['id']}/unsend", None),
        ("/v1/attachments/presign", {"filename": "a.txt", "content_type": "text/plain"}),
    ]
    for number, (path, body) in enumerate(asked):
        headers = {"Idempotency-Key": f"key-{number}", "Content-Type": "application/json"}
        first, again = [await client.post(path, body, headers=headers) for _ in range(2)]
        assert first.status in {200, 201}, (path, first.body)
        assert again.status == 200, (path, again.body)
        assert again.json["data"]["id"] == first.json["data"]["id"]


async def test_what_a_contact_took_back_is_unsent(world: HubWorld, client: Caller) -> None:
    guid = await world.say("Hi")
    scene = contacts.direct(SANDBOX_LINE, CONTACT)
    await world.observe(world.sandbox_line, contacts.unsend(scene, guid, at=world.clock.now_ms() + 1))
    (message,) = (await client.get("/v1/messages")).json["data"]

    assert message["status"] == "unsent"


async def test_of_sends_at_the_same_moment_one_gets_the_file_and_one_key_is_one_message(
    client: Caller, worker: SandboxWorker
) -> None:
    (file_id,) = await staged(client)
    body = {**SEND, "attachment_ids": [file_id]}
    raced = await asyncio.gather(*(client.post("/v1/messages", body) for _ in range(4)))
    key = {"Idempotency-Key": "race"}
    repeated = await asyncio.gather(*(client.post("/v1/messages", SEND, headers=key) for _ in range(4)))

    assert sorted(each.status for each in raced) == [202, 400, 400, 400]
    assert {told(each) for each in raced if each.status == 400} == {(400, "invalid_attachments")}
    assert sorted(each.status for each in repeated) == [200, 200, 200, 202]
    assert len({each.json["data"]["id"] for each in repeated}) == 1
