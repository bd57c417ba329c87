"""End tasks that run for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

ASK_AGAIN_SECONDS = 0.2


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and return when all have ended, however they did.

    One request is not enough: `asyncio.wait_for` of Python 3.11 swallows a cancellation that comes in the moment in
    which it has its result (python/cpython#86296), and redis-py sends through it. May go with Python 3.11.
    """
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=ASK_AGAIN_SECONDS)
