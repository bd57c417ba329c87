"""What showing routes and runs needs beside the store; light, so that a hub without routes can have it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.flow.actions import KnownActions
from hub.flow.routing.installing import FolderStatus
from hub.flow.routing.late_book import LateBook
from hub.model.errors import InvalidRequest

if TYPE_CHECKING:
    from hub.flow.routing.book import RouteBook


@dataclass(frozen=True, kw_only=True, slots=True)
class RunTexts:
    """What runs say about where they run."""

    #: Where people reach the hub, without a slash at its end.
    public_url: str
    env_name: str
    #: Of windows and dates that name none.
    timezone: str = "UTC"


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteParts:
    """The parts."""

    late_book: LateBook
    texts: RunTexts
    actions: KnownActions
    #: How the folder of routes was found; None where this process follows none.
    folder: Callable[[], FolderStatus | None] = lambda: None

    @property
    def book(self) -> RouteBook:
        """The book of routes; opens it."""
        return self.late_book.book


def no_route() -> InvalidRequest:
    """Say that no route has an id."""
    return InvalidRequest("route_id_not_found", "Route not found.")
