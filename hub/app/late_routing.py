"""Wire routes in a worker so that a hub without routes does without their memory (decision 28)."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from hub.app.core import Core
from hub.flow.routing.late_book import LateBook
from hub.outbound.client import OutboundClient
from hub.worker.late_rounds import LateRounds

if TYPE_CHECKING:
    from hub.worker.runs import RouteRounds

_MACHINERY: Final = "hub.app.routing"
DAY_MS: Final = 86_400_000


class LateRouting:
    """Opens what routes need when there is a first one."""

    def __init__(self, core: Core, client: OutboundClient) -> None:
        self._core = core
        self._client = client
        self._book = LateBook(core.store.routes)

    def rounds(self) -> LateRounds:
        """Give what runs them."""
        return LateRounds(self._core.store.routes, open_rounds=self._open)

    async def forget_runs(self) -> Mapping[str, int]:
        """Forget runs that are old; give what that was, by what it is called."""
        core, keep = self._core, self._core.settings.retention
        if not await core.store.routes.version():
            return {}
        from hub.flow.routing.forgetting import RunForgetting  # noqa: PLC0415 - as said

        forget = RunForgetting(
            store=core.store,
            book=self._book.book,
            clock=core.clock,
            payload_ms=keep.run_payloads_days * DAY_MS,
            log_ms=keep.runs_days * DAY_MS,
            events_ms=keep.events_days * DAY_MS,
        )
        return await forget()

    async def _open(self) -> RouteRounds:
        # Reading it from disk takes half a second, in which the worker goes on with other work.
        await asyncio.to_thread(importlib.import_module, _MACHINERY)
        from hub.app.routing import route_rounds  # noqa: PLC0415 - as said

        return route_rounds(self._core, self._client, self._book.book)
