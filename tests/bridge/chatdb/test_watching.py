"""The watcher loses nothing: rows that are put right later, files that come later, replaced databases, crashes."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import sys
from collections import Counter
from pathlib import Path

import pytest
import structlog

from bridge.chatdb.cursor import Cursor, read_cursor, write_cursor
from bridge.chatdb.settling import Settling, Waiting
from hub.model.errors import AttachmentGone, BridgeError
from hub.model.observation import Observation
from hub.rules.facts import facts_of
from tests.bridge.chatdb.builder import Builder, apple
from tests.bridge.chatdb.harness import ChatDbHarness
from tests.bridge.macos.fast_time import START_MS as T
from tests.bridge.macos.surroundings import CONTACT

HOUR_MS = 3_600_000


@pytest.fixture
def harness(tmp_path: Path) -> ChatDbHarness:
    harness = ChatDbHarness(tmp_path)
    harness.builder.chat(CONTACT)
    return harness


def words(told: list[Observation]) -> list[str]:
    return [part.text or part.filename or "" for each in told if each.message for part in each.message.parts]


def types(told: list[Observation]) -> Counter[str]:
    keys = {fact.dedupe_key: fact.type for each in told for fact in facts_of(each, 7)}
    return Counter(keys.values())


async def test_another_process_writes_while_we_watch(harness: ChatDbHarness) -> None:
    script = str(Path(__file__).parent / "writer.py")
    async with harness.listening() as heard:
        writer = await asyncio.create_subprocess_exec(
            sys.executable, script, str(harness.folder / "chat.db"), "60", "0.5"
        )
        assert await writer.wait() == 0
        while types(heard.all).total() < 240:
            await heard.next()
        await heard.until_quiet()

    assert types(heard.all) == {
        "message.received": 60,
        "message.sent": 60,
        "message.delivered": 60,
        "message.read": 60,  # six marks, carried back
    }


async def test_a_row_without_a_chat_waits_for_one(harness: ChatDbHarness) -> None:
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        row = harness.builder.message(None, "late", sender=CONTACT, at_ms=T)
        harness.builder.message(harness.builder.chat(CONTACT), "next", sender=CONTACT, at_ms=T)
        assert words(await heard.until_quiet(at_least=1)) == ["next"]
        kept = read_cursor(heard.cursor)
        harness.builder.join(harness.builder.chat(CONTACT), row)

        assert words(await heard.until_quiet(at_least=1)) == ["late"]
        assert kept is not None
        assert kept.rowid < row


async def test_a_row_that_never_gets_a_chat_is_counted(harness: ChatDbHarness) -> None:
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        harness.builder.message(None, "never", sender=CONTACT, at_ms=T)
        harness.builder.message(None, None, at_ms=T, service="SMS")
        await heard.until_quiet(2.0)

    assert harness.adapter.passed_over == {"ghost": 1, "unjoined": 1}


async def test_who_wrote_is_awaited(harness: ChatDbHarness) -> None:
    async with harness.listening() as heard:
        await heard.until_quiet(0.1)
        row = harness.builder.message(harness.builder.chat(CONTACT), "mine", sender=CONTACT, at_ms=T)
        harness.builder.update("message", row, is_from_me=1, is_sent=1)

        assert types(await heard.until_quiet(at_least=1)) == {"message.sent": 1}


async def test_changes_are_told(harness: ChatDbHarness) -> None:
    row = harness.builder.message(harness.builder.chat(CONTACT), "one", at_ms=T, is_sent=0)
    async with harness.listening() as heard:
        first = await heard.until_quiet(at_least=1)
        harness.builder.update("message", row, is_sent=1)
        second = await heard.until_quiet(at_least=1)
        harness.builder.update("message", row, is_delivered=1, date_delivered=apple(T + 1))
        third = await heard.until_quiet(at_least=1)
        harness.builder.update("message", row, date_read=apple(T + 2))
        fourth = await heard.until_quiet(at_least=1)
        harness.builder.edit(row, ["one", "two"], at_ms=T + 3)
        fifth = await heard.until_quiet(at_least=1)

    assert [types(told) for told in (first, second, third, fourth, fifth)] == [
        {},
        {"message.sent": 1},
        {"message.sent": 1, "message.delivered": 1},
        {"message.sent": 1, "message.delivered": 1, "message.read": 1},
        {"message.sent": 1, "message.delivered": 1, "message.read": 1, "message.edited": 1},
    ]


async def test_a_mark_that_comes_late_with_an_old_date_is_told(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    rows = [harness.builder.message(chat, f"{number}", at_ms=T) for number in range(2)]
    async with harness.listening() as heard:
        await heard.until_quiet(at_least=2)
        harness.builder.update("message", rows[0], date_delivered=apple(T + HOUR_MS))
        await heard.until_quiet(at_least=1)
        harness.builder.update("message", rows[1], date_delivered=apple(T - HOUR_MS))

        assert types(await heard.until_quiet(at_least=1))["message.delivered"] == 1


async def test_a_file_that_comes_later_is_told_and_opened(harness: ChatDbHarness) -> None:
    row = harness.builder.message(harness.builder.chat(CONTACT), "\ufffc", sender=CONTACT, at_ms=T)
    file = harness.builder.attachment(row, harness.attachments, "a.png", None, created_date=apple(T))
    async with harness.listening() as heard:
        (first,) = await heard.until_quiet(at_least=1)
        assert first.message is not None
        ref = first.message.parts[0].ref or ""
        with pytest.raises(BridgeError) as not_yet:
            await anext(harness.adapter.open_attachment(ref))
        harness.builder.finish_attachment(file, harness.attachments, b"content")

        assert not isinstance(not_yet.value, AttachmentGone)
        assert [
            each.message.parts[0].size for each in await heard.until_quiet(at_least=1) if each.message
        ] == [7]
    assert b"".join([piece async for piece in harness.adapter.open_attachment(ref)]) == b"content"


@pytest.mark.parametrize(
    "filename",
    [
        "~/.ssh/id_ed25519",
        "/etc/passwd",
        "~/Library/Messages/Attachments/../../secret.txt",
        "~/Library/Messages/Attachments/link",
        "~/Library/Messages/Attachments/folder",
        "~/Library/Messages/Attachments/not there",
        "~/Library/Messages/Attachments/\0",
        "",
    ],
)
async def test_nothing_outside_the_folder_is_opened(harness: ChatDbHarness, filename: str) -> None:
    (harness.folder / "secret.txt").write_text("secret")
    (harness.attachments / "link").symlink_to(harness.folder / "secret.txt")
    (harness.attachments / "folder").mkdir()
    row = harness.builder.message(harness.builder.chat(CONTACT), "\ufffc", sender=CONTACT, at_ms=T)
    harness.builder.attachment(
        row, harness.attachments, "a.png", None, filename=filename, guid="REF", transfer_state=5
    )

    with pytest.raises(AttachmentGone):
        await anext(harness.adapter.open_attachment("REF"))


async def test_it_goes_on_where_it_was(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    for number in range(500):
        harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T - 5 * HOUR_MS)
    async with harness.listening() as heard:
        first = await heard.until_quiet(at_least=500)
    for number in range(500, 505):
        harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T)
    harness.restarted()

    again = await harness.told(heard.cursor)

    assert words(first) == [f"{number}" for number in range(500)]
    assert {f"{number}" for number in range(500, 505)} <= set(words(again))
    assert len(again) < 200  # the newest are told once more, not all


async def test_marks_made_while_nobody_watched_are_told(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    rows = [harness.builder.message(chat, f"{number}", at_ms=T - 5 * HOUR_MS) for number in range(300)]
    async with harness.listening() as heard:
        await heard.until_quiet(at_least=300)
    harness.builder.update("message", rows[3], date_delivered=apple(harness.time.now_ms()))
    harness.restarted()

    assert types(await harness.told(heard.cursor))["message.delivered"] == 1


async def test_what_is_new_is_not_kept_waiting_by_the_past(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    harness.builder.db.execute("BEGIN")
    for number in range(5_000):
        harness.builder.message(chat, f"old {number}", sender=CONTACT, at_ms=T - HOUR_MS)
    harness.builder.db.execute("COMMIT")
    told: list[str] = []

    async for piece in harness.adapter.events(None):
        if not told:
            harness.builder.message(chat, "new", sender=CONTACT, at_ms=T)
        told += words(list(piece))
        await asyncio.sleep(0.01)  # as long as an ingest
        if told[-1] == "new" or len(told) > 5_000:
            break

    assert told[-1] == "new"
    assert len(told) < 2_500


async def test_the_first_start_tells_so_much_of_the_past_and_no_more(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    for hours in (30, 25, 23, 1):
        harness.builder.message(chat, f"{hours} h ago", sender=CONTACT, at_ms=T - hours * HOUR_MS)

    assert words(await harness.told()) == ["23 h ago", "1 h ago"]


async def test_a_rebuilt_database_is_told_again_from_its_dates(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    for number in range(20):
        harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T, guid=f"GUID-{number}")
    async with harness.listening() as heard:
        first = await heard.until_quiet(at_least=20)
        harness.builder.close()
        for suffix in ("", "-wal", "-shm"):
            (harness.folder / f"chat.db{suffix}").unlink(missing_ok=True)
        rebuilt = Builder(harness.folder / "rebuilt.db")
        for number in (3, 21):
            rebuilt.message(
                rebuilt.chat(CONTACT), f"{number}", sender=CONTACT, at_ms=T, guid=f"GUID-{number}"
            )
        rebuilt.close()
        shutil.move(harness.folder / "rebuilt.db", harness.folder / "chat.db")
        again = await heard.until_quiet(at_least=2)

    assert len(first) == 20
    assert words(again) == ["3", "21"]
    assert types(first + again) == {"message.received": 21}


async def test_a_database_that_is_restored_in_its_place_is_told_again(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    harness.builder.message(chat, "old", sender=CONTACT, at_ms=T)
    backup = sqlite3.connect(harness.folder / "backup.db")
    harness.builder.db.backup(backup)
    for number in range(5):
        harness.builder.message(chat, f"lost {number}", sender=CONTACT, at_ms=T)
    async with harness.listening() as heard:
        await heard.until_quiet(at_least=6)
        file = (harness.folder / "chat.db").stat().st_ino
        backup.backup(harness.builder.db)
        harness.builder.message(chat, "after it", sender=CONTACT, at_ms=harness.time.now_ms())
        while "after it" not in words(heard.all):
            await heard.next()
    backup.close()

    assert (harness.folder / "chat.db").stat().st_ino == file


async def test_checkpoints_while_it_is_read_lose_nothing(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    async with harness.listening() as heard:
        for number in range(40):
            harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T)
            harness.builder.db.execute(
                f"PRAGMA wal_checkpoint({('PASSIVE', 'RESTART', 'TRUNCATE')[number % 3]})"
            )
            await asyncio.sleep(0.002)
        await heard.until_quiet(at_least=40)

    assert types(heard.all) == {"message.received": 40}


async def test_a_huge_group_is_told_with_as_many_members_as_are_taken(harness: ChatDbHarness) -> None:
    members = tuple(f"+1555{number:07}" for number in range(3_000))
    harness.builder.db.execute("BEGIN")
    group = harness.builder.chat("chat987654321", members=members)
    harness.builder.message(group, "hi all", sender=members[0], at_ms=T)
    harness.builder.db.execute("COMMIT")

    (told,) = harness.told_at_once()

    assert told.chat is not None
    assert len(told.chat.participants) == 512


def test_a_clock_that_is_set_back_keeps_no_row_waiting() -> None:
    settling, waiting = Settling(0, settle_ms=500), Waiting()
    settling.settled_up_to(3, T)
    waiting.add(3, T)
    settling.settled_up_to(3, T - HOUR_MS)
    waiting.over(T - HOUR_MS)

    assert settling.settled_up_to(3, T - HOUR_MS + 500) == 3
    assert waiting.over(T - HOUR_MS + 60_000) == [3]


async def test_what_cannot_be_read_is_logged_once(harness: ChatDbHarness) -> None:
    harness.builder.close()
    (harness.folder / "chat.db").write_bytes(b"no database at all, but longer than its head would be" * 10)
    with structlog.testing.capture_logs() as logs:
        async with harness.listening() as heard:
            await heard.until_quiet(1.0)

    told = [each["error"] for each in logs if each["event"] == "bridge.unreadable"]
    assert len(told) == 1
    assert "another file, or it is damaged" in told[0]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "null",
        "{}",
        "nonsense",
        '{"rowid": -1}',
        '{"rowid": 9223372036854775808}',
        '{"rowid": 9223372036854775807}',
        '{"rowid": 2, "anchor": "another"}',
        '{"rowid": 2, "gap": [0, 9223372036854775807]}',
        '{"rowid": 0, "since": 9007199254740992, "told_at": 9007199254740992}',
    ],
)
async def test_a_strange_cursor_stops_nothing(harness: ChatDbHarness, cursor: str) -> None:
    chat = harness.builder.chat(CONTACT)
    for number in range(3):
        harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T)
    async with harness.listening(cursor) as heard:
        await heard.until_quiet(0.1)
        harness.builder.message(chat, "new", sender=CONTACT, at_ms=harness.time.now_ms())

        while "new" not in words(heard.all):
            await heard.next()


async def test_deleting_messages_is_no_rebuilt_database(harness: ChatDbHarness) -> None:
    chat = harness.builder.chat(CONTACT)
    rows = [
        harness.builder.message(chat, f"{number}", sender=CONTACT, at_ms=T - 5 * HOUR_MS)
        for number in range(300)
    ]
    async with harness.listening() as heard:
        await heard.until_quiet(at_least=300)
    for row in rows[-5:]:
        harness.builder.delete(row)
    harness.restarted()

    assert len(await harness.told(heard.cursor)) < 150


async def test_nothing_is_told_before_there_is_a_line(harness: ChatDbHarness) -> None:
    harness.lines.clear()
    harness.builder.message(harness.builder.chat(CONTACT), "early", sender=CONTACT, at_ms=T)
    async with harness.listening() as heard:
        assert await heard.until_quiet(0.2) == []
        harness.lines.append("+15550100000")

        assert words(await heard.until_quiet(at_least=1)) == ["early"]


async def test_it_waits_for_a_database_that_cannot_be_read(tmp_path: Path) -> None:
    harness = ChatDbHarness(tmp_path)
    moved = tmp_path / "away"
    harness.builder.message(harness.builder.chat(CONTACT), "hi", sender=CONTACT, at_ms=T)
    harness.builder.close()
    os.rename(tmp_path / "chat.db", moved)
    async with harness.listening() as heard:
        assert await heard.until_quiet(0.3) == []
        assert (await harness.adapter.health())[0] == "offline"
        os.rename(moved, tmp_path / "chat.db")

        assert words(await heard.until_quiet(at_least=1)) == ["hi"]


def test_a_cursor_is_read_as_it_was_written() -> None:
    cursor = Cursor(rowid=7, anchor="A", since=5, told_at=6, gap=(1, 3))

    assert read_cursor(write_cursor(cursor)) == cursor
