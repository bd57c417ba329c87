"""Twilio on the loopback, in a thread of its own, which can hold each send before or after it has it.

The network's side is the natural gate: whatever the hub does, a send stands where the network lets it stand.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.requests import Request
from starlette.responses import Response

from hub.app.world import SystemClock
from hub.flow.bridge_kinds import HookRequest
from tests.bridge.networks import hang_up, serving
from tests.bridge.twilio.fake_twilio import FakeTwilio

Where = Literal["before", "after"]
_LOOK_SECONDS = 0.005


@dataclass
class Carrier(FakeTwilio):
    """One account. Sends are told apart by their words."""

    #: Words of sends that are held, and where.
    held: dict[str, Where] = field(default_factory=dict)
    #: Words of sends that stand, or stood, where they are held.
    reached: set[str] = field(default_factory=set)
    #: Words of sends whose request is lost on its way, and of those whose answer is.
    lost: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    #: Words of sends that were answered in full.
    answered: set[str] = field(default_factory=set)

    async def _create(self, request: Request) -> Response:
        words = dict(parse_qsl((await request.body()).decode())).get("Body", "")
        await self._hold(words, "before")
        if words in self.lost:
            hang_up(request)
            return Response()
        answer = await super()._create(request)
        await self._hold(words, "after")
        if words in self.cut:
            hang_up(request)
        self.answered.add(words)
        return answer

    async def _hold(self, words: str, where: Where) -> None:
        while self.held.get(words) == where:
            self.reached.add(words)
            await asyncio.sleep(_LOOK_SECONDS)

    def arrived_of(self, attempt: str) -> int:
        """Count how often the network has an attempt: its id stands where statuses are told."""
        return sum(1 for url in list(self.callbacks.values()) if attempt in url)

    def sid_of(self, attempt: str) -> str:
        """Name the message of an attempt."""
        return next(sid for sid, url in list(self.callbacks.items()) if attempt in url)

    def looks_from(self, line: str) -> int:
        """Count how often the hub has asked what went out from a line."""
        return sum(1 for query in list(self.listed) if query.get("From") == line)


def call(request: HookRequest, *, port: int) -> int:
    """Call the hub as Twilio does; give the status, 0 where nobody answered."""
    place = urlsplit(request.url)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        path = f"{place.path}?{place.query}" if place.query else place.path
        connection.request(request.method, path, request.body, dict(request.headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


@contextlib.contextmanager
def running_carrier(numbers: set[str]) -> Iterator[tuple[Carrier, str, BlockingPortal]]:
    """Serve for the length of a block; give the carrier, its address, and the way into its thread."""
    carrier = Carrier(SystemClock(), numbers=numbers)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(carrier.app)) as api_url,
    ):
        try:
            yield carrier, api_url, portal
        finally:
            carrier.held.clear()
