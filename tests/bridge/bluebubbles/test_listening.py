"""The feed: live, after gaps, through faults; each message once, whatever the server tells and how often."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter

import pytest

from bridge.bluebubbles.cursors import read_place
from bridge.bluebubbles.feed import TYPING_SECONDS
from bridge.bluebubbles.frames import Event
from bridge.bluebubbles.socket_feed import Due, Waiting, pause_seconds
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.model.outbox import OperationKind
from hub.rules.facts import facts_of
from tests.bridge.bluebubbles.harness import CONTACT, BlueBubblesHarness, Told
from tests.worker.time_by_hand import eventually

ALL = '{"at":1}'


def keys(seen: list[Observation]) -> set[bytes]:
    return {fact.dedupe_key for each in seen if each.kind != "line.status" for fact in facts_of(each, 7)}


def facts(seen: list[Observation]) -> Counter[str]:
    """Each fact once, as the store keeps them."""
    found = {fact.dedupe_key: fact.type for each in seen for fact in facts_of(each, 7)}
    return Counter(name for name in found.values() if name != "line.status_changed")


async def connected(bb: BlueBubblesHarness, told: Told) -> None:
    await eventually(lambda: bb.server.sockets)
    await told.quiet()


async def test_a_message_comes_at_once(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.new_message(bb.mac.write(bb.chat, "hi", author=CONTACT))
        seen = await told.kind("message.received")

    assert seen.actor == CONTACT
    assert json.loads(seen.cursor or "")["at"] == bb.clock.now_ms()


async def test_an_own_send_told_twice_is_one_message_with_its_attempt(bb: BlueBubblesHarness) -> None:
    operation = bb.operation(OperationKind.SEND, text="hello")
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.adapter.perform(operation)
        await told.kind("message.sent")
        await told.quiet()

    assert facts(told.seen) == {"message.sent": 1}
    assert {each.message.attempt_id for each in told.of("message.sent") if each.message} == {
        operation.attempt_id
    }


async def test_an_old_message_told_as_new_again_is_the_same(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, "hi", author=CONTACT)
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        bb.clock.advance(4_000_000)
        await bb.server.new_message(row)
        await told.quiet()

    assert facts(told.seen) == {"message.received": 1}


async def test_an_update_without_its_chat_is_asked_for_whole(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, "hi")
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        row["dateDelivered"] = bb.clock.now_ms()
        await bb.server.updated_message(row)
        seen = await told.until(
            lambda each: each.message is not None and each.message.delivered_at is not None
        )

    assert seen.chat is not None
    assert facts(told.seen) == {"message.sent": 1, "message.delivered": 1}


async def test_edits_and_unsends_look_alike_and_are_told_apart(bb: BlueBubblesHarness) -> None:
    sent = [await bb.send(words) for words in ("one", "two")]
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        edit = bb.operation(OperationKind.EDIT, message_guid=sent[0].provider_id, text="1")
        await bb.adapter.perform(edit)
        await bb.adapter.perform(bb.operation(OperationKind.UNSEND, message_guid=sent[1].provider_id))
        await told.quiet()

    assert facts(told.seen) == {"message.sent": 2, "message.edited": 1, "message.unsent": 1}


async def test_what_happened_meanwhile_is_told_on_connect(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.new_message(bb.mac.write(bb.chat, "one", author=CONTACT))
        cursor = (await told.kind("message.received")).cursor
    bb.clock.advance(3_600_000)
    bb.mac.write(bb.chat, "two", author=CONTACT)
    bb.mac.rows[0]["dateRead"] = bb.clock.now_ms()
    async with bb.listening(cursor) as later:
        await later.quiet()

    assert facts(told.seen + later.seen) == {"message.received": 2}


async def test_a_receipt_that_came_while_nobody_listened_is_told(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, "hi")
    bb.clock.advance(86_400_000)
    cursor = json.dumps({"at": bb.clock.now_ms()})
    row["dateDelivered"] = bb.clock.now_ms() + 1_000
    bb.clock.advance(60_000)
    async with bb.listening(cursor) as told:
        await told.quiet()

    assert facts(told.seen) == {"message.sent": 1, "message.delivered": 1}


async def test_a_server_that_lists_no_changes_is_asked_once(bb: BlueBubblesHarness) -> None:
    bb.server.faults.no_where = True
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    async with bb.listening(ALL) as told:
        await told.kind("message.received")
        await told.quiet()
        asked = len(bb.server.asked)
        bb.sleep.advance(300)
        await eventually(lambda: len(bb.server.asked) > asked)
        await told.quiet()

    assert bb.adapter.looking.passed_over["no list of changes"] == 1
    assert told.of("line.status")[-1].value == "online"


async def test_live_events_during_the_history_are_kept(bb: BlueBubblesHarness) -> None:
    for number in range(40):
        bb.mac.write(bb.chat, f"old {number}", author=CONTACT)
        bb.clock.advance(1_000)
    bridge = bb.restarted(page=2)
    events = bridge.events(ALL)
    first = await anext(events)
    await eventually(lambda: bb.server.sockets)
    await bb.server.new_message(bb.mac.write(bb.chat, "live", author=CONTACT))
    seen = list(first) if isinstance(first, tuple) else [first]
    async with asyncio.timeout(10):
        async for found in events:
            seen += found if isinstance(found, tuple) else (found,)
            if seen[-1].kind == "line.status":
                break
    await events.aclose()  # type: ignore[attr-defined]  # a generator

    assert facts(seen)["message.received"] == 41


async def test_it_reconnects_and_reads_what_it_missed(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.hang_up()
        bb.mac.write(bb.chat, "while away", author=CONTACT)
        await told.kind("message.received")

        assert bb.server.connects >= 2


async def test_a_failed_look_moves_no_cursor_and_loses_nothing(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        before = json.loads(told.seen[-1].cursor or "")["at"]
        bb.clock.advance(1_000)
        bb.server.faults.broken = {"/message/": 503}
        lost = bb.mac.write(bb.chat, "lost?", author=CONTACT)
        await bb.server.updated_message(lost)
        await bb.server.new_message(bb.mac.write(bb.chat, "whole", author=CONTACT))
        live = await told.kind("message.received")
        at = json.loads(live.cursor or "")["at"]
        bb.server.faults.broken = {}
        await told.until(lambda each: each.message is not None and each.message.provider_id == lost["guid"])

    assert at == before


async def test_a_server_that_is_away_makes_its_lines_offline_and_back(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        bb.server.faults.broken = {"": 530}
        bb.sleep.passing_seconds = 100.0
        bb.sleep.advance(300)
        await told.until(lambda each: each.value == "offline")
        bb.server.faults.broken = {}
        bb.clock.advance(60_000)
        await told.until(lambda each: each.value == "online" and each is not told.of("line.status")[0])

    assert [each.value for each in told.of("line.status")] == ["online", "offline", "online"]


async def test_the_state_told_last_stands_in_the_cursor(bb: BlueBubblesHarness) -> None:
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    async with bb.listening(json.dumps({"at": 1, "state": "online"})) as told:
        await told.quiet()

    assert told.of("line.status") == []


async def test_a_socket_that_is_refused_leaves_the_history(bb: BlueBubblesHarness) -> None:
    bb.server.faults.socket_refuses = True
    bb.sleep.passing_seconds = 10.0
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    async with bb.listening(ALL) as told:
        status = await told.until(lambda each: each.value == "degraded")

    assert status.error is not None
    assert "socket" in (status.error.raw or "")
    assert facts(told.seen) == {"message.received": 1}


async def test_typing_that_is_not_ended_ends_by_itself(bb: BlueBubblesHarness) -> None:
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        await bb.server.emit("typing-indicator", {"display": True, "guid": bb.chat})
        await told.kind("typing.started")
        bb.sleep.advance(TYPING_SECONDS - 1)
        await bb.server.emit("typing-indicator", {"display": True, "guid": bb.chat})
        await told.quiet()
        bb.sleep.advance(TYPING_SECONDS - 1)
        await told.quiet()
        early = len(told.of("typing.stopped"))
        bb.sleep.advance(2)
        await told.kind("typing.stopped")

    assert early == 0


async def test_who_was_removed_is_found_by_number(bb: BlueBubblesHarness) -> None:
    group = bb.mac.group(CONTACT, "+15550100002", identifier="chat7")
    gone = bb.mac.handle("+15550100003")
    bb.mac.write(
        group, None, author=CONTACT, itemType=1, groupActionType=1, otherHandle=gone["originalROWID"]
    )
    async with bb.listening(ALL) as told:
        seen = await told.kind("chat.member_removed")

    assert seen.value == "+15550100003"


async def test_a_row_without_an_author_is_looked_at_again(bb: BlueBubblesHarness) -> None:
    group = bb.mac.group(CONTACT, "+15550100002")
    async with bb.listening(ALL) as told:
        await connected(bb, told)
        row = bb.mac.write(group, "mine", isFromMe=False)
        bb.sleep.passing_seconds = 0.5
        await bb.server.new_message(row)
        await told.quiet()
        row["isFromMe"] = True
        bb.sleep.advance(1)
        await told.kind("message.sent")

    assert facts(told.seen) == {"message.sent": 1}


async def test_two_rows_of_one_link_are_one_message(bb: BlueBubblesHarness) -> None:
    balloon = "com.apple.messages.URLBalloonProvider"
    url = "https://hub.example/a"
    bb.mac.write(bb.chat, f"look {url}", author=CONTACT)
    bb.clock.advance(300)
    bb.mac.write(bb.chat, url, author=CONTACT, balloonBundleId=balloon)
    bb.clock.advance(60_000)
    bb.mac.write(bb.chat, url, author=CONTACT, balloonBundleId=balloon)
    async with bb.listening(ALL) as told:
        await told.quiet()

    assert facts(told.seen) == {"message.received": 2}
    assert bb.adapter.looking.passed_over["preview of a link"] == 1


async def test_shuffled_doubled_and_lost_events_give_the_same_facts(bb: BlueBubblesHarness) -> None:
    """Whatever the socket tells of them, in the end the history has told the same."""
    group = bb.mac.group(CONTACT, "+15550100002", identifier="chat5")
    rows = [bb.mac.write(bb.chat, "a", author=CONTACT), bb.mac.write(bb.chat, "b")]
    rows.append(bb.mac.write(group, "c", author=CONTACT))
    rows[1]["dateDelivered"] = bb.clock.now_ms()
    tapback = {"associatedMessageGuid": f"p:0/{rows[0]['guid']}", "associatedMessageType": "love"}
    rows.append(bb.mac.write(bb.chat, "Loved", **tapback))
    rows.append(bb.mac.write(group, None, author=CONTACT, itemType=2, groupTitle="Trip"))
    async with bb.listening(ALL) as told:
        await told.quiet()
    expected = keys(told.seen)

    for seed in range(4):
        draw = random.Random(seed)
        bb.restarted()
        async with bb.listening(json.dumps({"at": bb.clock.now_ms()})) as later:
            await connected(bb, later)
            for row in draw.sample(rows * 3, k=9):
                tell = draw.choice([bb.server.new_message, bb.server.updated_message])
                await tell(row)
            bb.sleep.advance(300)
            await later.quiet()
        bb.clock.advance(-300_000)

        assert keys(later.seen) == expected


async def test_without_a_line_nothing_is_told_and_nothing_lost(bb: BlueBubblesHarness) -> None:
    bb.lines = ()
    bb.mac.write(bb.chat, "hi", author=CONTACT)
    async with bb.listening(ALL) as told:
        await asyncio.sleep(0.05)
        bb.lines = ("+15550100000",)
        bb.sleep.advance(5)
        await told.kind("message.received")


async def test_attachments_are_streamed_as_they_were_sent(bb: BlueBubblesHarness) -> None:
    row = bb.mac.write(bb.chat, None, author=CONTACT)
    guid = bb.mac.attach(row, "film.mov", b"x" * 3_000_000, "video/quicktime")
    pieces = [piece async for piece in bb.adapter.open_attachment(guid)]

    assert b"".join(pieces) == b"x" * 3_000_000
    assert len(pieces) > 1


async def test_an_attachment_still_on_its_way_may_be_asked_for_again(bb: BlueBubblesHarness) -> None:
    guid = bb.mac.attach(bb.mac.write(bb.chat, None, author=CONTACT), "a.png", b"1", "image/png")
    del bb.mac.files[guid]

    with pytest.raises(BridgeError) as caught:
        await anext(bb.adapter.open_attachment(guid))
    assert not isinstance(caught.value, AttachmentGone)


@pytest.mark.parametrize(
    "cursor", [None, "", "x", "[]", '{"at":"x"}', '{"at":1e400}', '{"at":99999999999999999}']
)
def test_a_cursor_that_cannot_be_read_is_none(cursor: str | None) -> None:
    place = read_place(cursor, now_ms=1_800_000_000_000, history_days=1)

    assert place.at == 1_800_000_000_000 - 86_400_000
    assert read_place(None, now_ms=1_000_000_000, history_days=0).since == 1_000_000_000


def test_a_cursor_ahead_of_the_clock_goes_back_a_day() -> None:
    now_ms = 1_800_000_000_000
    place = read_place(
        json.dumps({"at": now_ms + 40 * 86_400_000, "state": "online"}), now_ms=now_ms, history_days=0
    )
    place.reached(now_ms, now_ms=now_ms)
    place.mend(now_ms - 3_600_000)  # the clock was set back

    assert (place.at, place.state) == (now_ms - 3_600_000 - 86_400_000, "online")


async def test_a_clock_that_was_ahead_loses_nothing(bb: BlueBubblesHarness) -> None:
    bb.mac.write(bb.chat, "while away", author=CONTACT)
    bb.clock.advance(60_000)
    async with bb.listening(json.dumps({"at": bb.clock.now_ms() + 40 * 86_400_000})) as told:
        await told.kind("message.received")


async def test_who_is_let_in_in_silence_is_back(bb: BlueBubblesHarness) -> None:
    bb.server.faults.socket_refuses = True
    bb.sleep.passing_seconds = 10.0
    async with bb.listening(ALL) as told:
        await told.until(lambda each: each.value == "degraded")
        bb.server.faults.socket_refuses = False
        bb.sleep.passing_seconds = 100.0
        bb.sleep.advance(60)
        await told.until(lambda each: each.value == "online")


def test_pauses_grow_and_are_spread() -> None:
    assert [pause_seconds(failures, 1.0) for failures in (1, 2, 3, 7, 10_000)] == [1, 2, 4, 60, 60]
    assert pause_seconds(1, 0.0) == 0.5


async def test_what_waits_is_bounded_and_the_history_stands_in() -> None:
    waiting = Waiting(most=3)
    for number in range(5):
        waiting.put(Event(name=f"{number}"))

    assert [await waiting.take() for _ in range(3)] == [Due(), Event(name="3"), Event(name="4")]
