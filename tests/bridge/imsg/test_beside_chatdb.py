"""Where chat.db can be read, imsg sends, and it is read: what imsg does not tell is told, under the same keys."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.rules.facts import facts_of
from tests.bridge.chatdb.builder import Builder
from tests.bridge.imsg.harness import ImsgHarness
from tests.bridge.macos.surroundings import CONTACT


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[ImsgHarness]:
    harness = ImsgHarness(tmp_path, database=str(tmp_path / "chat.db"))
    yield harness
    await harness.aclose()


async def test_edits_are_told_and_own_sends_known(harness: ImsgHarness) -> None:
    builder = Builder(harness.folder / "chat.db")
    chat, now_ms = builder.chat(CONTACT), harness.time.now_ms()
    operation = harness.send("words")
    outcome = await harness.adapter.perform(operation)
    row = builder.message(chat, "words", at_ms=now_ms, guid=outcome.provider_id)
    builder.edit(row, ["words", "others"], at_ms=now_ms + 1)
    file = builder.message(chat, "\ufffc", sender=CONTACT, at_ms=now_ms)
    builder.attachment(file, harness.folder / "Attachments", "a.png", b"content")

    told = await harness.told()

    assert {fact.type for each in told for fact in facts_of(each, 7)} == {
        "message.sent",
        "message.edited",
        "message.received",
    }
    assert [each.message.attempt_id for each in told if each.message] == [operation.attempt_id, None]
    ref = [each.message.parts[0].ref for each in told if each.message][-1] or ""
    assert b"".join([piece async for piece in harness.adapter.open_attachment(ref)]) == b"content"


async def test_own_messages_quote_their_attempt_whatever_shows_first(harness: ImsgHarness) -> None:
    builder = Builder(harness.folder / "chat.db")
    chat, now_ms = builder.chat(CONTACT), harness.time.now_ms()
    tracked, lost = harness.send("tracked"), harness.send("lost words")
    harness.switch({"lost words": "hangs_unsent"}, off=["send.tracked"])
    await harness.adapter.perform(lost)
    builder.message(chat, "tracked", at_ms=now_ms, guid=tracked.attempt_id)
    builder.message(chat, "lost words", at_ms=harness.time.now_ms())
    builder.message(chat, "from my phone", at_ms=now_ms)

    told = await harness.told()

    quoted = [each.message.attempt_id for each in told if each.message]
    assert quoted == [tracked.attempt_id, lost.attempt_id, None]


@pytest.mark.parametrize(
    ("most", "expected"), [(0, ["new"]), (2, ["3", "4", "new"]), (99, [*"01234", "new"])]
)
async def test_so_many_messages_of_the_past_are_told(tmp_path: Path, most: int, expected: list[str]) -> None:
    harness = ImsgHarness(tmp_path, database=str(tmp_path / "chat.db"), history_messages=most)
    builder = Builder(tmp_path / "chat.db")
    chat, days_ago = builder.chat(CONTACT), harness.time.now_ms() - 9 * 86_400_000
    for number in range(5):
        builder.message(chat, f"{number}", sender=CONTACT, at_ms=days_ago)
    async with harness.listening() as heard:
        await heard.until_quiet(0.1, at_least=len(expected) - 1)
        builder.message(chat, "new", sender=CONTACT, at_ms=harness.time.now_ms())
        while len(heard.all) < len(expected):
            await heard.next()
    await harness.aclose()

    assert [each.message.parts[0].text for each in heard.all if each.message] == expected


async def test_typing_is_told_beside_the_database(harness: ImsgHarness) -> None:
    builder = Builder(harness.folder / "chat.db")
    chat, started = builder.chat(CONTACT), {"event": "started-typing"}
    async with harness.listening() as heard:
        await harness.asked("bridge.events")
        builder.message(chat, "hi", sender=CONTACT, at_ms=harness.time.now_ms())
        harness.switch(events=[started | {"data": {"chatGuid": f"iMessage;-;{CONTACT}"}}])
        await heard.until_quiet(at_least=2)

    assert {each.kind for each in heard.all} == {"message.received", "typing.started"}
    assert not harness.calls("watch.subscribe")


async def test_without_a_database_imsg_tells_what_it_can(harness: ImsgHarness) -> None:
    harness.came("hi")
    path = harness.folder / "Attachments" / "a.png"
    path.write_bytes(b"content")

    (told,) = await harness.told()

    assert told.kind == "message.received"
    assert b"".join([piece async for piece in harness.adapter.open_attachment(str(path))]) == b"content"


async def test_both_ways_of_listening_give_the_same_facts(harness: ImsgHarness, tmp_path: Path) -> None:
    builder = Builder(harness.folder / "chat.db")
    chat, now_ms = builder.chat(CONTACT), harness.time.now_ms()
    by_imsg = tmp_path / "imsg only"
    by_imsg.mkdir()
    other = ImsgHarness(by_imsg)
    for number in range(3):
        builder.message(chat, str(number), sender=CONTACT, at_ms=now_ms, guid=f"GUID-{number}")
        other.came(str(number), guid=f"GUID-{number}")
    target = builder.message(chat, "mine", at_ms=now_ms, guid="GUID-9")
    builder.tapback(chat, target, 2000, sender=CONTACT, at_ms=now_ms, guid="TAP")
    other.network.add(at_ms=now_ms, chat=CONTACT, own=True, text="mine", guid="GUID-9")
    other.came("", guid="TAP", is_reaction=True, reaction_type="love", reacted_to_guid="p:0/GUID-9")

    keys = [
        {fact.dedupe_key for each in await mac.told() for fact in facts_of(each, 7)}
        for mac in (harness, other)
    ]
    await other.aclose()

    assert keys[0] == keys[1]
    assert len(keys[0]) == 5
