"""The vendor's own client, unchanged, against a hub on a port: all methods of chats (contracts: blooio §6)."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import pytest
from blooio import (
    AsyncBlooio,
    AuthenticationError,
    Blooio,
    ConflictError,
    NotFoundError,
    PermissionDeniedError,
)

from tests.outbound.receivers import answering, listening
from tests.support.asgi import Caller
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, line_id
from tests.support.sandbox_worker import SandboxWorker
from tests.support.served import Served, served

T = TypeVar("T")
POLLED = "+15550100200"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABXvMqOgAAAABJRU5ErkJggg=="
)
FILE = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG


@pytest.fixture
async def hub(world: HubWorld, worker: SandboxWorker) -> AsyncIterator[Served]:
    """A hub on a port whose bridge performs what somebody waits for."""
    worker.attend()
    async with served(world) as serving:
        yield serving


@pytest.fixture
def client(hub: Served, one: Caller) -> Iterator[Blooio]:
    """The client as a customer makes it, but for the address."""
    with Blooio(base_url=f"{hub.url}/v2/api", api_key=one.token or "", max_retries=0) as made:
        yield made


async def do(call: Callable[[], T]) -> T:
    """Let the client, which blocks, ask from a thread of its own."""
    return await asyncio.to_thread(call)


async def test_chats(world: HubWorld, client: Blooio) -> None:
    await world.say("Hello")
    listed = await do(lambda: client.chats.list(limit=200, q="+1555", sort="recent"))
    shown = await do(lambda: client.chats.retrieve(CONTACT))
    read = await do(lambda: client.chats.mark_as_read(CONTACT))
    begun = await do(lambda: client.chats.typing.start(CONTACT))
    ended = await do(lambda: client.chats.typing.stop(CONTACT))

    assert listed.chats is not None
    assert listed.pagination is not None
    assert [each.id for each in listed.chats] == [CONTACT]
    assert (listed.pagination.limit, listed.pagination.total) == (200, 1)
    assert (shown.id, shown.type, shown.is_group) == (CONTACT, "phone", False)
    assert (shown.message_count, shown.inbound_count, shown.outbound_count) == (1, 1, 0)
    assert shown.last_message is not None
    assert (shown.last_message.text, shown.last_message.direction) == ("Hello", "inbound")
    assert shown.first_message_time == shown.last_message_time == shown.last_inbound_time
    assert shown.contact is not None
    assert shown.contact.identifier == CONTACT
    assert (read.chat_id, read.status) == (CONTACT, "read")
    assert (begun.typing, ended.typing) == (True, False)


async def test_the_contact_card(world: HubWorld, client: Blooio, worker: SandboxWorker) -> None:
    await world.say("Who is that?")
    card = f"/v1/lines/{line_id(world.sandbox_line)}/contact-card"
    await world.api.request("PUT", card, body={"first_name": "Ada"})
    await worker.perform()
    shared = await do(lambda: client.chats.share_contact_card(CONTACT))

    assert (shared.success, shared.chat_id) == (True, CONTACT)
    assert shared.message


async def test_messages(world: HubWorld, client: Blooio, worker: SandboxWorker) -> None:
    await world.say("Hello?")
    async with listening(answering(FILE)) as source:
        sent = await do(
            lambda: client.chats.messages.send(
                CONTACT,
                text="A cat",
                attachments=[{"url": source.url("/x"), "name": "cat.png"}],
                share_contact=False,
                use_typing_indicator=True,
                extra_body={"effect": "slam"},
                idempotency_key="cat-1",
            )
        )
    await worker.work()
    message_id = sent.message_id or ""
    listed = await do(lambda: client.chats.messages.list(CONTACT, sort="asc", since=1, limit=1, offset=1))
    shown = await do(lambda: client.chats.messages.retrieve(message_id, chat_id=CONTACT))
    status = await do(lambda: client.chats.messages.get_status(message_id, chat_id=CONTACT))

    assert sent.status == "queued"
    assert listed.messages is not None
    assert [each.message_id for each in listed.messages] == [message_id]
    assert listed.pagination is not None
    assert listed.pagination.total == 2
    assert (shown.chat_id, shown.text, shown.direction) == (CONTACT, "A cat", "outbound")
    assert shown.attachments
    assert (status.status, status.protocol, status.error) == ("delivered", "imessage", None)


async def test_several_texts_parts_and_links(world: HubWorld, client: Blooio) -> None:
    texts = await do(lambda: client.chats.messages.send(CONTACT, text=["one", "two"]))
    parts = await do(lambda: client.chats.messages.send(CONTACT, parts=[{"text": "one"}, {"text": "two"}]))
    links = await do(
        lambda: client.chats.messages.send(
            CONTACT, parts=[{"text": "https://example.com", "link_preview": {"title": "Example"}}]
        )
    )
    listed = await do(lambda: client.chats.messages.list(CONTACT, direction="outbound"))

    assert texts.count == len(texts.message_ids or []) == 2
    assert parts.message_id
    assert links.count == 1
    assert listed.messages is not None
    assert {each.message_id for each in listed.messages} == {
        *(texts.message_ids or []),
        parts.message_id,
        *(links.message_ids or []),
    }


async def test_reactions(world: HubWorld, client: Blooio) -> None:
    await world.say("Shall we?")
    added = await do(
        lambda: client.chats.messages.react("-1", chat_id=CONTACT, reaction="+love", direction="inbound")
    )
    taken = await do(
        lambda: client.chats.messages.react(added.message_id or "", chat_id=CONTACT, reaction="-love")
    )

    assert (added.success, added.reaction, added.action) == (True, "love", "add")
    assert (taken.success, taken.message_id, taken.action) == (True, added.message_id, "remove")


async def test_a_group_of_several_people(world: HubWorld, client: Blooio) -> None:
    people = "ann@example.com,+15550100002"
    first = await do(lambda: client.chats.messages.send(people, text="Hello both"))
    again = await do(lambda: client.chats.messages.send(people, text="Once more"))
    shown = await do(lambda: client.chats.retrieve(first.group_id or ""))

    assert (first.group_created, again.group_created) == (True, False)
    assert first.group_id == again.group_id == shown.id == shown.group_id
    assert (shown.type, shown.is_group, shown.member_count) == ("group", True, 2)
    assert first.participants == ["ann@example.com", "+15550100002"]


async def test_polls(world: HubWorld, client: Blooio, worker: SandboxWorker) -> None:
    poll = await do(lambda: client.chats.polls.send(POLLED, title="Lunch?", options=["Soup", "Salad"]))
    await worker.listen()
    results = await do(lambda: client.chats.polls.get_results(poll.poll_id or "", chat_id=POLLED))

    assert poll.poll is not None
    assert poll.poll.options == ["Soup", "Salad"]
    assert (results.title, results.total_votes) == ("Lunch?", 1)
    assert [(each.text, each.votes) for each in results.options or []] == [("Soup", 1), ("Salad", 0)]


async def test_backgrounds(world: HubWorld, client: Blooio) -> None:
    await world.say("Nice here")
    put = await do(lambda: client.chats.background.set(CONTACT, background=("sea.png", PNG)))
    shown = await do(lambda: client.chats.background.retrieve(CONTACT))
    gone = await do(lambda: client.chats.background.remove(CONTACT))

    assert (put.chat_id, put.has_background, put.changed) == (CONTACT, True, True)
    assert (shown.has_background, shown.background_id) == (True, put.background_id)
    assert gone.has_background is False


async def test_errors_are_the_clients_own(world: HubWorld, hub: Served, client: Blooio, both: Caller) -> None:
    with pytest.raises(NotFoundError) as missing:
        await do(lambda: client.chats.retrieve("+15559999999"))
    with pytest.raises(AuthenticationError):
        await do(client.with_options(api_key="bl_live_x").chats.list)
    two = client.with_options(api_key=both.token or "")
    with pytest.raises(PermissionDeniedError) as refused:
        await do(lambda: two.chats.messages.send("+15559999999", text="Hello", from_number=OTHER_LINE))

    assert missing.value.body["message"] == "Chat not found."  # type: ignore[index]  # untyped there
    assert refused.value.body["code"] == "inbound_only_no_prior_inbound"  # type: ignore[index]


async def test_a_conflict_is_asked_once(world: HubWorld, hub: Served, one: Caller) -> None:
    """With its own patience: three times, but for the header that says not to."""
    with Blooio(base_url=f"{hub.url}/v2/api", api_key=one.token or "") as client:
        send = client.chats.messages.send
        await do(lambda: send(CONTACT, text="Hello", idempotency_key="k"))
        raw = client.chats.messages.with_raw_response.send
        again = await do(lambda: raw(CONTACT, text="Hello", idempotency_key="k"))
        with pytest.raises(ConflictError) as conflict:
            await do(lambda: send(CONTACT, text="Bye", idempotency_key="k"))

    assert again.status_code == 200
    assert conflict.value.response.request.headers["x-stainless-retry-count"] == "0"


async def test_the_asynchronous_client(world: HubWorld, hub: Served, one: Caller) -> None:
    async with AsyncBlooio(base_url=f"{hub.url}/v2/api/", api_key=one.token or "") as client:
        sent = await client.chats.messages.send(CONTACT, text="Hello")
        listed = await client.chats.messages.list(CONTACT)

    assert listed.messages is not None
    assert [(each.message_id, each.text) for each in listed.messages] == [(sent.message_id, "Hello")]
