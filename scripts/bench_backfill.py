"""How quick a worker records what a bridge tells of the past: one by one, and in pages. SQLite, on disk.

python -m scripts.bench_backfill [MESSAGES]
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from bridge.sandbox import contacts
from hub.model.observation import Observation
from hub.rules.lanes import SHARD_COUNT
from hub.worker.adapters import AdapterBook
from tests.support.hub_world import OTHER_LINE, open_world
from tests.worker.test_adapters import Network, feeds_of


def written(number: int) -> Observation:
    """One of 2,000 contacts writes."""
    scene = contacts.direct(OTHER_LINE, f"+1555010{number % 2000:04d}")
    at = 1_780_000_000_000 + number * 1_000
    said: Observation = contacts.say(scene, f"message {number}", guid=f"G{number}", at=at)
    return msgspec.structs.replace(said, cursor=str(number))


async def measure(count: int, page: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with open_world(Path(folder)) as world:
            network = Network(world.clock)
            told = [written(number) for number in range(count)]
            for first in range(0, count, page):
                network.waiting.put_nowait(tuple(told[first : first + page]) if page > 1 else told[first])
            mine = world.other_line.bridge_id
            book = AdapterBook(world.directory, lambda bridge: network if bridge.id == mine else None)
            feeds = feeds_of(world, book)
            started = time.perf_counter()
            book.refresh()
            feeds.own(range(SHARD_COUNT))
            await network.waiting.join()
            seconds = time.perf_counter() - started
            await feeds.stop()
            await book.aclose()
    print(f"{count} messages in pages of {page}: {seconds:.1f} s, {count / seconds:.0f} a second")


if __name__ == "__main__":
    messages = int(sys.argv[1]) if len(sys.argv) > 1 else 50_000
    asyncio.run(measure(messages // 20, 1))
    asyncio.run(measure(messages, 100))
