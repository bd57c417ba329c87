"""What a server may tell that is odd, broken or hostile is passed over and counted; the feed goes on."""

from __future__ import annotations

import asyncio
import json

import pytest

from bridge.bluebubbles.feed import Feed
from bridge.bluebubbles.state import ServerState
from bridge.bluebubbles.wire import Server
from tests.bridge.bluebubbles.harness import CONTACT, PATIENCE, BlueBubblesHarness
from tests.bridge.bluebubbles.test_listening import ALL, connected, facts
from tests.worker.time_by_hand import eventually


@pytest.mark.parametrize("follows", [(), ("127.0.0.1",)])
async def test_a_new_address_is_followed_only_where_the_owner_allows(
    bb: BlueBubblesHarness, follows: tuple[str, ...]
) -> None:
    bb.restarted(follow_hosts=follows)
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.emit("new-server", bb.server.url + "/elsewhere")
        await told.quiet()
        asked = len(bb.server.asked)
        await bb.server.updated_message(bb.mac.write(bb.chat, "hi", author=CONTACT))
        await told.quiet()

    assert (len(bb.server.asked) == asked) == bool(follows)  # elsewhere nobody answers


async def test_nobody_is_followed_from_https_to_http(bb: BlueBubblesHarness) -> None:
    settings = bb.settings(url="https://mac.example", follow_hosts=("mac.example",))
    server = Server(settings, bb.surroundings().caller, patience=PATIENCE)
    state, around = ServerState(server, settings, bb.clock), bb.surroundings()
    feed = Feed(server, state, bb.adapter.looking, settings=settings, surroundings=around, page=10)

    feed._follow("http://mac.example")

    assert bb.adapter.looking.passed_over["address without https"] == 1
    assert server.is_https


@pytest.mark.parametrize("data", ["http://evil@127.0.0.1:1/", "ftp://x", "x" * 5000, None, {"url": 1}])
async def test_an_unreadable_address_is_passed_over(bb: BlueBubblesHarness, data: object) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.emit("new-server", data)
        await eventually(lambda: bb.adapter.looking.passed_over["unreadable address"])


@pytest.mark.parametrize(
    "text",
    [
        "42[",
        "garbage",
        '42["new-message"]',
        '42["new-message",null]',
        '42["new-message",[1,2]]',
        '42["new-message",{"guid":{"a":1}}]',
        '42["no-such-event",{"x":1}]',
        '42["typing-indicator",7]',
        "42" + '["updated-message",' * 50_000,
    ],
    ids=range(9),
)
async def test_garbage_over_the_socket_ends_nothing(bb: BlueBubblesHarness, text: str) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.raw(text)
        await bb.server.new_message(bb.mac.write(bb.chat, "after it", author=CONTACT))
        await told.kind("message.received")

        assert bb.server.connects == 1


async def test_a_row_that_breaks_its_page_is_passed_over_alone(bb: BlueBubblesHarness) -> None:
    for number in range(30):
        row = bb.mac.write(bb.chat, f"{number}", author=CONTACT)
        if number in {7, 8, 29}:
            bb.server.faults.poison.add(row["guid"])
        bb.clock.advance(0 if number % 3 else 1_000)
    bb.restarted(page=16)
    async with bb.listening(ALL) as told:
        await told.kind("line.status")

    assert facts(told.seen) == {"message.received": 27}
    assert bb.adapter.looking.passed_over["unreadable row"] >= 3
    assert json.loads(told.seen[-1].cursor or "")["at"] >= bb.mac.rows[-1]["dateCreated"]


async def test_a_server_of_which_nothing_can_be_read_is_left_alone_for_a_while(
    bb: BlueBubblesHarness,
) -> None:
    bb.server.faults.poison.update(bb.mac.write(bb.chat, "x", author=CONTACT)["guid"] for _ in range(200))
    async with bb.listening(ALL) as told:
        await eventually(lambda: len(bb.server.asked) > 100)
        await asyncio.sleep(0.2)

    assert len(bb.server.asked) < 1_000
    assert told.of("message.received") == []


@pytest.mark.parametrize("page", [1, 3, 1000])
async def test_many_rows_of_one_moment_are_all_told(bb: BlueBubblesHarness, page: int) -> None:
    for number in range(20):
        bb.mac.write(bb.chat, f"{number}", author=CONTACT)
    bb.restarted(page=page)
    async with bb.listening(ALL) as told:
        await told.kind("line.status")

    assert facts(told.seen) == {"message.received": 20}
