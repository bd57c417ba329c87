"""The folder of routes, followed: what is sound in all its files stands, and a mistake changes nothing.

What reads and checks routes is imported when there is a first file, or ever was one (decision 28).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from hub.config.route_paths import blueprint_paths, route_paths
from hub.flow.actions import KnownActions
from hub.flow.ports import Clock
from hub.flow.routing.installing import FILES, FolderStatus, Installed, Installing, RouteTaken, ToInstall
from hub.rules.problems import Problem as RuleProblem

if TYPE_CHECKING:
    from hub.config.route_files import ReadFile, RouteFiles, WrittenRoute
    from hub.rules.routes.reading import RouteDocument

log = structlog.get_logger("routes")

#: Problems that are logged one by one; the rest is counted.
MOST_TOLD: Final = 20
#: Files by path, with what tells that one changed.
Stamp = tuple[tuple[str, int, int], ...]


class RouteFolder:
    """Reads the folder when it changes."""

    def __init__(
        self,
        folder: Path,
        *,
        blueprints: Path,
        actions: KnownActions,
        installing: Installing,
        clock: Clock,
        on_installed: Callable[[], None],
        on_read: Callable[[FolderStatus], None] = lambda status: None,
    ) -> None:
        self._folder = folder
        self._blueprints = blueprints
        self._actions = actions
        self._installing = installing
        self._clock = clock
        self._on_installed = on_installed
        self._on_read = on_read
        self._stamp: Stamp | None = None
        self._known: Mapping[Path, ReadFile] = {}
        #: Texts that files name.
        self._texts: frozenset[Path] = frozenset()
        self.status = FolderStatus(folder=str(folder), read_at=None, problems=())

    async def follow(self, seconds: float) -> None:
        """Read at once, then whenever something changed; never again where `seconds` is 0."""
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("routes.unread", folder=str(self._folder), error=str(error))
            if not seconds:
                return
            await asyncio.sleep(seconds)

    async def look(self) -> Installed | None:
        """Read the folder if anything in it changed; give what that changed, None for nothing."""
        stamp = await asyncio.to_thread(self._stamped)
        if stamp == self._stamp:
            return None
        if stamp or not await self._installing.is_untouched():
            found = await asyncio.to_thread(self._read)
            self._known = found.known
            stamp = await asyncio.to_thread(self._stamped_with, stamp, found.texts)
            installed = await self._take(found)
        else:
            installed = Installed(added=(), changed=(), retired=(), unchanged=0)
            self._tell_status(())
        self._stamp = stamp
        return installed

    async def _take(self, found: RouteFiles) -> Installed | None:
        problems = [str(each) for each in found.problems]
        installed = None
        if not problems:
            try:
                installed = await self._installing.install(FILES, [_wanted(each) for each in found.routes])
            except RouteTaken as taken:
                problems = [str(taken)]
        self._tell_status(problems)
        if problems:
            self._tell(found, problems)
        elif installed is not None and not installed.is_nothing:
            log.info(
                "routes.installed",
                folder=str(self._folder),
                added=list(installed.added),
                changed=list(installed.changed),
                retired=list(installed.retired),
                unchanged=installed.unchanged,
            )
            self._on_installed()
        return installed

    def _tell_status(self, problems: Sequence[str]) -> None:
        self.status = FolderStatus(
            folder=str(self._folder), read_at=self._clock.now_ms(), problems=tuple(problems)
        )
        self._on_read(self.status)

    def _tell(self, found: RouteFiles, problems: Sequence[str]) -> None:
        for each in found.problems[:MOST_TOLD]:
            at = f"{each.path}:{each.line}:{each.column}"
            blueprint = {} if each.origin is None else {"blueprint": str(each.origin)}
            log.error(
                "route.refused", at=at, key=each.key, what=each.what, why=each.why, fix=each.fix, **blueprint
            )
        log.error(
            "routes.refused",
            folder=str(self._folder),
            count=len(problems),
            reason=problems[0] if not found.problems else "what ran goes on running",
        )

    def _read(self) -> RouteFiles:
        from hub.config.blueprint_files import read_blueprint_folder  # noqa: PLC0415 - see above
        from hub.config.route_files import read_route_files  # noqa: PLC0415

        folder = read_blueprint_folder(self._blueprints)
        return read_route_files(self._folder, self._check, known=self._known, folder=folder)

    def _check(self, document: RouteDocument) -> Sequence[RuleProblem]:
        from hub.rules.routes.checking import check_routes  # noqa: PLC0415 - see above

        return check_routes(
            document.routes, actions=self._actions.specs(), connections=self._actions.connections()
        )

    def _stamped(self) -> Stamp:
        paths = route_paths(self._folder) if self._folder.exists() else []
        return _stamps([*paths, *blueprint_paths(self._blueprints), *sorted(self._texts)] if paths else [])

    def _stamped_with(self, stamp: Stamp, texts: Mapping[Path, bytes]) -> Stamp:
        """Follow the texts that files turned out to name; one that has changed meanwhile is seen at the next look."""
        from hub.config.text_files import have_stayed  # noqa: PLC0415 - see above

        before, self._texts = self._texts, frozenset(texts)
        if before == self._texts:
            return stamp
        followed = {str(path) for path in before}
        more = _stamps(sorted(texts))
        return (*(each for each in stamp if each[0] not in followed), *more) if have_stayed(texts) else ()


def _stamps(paths: Iterable[Path]) -> Stamp:
    stamps = []
    for path in paths:
        try:
            known = path.stat()
        except OSError:  # gone since: the next look tells
            continue
        stamps.append((str(path), known.st_mtime_ns, known.st_size))
    return tuple(stamps)


def _wanted(written: WrittenRoute) -> ToInstall:
    return ToInstall(id=written.route.id, source=written.source, file=written.file, line=written.line)
