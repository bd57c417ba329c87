"""Let the routes of an origin stand as they are written: all of them, in one step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from hub.flow.ports import Clock
from hub.flow.route_store import RouteChange, Routes
from hub.model.ids import IdFactory

#: Routes that were read from files.
FILES: Final = "files"
#: Routes that were made over the REST surface, one by one.
API: Final = "api"


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderStatus:
    """How the folder of routes was found when a process read it last."""

    folder: str
    #: Unix ms; None before it ever was.
    read_at: int | None
    #: Empty: what is written stands.
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class ToInstall:
    """A route as it is to stand."""

    id: str
    source: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What that changed."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    retired: tuple[str, ...]
    #: Already there as they are.
    unchanged: int

    @property
    def is_nothing(self) -> bool:
        """Tell whether everything stood so before."""
        return not (self.added or self.changed or self.retired)


class RouteTaken(Exception):
    """A route of another origin has the id."""

    def __init__(self, route_id: str, origin: str) -> None:
        super().__init__(f"{route_id}: a route of this id was made by {origin}; give yours another id")
        self.route_id = route_id
        self.origin = origin


class Installing:
    """Installs."""

    def __init__(self, *, routes: Routes, clock: Clock, new_id: IdFactory) -> None:
        self._routes = routes
        self._clock = clock
        self._new_id = new_id

    async def is_untouched(self) -> bool:
        """Tell whether no route was ever installed, of any origin."""
        return await self._routes.version() == 0

    async def install(self, origin: str, wanted: Sequence[ToInstall]) -> Installed:
        """Let exactly these be the routes of an origin; runs end on the revisions that they began with.

        Raises:
            RouteTaken: A route of another origin has one of the ids; nothing was changed.
        """
        current = {each.id: each for each in await self._routes.current()}
        for each in wanted:
            known = current.get(each.id)
            if known is not None and known.origin != origin:
                raise RouteTaken(each.id, known.origin)
        stays = {each.id for each in wanted if each.id in current and current[each.id].source == each.source}
        changed = [each for each in wanted if each.id not in stays]
        ids = {each.id for each in wanted}
        mine = {each.id for each in current.values() if each.origin == origin}
        told = Installed(
            added=_sorted(each.id for each in changed if each.id not in current),
            changed=_sorted(each.id for each in changed if each.id in current),
            retired=_sorted(mine - ids),
            unchanged=len(stays),
        )
        if not told.is_nothing:
            await self._routes.install(
                origin, [self._change(origin, each) for each in changed], keep=stays, now=self._clock.now_ms()
            )
        return told

    def _change(self, origin: str, wanted: ToInstall) -> RouteChange:
        return RouteChange(
            id=wanted.id,
            origin=origin,
            revision_id=self._new_id(),
            source=wanted.source,
            file=wanted.file,
            line=wanted.line,
        )


def _sorted(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(ids))
