"""Several tellers told as one: each waits for its turn, none holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def together(*tellers: AsyncIterator[T]) -> AsyncIterator[T]:
    """Give what all of them tell, as it comes; ends with whoever reads it, and raises what the first of them raises."""
    told: asyncio.Queue[T] = asyncio.Queue(1)
    tasks = [asyncio.ensure_future(_tell(teller, told)) for teller in tellers]
    try:
        while True:
            getting = asyncio.ensure_future(told.get())
            try:
                await asyncio.wait({getting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
                if not getting.done():
                    for task in tasks:
                        if task.done():
                            task.result()  # they never end but by an error
                    tasks = [task for task in tasks if not task.done()]
                    continue
            finally:
                if not getting.done():
                    getting.cancel()
            yield getting.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _tell(teller: AsyncIterator[T], told: asyncio.Queue[T]) -> None:
    async for each in teller:
        await told.put(each)
