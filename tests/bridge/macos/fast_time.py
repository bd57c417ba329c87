"""Time that goes fifty times as fast, for bridges that wait for real child processes.

Waits of half a minute and more are deadlines: they end when a child says that it hangs, and not before. So a slow
machine changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Final

START_MS: Final = 1_800_000_000_000
FACTOR: Final = 50
_DEADLINE_SECONDS: Final = 10.0


class FastTime:
    """A clock and its sleep.

    Args:
        folder: Where children read what time it is, and say that they hang.
    """

    def __init__(self, folder: Path) -> None:
        self._began = time.time()
        self._folder = folder
        (folder / "time.json").write_text(
            json.dumps({"began": self._began, "start": START_MS, "factor": FACTOR})
        )

    def now_ms(self) -> int:
        return START_MS + round((time.time() - self._began) * 1000 * FACTOR)

    async def sleep(self, seconds: float) -> None:
        if seconds < _DEADLINE_SECONDS:
            await asyncio.sleep(seconds / FACTOR)
            return
        while not (self._folder / "hangs").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.005)
        (self._folder / "hangs").unlink(missing_ok=True)


def now_in(folder: Path) -> int:
    """Give the time, in a child."""
    read = json.loads((folder / "time.json").read_text())
    return int(read["start"] + (time.time() - read["began"]) * 1000 * read["factor"])
