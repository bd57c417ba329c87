"""Who a send is for, and whether the line may write there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hub.flow.directory import DirectoryHolder, load_directory
from hub.flow.lines import LineBook
from hub.flow.recipients import Recipient, find_chat, find_message, find_recipient, require_contact
from hub.model.errors import InvalidRequest
from hub.model.ids import Prefix, id_text
from tests.support.hub_world import CONTACT, OTHER_LINE, HubWorld, line_id, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[HubWorld]:
    async with open_world(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("to", "chat_key"),
    [
        ("+15550100001", "dm:+15550100001"),
        ("+1 (555) 010-0001", "dm:+15550100001"),
        ("15550100001", "dm:+15550100001"),
        (" 15550100001", "dm:+15550100001"),
        ("Jane@Example.COM", "dm:jane@example.com"),
    ],
)
async def test_handles_in_every_spelling(world: HubWorld, to: str, chat_key: str) -> None:
    recipient = await find_recipient(world.store, world.other_line, to)

    assert (recipient.chat_key, recipient.chat) == (chat_key, None)


@pytest.mark.parametrize(
    "to", ["", "nobody", "+", "+0", "+123", "+1234567890123456", "555", "@", "a@", "@b", "a b@c", "msg_1"]
)
async def test_what_is_no_recipient(world: HubWorld, to: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await find_recipient(world.store, world.other_line, to)

    assert (refused.value.code, refused.value.param) == ("invalid_parameter_value", "to")


async def test_a_chat_of_another_line_is_not_found(world: HubWorld) -> None:
    await world.say("Hi")
    chat = await find_chat(world.store, world.sandbox_line, CONTACT)
    with pytest.raises(InvalidRequest) as refused:
        await find_recipient(world.store, world.other_line, id_text(Prefix.CHAT, chat.id))

    assert refused.value.code == "chat_not_found"


async def test_a_message_of_another_line_is_not_found(world: HubWorld) -> None:
    guid = await world.say("Hi")
    message = await find_message(world.store, world.sandbox_line, guid, param="reply_to")
    for text in (guid, id_text(Prefix.MESSAGE, message.id), "msg_nonsense"):
        with pytest.raises(InvalidRequest) as refused:
            await find_message(world.store, world.other_line, text, param="reply_to")

        assert (refused.value.code, refused.value.param) == ("message_not_found", "reply_to")


async def test_contact_first(world: HubWorld) -> None:
    await world.say("Hi")
    chat = await find_chat(world.store, world.sandbox_line, CONTACT)
    strict, open_ = world.other_line, replace(world.other_line, is_contact_first=False)
    wrote = Recipient(chat_key="dm:x", chat=chat)
    silent = Recipient(chat_key="dm:x", chat=replace(chat, has_inbound=False))
    unknown = Recipient(chat_key="dm:x", chat=None)
    require_contact(strict, wrote)
    for recipient in (wrote, silent, unknown):
        require_contact(open_, recipient)
    for recipient in (silent, unknown):
        with pytest.raises(InvalidRequest) as refused:
            require_contact(strict, recipient)

        assert (refused.value.code, refused.value.param) == ("contact_has_not_messaged", "to")


async def test_a_line_changed_by_another_process_is_seen_at_once(world: HubWorld) -> None:
    elsewhere = DirectoryHolder(world.store, await load_directory(world.store))
    book = LineBook(
        store=world.store,
        directory=elsewhere,
        clock=world.clock,
        new_id=world.new_id,
        wake_ups=world.wake_ups,
    )
    await world.api.patch(f"/v1/lines/{line_id(world.other_line)}", {"is_active": False})

    assert (await book.find(OTHER_LINE)).is_active is False
    assert (await book.find(line_id(world.other_line))).handle == OTHER_LINE
