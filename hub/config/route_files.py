"""Read a folder of routes: every file of it, or all that is wrong with them, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain, spot_of
from hub.config.problems import Place, Problem, problem_at
from hub.config.route_paths import route_paths
from hub.rules import problems as rules
from hub.rules.routes.model import Route
from hub.rules.routes.reading import RouteDocument, read_routes

MOST_FILES: Final = 1_000
#: What is wrong beyond the form: actions and connections that are not there.
Check = Callable[[RouteDocument], Sequence[rules.Problem]]


@dataclass(frozen=True, kw_only=True, slots=True)
class WrittenRoute:
    """One route of a file."""

    route: Route
    #: JSON: a document of this one route with its defaults, the same for the same meaning.
    source: str
    file: str
    line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadFile:
    """A sound file as it was read; as long as its bytes are the same, it need not be read again."""

    digest: bytes
    routes: tuple[WrittenRoute, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteFiles:
    """What a folder holds."""

    routes: tuple[WrittenRoute, ...]
    problems: tuple[Problem, ...]
    #: Of all files, in order.
    files: tuple[Path, ...]
    #: The sound ones, for the next reading.
    known: Mapping[Path, ReadFile]


NOTHING_KNOWN: Final[Mapping[Path, ReadFile]] = MappingProxyType({})


def read_route_files(
    place: Path, check: Check | None = None, *, known: Mapping[Path, ReadFile] = NOTHING_KNOWN
) -> RouteFiles:
    """Read a folder, or one file.

    Args:
        place: The folder or the file; one that is not there holds no routes.
        check: Says what else is wrong with a document that is sound in itself.
        known: What an earlier reading gave, so that what has not changed is not read again.
    """
    paths = route_paths(place)
    routes: list[WrittenRoute] = []
    problems: list[Problem] = []
    sound: dict[Path, ReadFile] = {}
    if len(paths) > MOST_FILES:
        problems.append(
            problem_at(
                Place(source=str(place)),
                what=f"there are {len(paths)} files",
                why=f"{MOST_FILES} are read",
                fix="Put several routes into one file",
            )
        )
    for path in paths[:MOST_FILES]:
        found = _read(path, check, known.get(path))
        if isinstance(found, ReadFile):
            sound[path] = found
            routes += found.routes
        else:
            problems += found
    problems += _twice(routes)
    return RouteFiles(routes=tuple(routes), problems=tuple(problems), files=tuple(paths), known=sound)


def _read(path: Path, check: Check | None, known: ReadFile | None) -> ReadFile | list[Problem]:
    try:
        content = path.read_bytes()
    except OSError as error:
        what = "the file cannot be read"
        fix = "Let the hub's user read it, or take it away"
        return [problem_at(Place(source=str(path)), what=what, why=error.strerror or str(error), fix=fix)]
    digest = blake2b(content, digest_size=16).digest()
    if known is not None and known.digest == digest and not _is_refused(known, check):
        return known
    routes, problems = read_route_text(content, source=str(path), check=check)
    return problems or ReadFile(digest=digest, routes=tuple(routes))


def _is_refused(known: ReadFile, check: Check | None) -> bool:
    """Ask again what a file cannot know by itself: whether its actions and connections are there."""
    document = RouteDocument(routes=tuple(each.route for each in known.routes))
    return check is not None and bool(check(document))


def read_route_text(
    content: bytes | str, *, source: str, check: Check | None = None
) -> tuple[list[WrittenRoute], list[Problem]]:
    """Read the text of one file."""
    node, problems = read_document(content, source=source, is_prose=True)
    if node is None or problems:
        return [], list(problems)
    document: Any = plain(node)
    found = read_routes(document)
    if isinstance(found, RouteDocument) and check is not None:
        found = list(check(found)) or found
    if not isinstance(found, RouteDocument):
        told = [placed(node, each) for each in found]
        return [], sorted(told, key=lambda each: (each.line, each.column))
    routes = [
        WrittenRoute(
            route=route,
            source=_alone(document, place),
            file=source,
            line=spot_of(node, route.pointer).place.line,
        )
        for place, route in enumerate(found.routes)
    ]
    return routes, []


def placed(node: Node, problem: rules.Problem) -> Problem:
    """Tell a problem with the place at which it is written."""
    spot = spot_of(node, problem.pointer, offset=problem.offset)
    return problem_at(spot.place, key=spot.key, what=problem.what, why=problem.why, fix=problem.fix)


def _alone(document: Any, place: int) -> str:
    """Write one route of a document as a document of its own."""
    alone = {"version": document["version"], "routes": [document["routes"][place]]}
    if document.get("defaults"):
        alone["defaults"] = document["defaults"]
    return msgspec.json.encode(alone, order="sorted").decode()


def _twice(routes: Sequence[WrittenRoute]) -> list[Problem]:
    first: dict[str, WrittenRoute] = {}
    problems: list[Problem] = []
    for each in routes:
        other = first.setdefault(each.route.id, each)
        if other is not each and other.file != each.file:
            problems.append(
                problem_at(
                    Place(source=each.file, line=each.line, column=1),
                    key=each.route.id,
                    what=f"two routes are called {each.route.id}",
                    why=f"the other one is in {other.file}:{other.line}",
                    fix="Give each route an id of its own",
                )
            )
    return problems
