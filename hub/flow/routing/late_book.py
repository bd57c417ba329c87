"""The book of routes, opened when there is a first route: what reads and compiles them takes 10 MiB (decision 28)."""

from __future__ import annotations

import asyncio
import importlib
from typing import TYPE_CHECKING, Final

from hub.flow.route_store import Routes

if TYPE_CHECKING:
    from hub.flow.routing.book import RouteBook

_MACHINERY: Final = "hub.flow.routing.book"


class LateBook:
    """Knows whether there is anything to know; one in each process."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._book: RouteBook | None = None

    @property
    def book(self) -> RouteBook:
        """The book itself; opens it."""
        if self._book is None:
            from hub.flow.routing.book import RouteBook  # noqa: PLC0415 - see above

            self._book = RouteBook(self._routes)
        return self._book

    async def refresh(self) -> None:
        """Take over what was installed since, if anything ever was."""
        if self._book is None:
            if not await self._routes.version():
                return
            await asyncio.to_thread(importlib.import_module, _MACHINERY)
        await self.book.refresh()

    def has_hook(self, path: str) -> bool:
        """Tell whether a route listens at a path of its own."""
        return self._book is not None and self._book.has_hook(path)
