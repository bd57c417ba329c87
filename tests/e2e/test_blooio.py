"""A client of Blooio on a running hub: a key from the command line, the vendor's own client, and what becomes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from blooio import Blooio

from tests.e2e.running import RunningHub, wait_for

pytestmark = pytest.mark.slow

CONTACT, POLLED = "+15550100001", "+15550100200"


@pytest.fixture(scope="module")
def client(hub: RunningHub) -> Iterator[Blooio]:
    """The client as a customer makes it, but for the address."""
    made = hub.command("keys", "create", "--name", "crm", "--dialect", "blooio")
    key = re.search(r"bl_live_[0-9A-Za-z]{32}", made)
    assert key is not None, made
    with Blooio(base_url=f"http://127.0.0.1:{hub.port}/v2/api", api_key=key[0]) as client:
        yield client


def test_a_client_of_blooio_sends_and_sees_what_becomes_of_it(client: Blooio) -> None:
    sent = client.chats.messages.send(CONTACT, text="Hello from Blooio", use_typing_indicator=True)
    message_id = sent.message_id or ""

    def delivered() -> bool:
        return client.chats.messages.get_status(message_id, chat_id=CONTACT).status == "delivered"

    assert wait_for(delivered)
    reacted = client.chats.messages.react(message_id, chat_id=CONTACT, reaction="+love")
    shown = client.chats.messages.retrieve(message_id, chat_id=CONTACT)
    assert (reacted.success, shown.text, shown.protocol) == (True, "Hello from Blooio", "imessage")
    assert client.chats.mark_as_read(CONTACT).status == "read"


def test_several_at_once_make_one_group(client: Blooio) -> None:
    """The verdict comes from a real worker, in time for each of them."""
    people = "+15550100002,+15550100003"

    def send(number: int) -> str | None:
        return client.chats.messages.send(people, text=f"Hello {number}").group_id

    with ThreadPoolExecutor(4) as threads:
        groups = set(threads.map(send, range(4)))
    (group_id,) = groups
    assert group_id is not None
    shown = client.chats.retrieve(group_id)
    listed = client.chats.messages.list(group_id)

    assert (shown.is_group, shown.member_count, shown.message_count) == (True, 2, 4)
    assert {each.text for each in listed.messages or []} == {f"Hello {number}" for number in range(4)}


def test_a_poll_is_voted_on(client: Blooio) -> None:
    poll = client.chats.polls.send(POLLED, title="Lunch?", options=["Soup", "Salad"])

    def voted() -> bool:
        return client.chats.polls.get_results(poll.poll_id or "", chat_id=POLLED).total_votes == 1

    assert wait_for(voted)
