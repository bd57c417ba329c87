"""`Prefer: wait=N`: answer when the outbox item is finished, or when N seconds are over (RFC 7240).

A caller who goes away is not waited for: the poll ends with its connection. Not here: the polling (hub.flow.verdicts).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Final, TypeVar

from hub.api.calls import Call
from hub.api.reading import Disconnected
from hub.model.errors import InvalidRequest
from hub.model.outbox import OutboxItem
from hub.rules.preferences import read_wait
from hub.rules.problems import Problem

T = TypeVar("T")

PREFER: Final = "Prefer"

Headers = tuple[tuple[bytes, bytes], ...]


def wanted_wait(call: Call[Any, Any]) -> int | None:
    """Give how many seconds the caller would wait; None without that wish.

    Raises:
        InvalidRequest: `wait` is no number of seconds.
    """
    read = read_wait(call.headers.get(b"prefer", b"").decode("latin-1"))
    if isinstance(read, Problem):
        message = f"{read.what[0].upper()}{read.what[1:]}: {read.why}. {read.fix}."
        raise InvalidRequest("invalid_parameter_value", message, param=PREFER)
    return read


async def wait_for(call: Call[Any, Any], outbox_id: int, seconds: int) -> tuple[OutboxItem | None, Headers]:
    """Wait for an outbox item; give it as it stands, and the headers that say that the wish was granted.

    Raises:
        Disconnected: The caller went away.
    """
    waited = call.uses.verdicts.wait(outbox_id, seconds=seconds)
    item, is_granted = await while_connected(call, waited)
    return item, ((b"preference-applied", b"wait=%d" % seconds),) if is_granted else ()


async def while_connected(call: Call[Any, Any], work: Awaitable[T]) -> T:
    """Do something that takes long, but only while its caller is there.

    Raises:
        Disconnected: The caller went away; the work was cancelled.
    """
    working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(call.gone())
    both: tuple[asyncio.Future[Any], ...] = (working, leaving)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise Disconnected
        return working.result()
    finally:
        for task in both:
            task.cancel()
        await asyncio.gather(*both, return_exceptions=True)
