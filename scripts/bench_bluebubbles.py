"""How long a Mac's history takes: `python -m scripts.bench_bluebubbles [MESSAGES]`.

The bridge before the tests' fake server, in one process over real HTTP; what is measured includes what the server does.
"""

from __future__ import annotations

import asyncio
import sys
import time

from hub.outbound import OutboundClient
from hub.rules.egress import read_allow_list
from tests.bridge.bluebubbles.harness import CONTACT, BlueBubblesHarness
from tests.bridge.bluebubbles.mac import Mac
from tests.bridge.bluebubbles.server import serving
from tests.support.manual_time import ManualClock


async def measure(count: int) -> None:
    clock = ManualClock()
    client = OutboundClient(read_allow_list(["127.0.0.1"]))
    async with serving(Mac(now_ms=clock.now_ms)) as server:
        harness = BlueBubblesHarness(server, client, clock)
        for number in range(count):
            harness.mac.write(harness.chat, f"message {number}", author=CONTACT if number % 3 else None)
            clock.advance(1_000)
        harness.mac.rows.sort(key=lambda row: row["dateCreated"])
        started, told = time.perf_counter(), 0
        events = harness.adapter.events('{"at":1}')
        async for found in events:
            seen = found if isinstance(found, tuple) else (found,)
            told += len(seen)
            if seen[-1].kind == "line.status":
                break
        seconds = time.perf_counter() - started
        await events.aclose()  # type: ignore[attr-defined]  # a generator
        server.gone.set()
    await client.aclose()
    print(f"{told - 1} of {count} messages told in {seconds:.1f} s: {count / seconds:.0f} a second")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
