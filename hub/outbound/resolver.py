"""Turns host names into addresses, off the event loop. Deciding which may be called is the guard's business."""

from __future__ import annotations

import asyncio
import socket
import threading
from typing import Protocol

#: Names the machine could not look up, as opposed to names that do not exist.
_OUR_FAULTS = frozenset({socket.EAI_MEMORY, socket.EAI_SYSTEM, socket.EAI_FAIL})


class NameNotResolvedError(Exception):
    """A name has no address, or none could be found out."""

    def __init__(self, *, is_ours: bool, is_temporary: bool) -> None:
        super().__init__()
        self.is_ours = is_ours
        self.is_temporary = is_temporary


class Resolver(Protocol):
    """Where addresses come from; tests bring their own."""

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return every address of a name, best first.

        Raises:
            NameNotResolvedError: There is none.
        """


class SystemResolver:
    """The machine's own resolver, each look-up in a thread of its own, so many at a time.

    The threads are daemons and no pool: a pool's threads are joined when Python exits, and a name server that does
    not answer would hold up the exit for half a minute.
    """

    def __init__(self, *, max_lookups: int = 32) -> None:
        self._room = asyncio.Semaphore(max_lookups)

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Ask getaddrinfo."""
        async with self._room:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[tuple[str, ...] | OSError] = loop.create_future()
            threading.Thread(
                target=_look_up, args=(host, loop, answer), name=f"resolve {host[:40]}", daemon=True
            ).start()
            found = await answer
        if isinstance(found, socket.gaierror):
            raise NameNotResolvedError(
                is_ours=found.errno in _OUR_FAULTS, is_temporary=found.errno == socket.EAI_AGAIN
            ) from found
        if isinstance(found, OSError):
            raise NameNotResolvedError(is_ours=True, is_temporary=True) from found
        return found


def _look_up(
    host: str, loop: asyncio.AbstractEventLoop, answer: asyncio.Future[tuple[str, ...] | OSError]
) -> None:
    found: tuple[str, ...] | OSError
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        found = tuple(dict.fromkeys(str(row[4][0]) for row in rows))
    except OSError as error:
        found = error
    except UnicodeError:
        found = socket.gaierror(socket.EAI_NONAME, "not a name")

    def settle() -> None:
        if not answer.done():
            answer.set_result(found)

    # A loop that was closed in the meantime has nobody left who waits.
    if not loop.is_closed():
        loop.call_soon_threadsafe(settle)
