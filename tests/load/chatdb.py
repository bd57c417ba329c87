"""Measure the watcher of chat.db beside a large one: what it costs when nothing happens, and how fast it catches up.

Run as: scripts/bench-chatdb [messages]. The database is synthetic and removed afterwards. Ingest is not in it.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bridge.chatdb.bridge import ChatDbBridge, Programs
from bridge.chatdb.settings import ChatDbSettings
from hub.flow.bridge_kinds import Surroundings
from tests.bridge.chatdb.builder import Builder, apple, new_guid
from tests.bridge.chatdb.typedstream_writer import encode
from tests.bridge.macos.fast_time import FastTime
from tests.bridge.macos.surroundings import surroundings

CHATS = 2_000
RECENT = 50_000
HOUR_MS = 3_600_000
IDLE_SECONDS = 20


class WallTime(FastTime):
    """The time as it is."""

    def now_ms(self) -> int:
        return round(time.time() * 1000)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def build(path: Path, count: int) -> Builder:
    """Write so many messages, the newest `RECENT` of the last day, every tenth of them ours."""
    builder = Builder(path)
    builder.db.execute("DROP TRIGGER after_insert_on_chat_message_join")
    chats = [builder.chat(f"+1555{number:07d}") for number in range(CHATS)]
    handles = [builder.handle(f"+1555{number:07d}") for number in range(CHATS)]
    now_ms = round(time.time() * 1000)
    body = encode("Words of a message as people write them, of some length, so that a row has its size. " * 3)

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(count):
            left = count - number
            at_ms = now_ms - left * 1_000 if left <= RECENT else now_ms - 48 * HOUR_MS - left * 1_000
            own = number % 10 == 0
            yield new_guid(), body, apple(at_ms), own, 0 if own else handles[number % CHATS], own, "iMessage"

    builder.db.execute("BEGIN")
    builder.db.executemany(
        "INSERT INTO message (guid, attributedBody, date, is_from_me, handle_id, is_sent, service)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        rows(),
    )
    builder.db.executemany(
        "INSERT INTO chat_message_join SELECT ?, ROWID, date FROM message WHERE ROWID = ?",
        ((chats[(rowid - 1) % CHATS], rowid) for rowid in range(1, count + 1)),
    )
    builder.db.execute("COMMIT")
    builder.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return builder


def adapter(folder: Path, around: Surroundings) -> ChatDbBridge:
    settings = ChatDbSettings(database=str(folder / "chat.db"), attachments=str(folder))
    return ChatDbBridge(settings, around, programs=Programs(osascript=("true",), pgrep=("true",)))


async def measure(folder: Path, builder: Builder, count: int) -> None:
    around = surroundings(WallTime(folder))
    bridge = adapter(folder, around)
    chat, told, cursor, seen_after = builder.chat("+15550000001"), 0, None, 0.0
    began, spent, inserted_at = time.perf_counter(), time.process_time(), 0.0
    async for piece in bridge.events(None):
        for each in piece:
            cursor = each.cursor or cursor
            if each.message and each.message.parts and each.message.parts[0].text == "live":
                seen_after = time.perf_counter() - inserted_at
        told += len(piece)
        if told >= RECENT // 2 and not inserted_at:
            builder.message(chat, "live", sender="+15550000001", at_ms=around.clock.now_ms())
            inserted_at = time.perf_counter()
        if told > RECENT and seen_after:
            break
    took, spent = time.perf_counter() - began, time.process_time() - spent
    print(f"backfill of {told} messages: {took:.1f} s, {spent:.1f} s CPU, {told / took:.0f} a second")
    print(f"a message that came in the middle of it was told after {seen_after * 1000:.0f} ms")
    await idle(bridge, cursor, count)
    await bridge.aclose()


async def idle(bridge: ChatDbBridge, cursor: str | None, count: int) -> None:
    async def listen() -> None:
        async for _ in bridge.events(cursor):
            pass

    task = asyncio.create_task(listen())
    await asyncio.sleep(5)
    spent = time.process_time()
    await asyncio.sleep(IDLE_SECONDS)
    used = (time.process_time() - spent) / IDLE_SECONDS
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"idle beside {count} messages: {used:.2%} of a CPU; at most {memory:.0f} MB, the builder's own included"
    )


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory(prefix="chatdb-") as name:
        folder, began = Path(name), time.perf_counter()
        builder = build(folder / "chat.db", count)
        size = (folder / "chat.db").stat().st_size / 1024**3
        print(f"{count} messages, {size:.1f} GB, built in {time.perf_counter() - began:.0f} s")
        asyncio.run(measure(folder, builder, count))
        builder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
