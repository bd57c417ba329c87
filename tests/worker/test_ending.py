"""Tasks that run for ever end when they are told to."""

from __future__ import annotations

import asyncio

from hub.worker.ending import end


async def deaf(times: int) -> None:
    """Ignore so many requests to end, as a library may."""
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            times -= 1
            if times < 0:
                raise


async def test_a_task_that_swallows_a_cancellation_is_asked_again() -> None:
    tasks = [asyncio.ensure_future(deaf(times)) for times in (0, 1)]
    await asyncio.sleep(0)
    await end(tasks)

    assert all(task.cancelled() for task in tasks)


async def test_what_has_ended_is_left_alone() -> None:
    done = asyncio.ensure_future(asyncio.sleep(0, "result"))
    await done
    await end([done])

    assert done.result() == "result"
