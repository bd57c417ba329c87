"""Listening to imsg loses nothing: not when it overflows, ends, hangs or writes nonsense."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from hub.model.observation import Observation
from hub.rules.facts import facts_of
from hub.rules.refusals import validate
from tests.bridge.imsg.harness import HELPER, ImsgHarness
from tests.bridge.imsg.network import Network, iso
from tests.bridge.macos.surroundings import CONTACT, LINE

GROUP = "chat123456789"


def words(told: list[Observation]) -> list[str]:
    return [part.text or part.filename or "" for each in told if each.message for part in each.message.parts]


def types(told: list[Observation]) -> Counter[str]:
    keys = {fact.dedupe_key: fact.type for each in told for fact in facts_of(each, 7)}
    return Counter(keys.values())


async def test_what_is_new_is_told(harness: ImsgHarness) -> None:
    async with harness.listening() as heard:
        await harness.watched()
        harness.came("one")
        harness.network.add(at_ms=harness.time.now_ms(), chat=CONTACT, own=True, text="from my phone")
        harness.came("all", chat=GROUP)
        await heard.until_quiet(at_least=3)

    told = [(each.kind, each.actor, each.chat.key if each.chat else "", each.line) for each in heard.all]
    assert told == [
        ("message.received", CONTACT, f"dm:{CONTACT}", LINE),
        ("message.sent", None, f"dm:{CONTACT}", LINE),
        ("message.received", CONTACT, GROUP, LINE),
    ]


async def test_the_past_is_told_in_pages_and_what_is_new_beside_it(harness: ImsgHarness) -> None:
    harness.network.db.execute("BEGIN")
    for number in range(900):
        payload = (
            '{"guid": "G%d", "chat_guid": "iMessage;-;%s", "sender": "%s", "text": "%d", "created_at": "%s"}'
        )
        harness.network.db.execute(
            "INSERT INTO messages (guid, payload, fields) VALUES (?, ?, '{}')",
            (f"G{number}", payload % (number, CONTACT, CONTACT, number, iso(harness.time.now_ms()))),
        )
    harness.network.db.execute("COMMIT")
    async with harness.listening() as heard:
        await heard.next()
        harness.came("new")
        await heard.until_quiet(at_least=900)

    told = words(heard.all)
    assert sorted(told) == sorted([*map(str, range(900)), "new"])


async def test_it_goes_on_where_it_was(harness: ImsgHarness) -> None:
    harness.came("one")
    async with harness.listening() as heard:
        await heard.next()
        await heard.until_quiet()
    harness.came("two")
    harness.restarted()

    assert words(await harness.told(heard.cursor)) == ["two"]


@pytest.mark.parametrize("fault", ["overflow", "dies"])
async def test_a_watch_that_ends_is_begun_again_where_it_was(harness: ImsgHarness, fault: str) -> None:
    harness.switch(watch=fault)
    async with harness.listening() as heard:
        await harness.watched()
        for number in range(10):
            harness.came(str(number))
        while len(set(words(heard.all))) < 10:
            await heard.next()

    assert set(words(heard.all)) == set(map(str, range(10)))
    assert harness.adapter.passed_over


async def test_nonsense_is_counted(harness: ImsgHarness) -> None:
    harness.switch(watch="garbage")
    async with harness.listening() as heard:
        await harness.watched()
        harness.came("after it")
        await heard.next()

    assert words(heard.all) == ["after it"]
    assert harness.adapter.passed_over["line_unreadable"] == 2


async def test_a_replaced_database_is_told_again(harness: ImsgHarness) -> None:
    for number in range(5):
        harness.came(str(number))
    async with harness.listening() as heard:
        await heard.until_quiet(at_least=5)
    for suffix in ("", "-wal", "-shm"):
        (harness.folder / f"network.db{suffix}").unlink(missing_ok=True)
    harness.network = Network(harness.folder)
    harness.came("after the restore")
    harness.restarted()

    assert words(await harness.told(heard.cursor)) == ["after the restore"]


async def test_receipts_are_asked_for(harness: ImsgHarness) -> None:
    async with harness.listening() as heard:
        await harness.watched()
        guid = harness.network.add(at_ms=harness.time.now_ms(), chat=CONTACT, own=True, text="x")
        await heard.next()
        harness.network.mark(guid, is_delivered=True, date_delivered=iso(harness.time.now_ms()))
        await heard.next()
        harness.network.mark(guid, date_read=iso(harness.time.now_ms()))
        while not types(heard.all)["message.read"]:
            await heard.next()

    assert types(heard.all) == {"message.sent": 1, "message.delivered": 1, "message.read": 1}


async def test_a_failure_is_told(harness: ImsgHarness) -> None:
    async with harness.listening() as heard:
        await harness.watched()
        guid = harness.network.add(at_ms=harness.time.now_ms(), chat=CONTACT, own=True, text="x")
        harness.network.mark(guid, error=22)
        while not types(heard.all)["message.failed"]:
            await heard.next()


async def test_typing_is_a_sign_of_life(harness: ImsgHarness) -> None:
    async with harness.listening() as heard:
        await harness.watched()
        data = {"chatGuid": f"iMessage;-;{CONTACT}"}
        harness.switch(
            events=[
                {"event": "started-typing", "data": data},
                {"event": "aliases-removed", "data": {}},
                {"event": "stopped-typing", "data": data},
            ]
        )
        await heard.until_quiet(at_least=2)

    assert [(each.kind, each.actor) for each in heard.all] == [
        ("typing.started", CONTACT),
        ("typing.stopped", CONTACT),
    ]


async def test_typing_that_ended_or_came_later_is_listened_to_again(harness: ImsgHarness) -> None:
    harness.switch(off=HELPER)
    started = {"event": "started-typing", "data": {"chatGuid": f"iMessage;-;{CONTACT}"}}
    async with harness.listening() as heard:
        await harness.watched()
        harness.switch(off=[])
        await harness.asked("bridge.events")  # as soon as it is seen that the helper runs
        harness.switch(events=["ends"])
        await harness.asked("bridge.events", 2)
        harness.switch(events=["ends", started])

        assert (await heard.next()).kind == "typing.started"


async def test_a_chat_that_shows_no_message_hides_no_newest_one(harness: ImsgHarness) -> None:
    for number in range(5):
        harness.came(f"{number}")
    harness.switch(bare_chat=True)
    harness.settings = msgspec.structs.replace(harness.settings, history_messages=2)
    harness.restarted()

    assert words(await harness.told()) == ["3", "4"]


async def test_a_watch_that_says_nothing_is_probed_and_begun_again(harness: ImsgHarness) -> None:
    async with harness.listening() as heard:
        await harness.watched()
        harness.switch({"status": "wedged"})
        await heard.until_quiet(2.5)
        harness.switch({})
        harness.came("after it")
        await heard.next()

    assert words(heard.all) == ["after it"]
    assert harness.adapter.passed_over["restarted"] >= 1


CASES: list[tuple[str, dict[str, Any], list[tuple[str, str]]]] = [
    ("words", {"text": "hi"}, [("message.received", "text:hi")]),
    ("link alone", {"text": "https://x.example", "balloon_bundle_id": "com.apple.messages.URLBalloonProvider"},
     [("message.received", "link:https://x.example")]),
    ("file", {"attachments": [{"path": "/x/a.png", "transfer_name": "a.png", "byte_size": 3}]},
     [("message.received", "attachment:a.png")]),
    ("voice", {"attachments": [{"path": "/x/Audio Message.caf", "transfer_name": "Audio Message.caf"}]},
     [("message.received", "audio:Audio Message.caf")]),
    ("tapback", {"is_reaction": True, "reaction_type": "emphasis", "reacted_to_guid": "p:0/T", "is_reaction_add": True},
     [("reaction.added", "emphasize")]),
    ("tapback removed",
     {"is_reaction": True, "reaction_type": "love", "reacted_to_guid": "T", "is_reaction_add": False},
     [("reaction.removed", "love")]),
    ("emoji", {"is_reaction": True, "reaction_type": "x", "reaction_emoji": "🎉", "reacted_to_guid": "p:0/T"},
     [("reaction.added", "🎉")]),
    ("poll", {"poll": {"kind": "created", "question": "Q", "options": [{"id": "a", "text": "A"}]}},
     [("poll.created", "Q")]),
    ("vote", {"poll": {"kind": "vote", "original_guid": "P", "votes": [{"option_id": "a"}]}},
     [("poll.voted", "a")]),
    ("more options", {"poll": {"kind": "created", "original_guid": "P", "options": [{"id": "b", "text": "B"}]}},
     [("poll.created", "")]),
    ("vote taken back", {"poll": {"kind": "vote", "poll_guid": "P"}}, [("poll.voted", "")]),
    ("empty", {"text": ""}, []),
    ("in no chat", {"text": "x", "chat_guid": "", "chat_identifier": ""}, []),
    ("masked", {"text": "x", "chat_guid": "iMessage;-;+156****2244"}, []),
    ("absurd date", {"text": "x", "created_at": "9999-12-31T23:59:59Z"}, [("message.received", "text:x")]),
    ("no date", {"text": "x", "created_at": None}, [("message.received", "text:x")]),
    ("strange types", {"text": 7, "participants": 5, "attachments": {"a": 1}, "is_group": "yes"}, []),
    ("strange files", {"text": "x", "attachments": [None, 5, {"path": 7}, {"transfer_name": "\ud800"}]},
     [("message.received", "text:x|attachment:\ufffd")]),
    ("nul", {"text": "a\0b"}, [("message.received", "text:ab")]),
]  # fmt: skip


def brief(told: Observation) -> tuple[str, str]:
    if told.message is not None:
        return told.kind, "|".join(f"{part.type}:{part.text or part.filename}" for part in told.message.parts)
    if told.reaction is not None:
        return told.kind, told.reaction.emoji or told.reaction.type
    return told.kind, (told.poll.title or ",".join(told.poll.choices)) if told.poll else ""


async def test_each_message_is_told_as_what_it_is(harness: ImsgHarness) -> None:
    for _, more, _ in CASES:
        harness.came(**{"text": "", **more})

    told = await harness.told()

    assert [brief(each) for each in told] == [each for _, _, expected in CASES for each in expected]
    assert [each.poll.provider_id for each in told if each.poll][1:] == ["P"] * 3
    assert [validate(each, now_ms=harness.time.now_ms()) for each in told] == [None] * len(told)


async def test_own_tracked_messages_quote_their_attempt_after_a_restart(harness: ImsgHarness) -> None:
    operation = harness.send()
    await harness.adapter.perform(operation)
    harness.restarted()

    (told,) = await harness.told()

    assert told.message is not None
    assert told.message.attempt_id == operation.attempt_id
