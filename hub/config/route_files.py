"""Read a folder of routes: every file of it, or all that is wrong with them, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from hub.config.blueprint_files import NO_FOLDER, BlueprintFolder
from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain, spot_of
from hub.config.problems import Place, Problem, problem_at
from hub.config.route_paths import route_paths
from hub.config.route_places import route_places
from hub.config.text_files import have_stayed, take_in
from hub.rules import problems as rules
from hub.rules.routes.blueprints import is_blueprint
from hub.rules.routes.model import Route
from hub.rules.routes.reading import RouteDocument, kept, read_routes

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
    #: The blueprints that it uses, with the digests of what they said.
    blueprints: Mapping[str, bytes]
    #: The same of the texts that it names.
    texts: Mapping[Path, bytes]


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteFiles:
    """What a folder holds."""

    routes: tuple[WrittenRoute, ...]
    problems: tuple[Problem, ...]
    #: Of all files, in order.
    files: tuple[Path, ...]
    #: The sound ones, for the next reading.
    known: Mapping[Path, ReadFile]
    #: The texts that files and blueprints name, whether they are there or not, and what each path held.
    texts: Mapping[Path, bytes]


NOTHING_KNOWN: Final[Mapping[Path, ReadFile]] = MappingProxyType({})


def read_route_files(
    place: Path,
    check: Check | None = None,
    *,
    known: Mapping[Path, ReadFile] = NOTHING_KNOWN,
    folder: BlueprintFolder = NO_FOLDER,
) -> RouteFiles:
    """Read a folder, or one file.

    Args:
        place: The folder or the file; one that is not there holds no routes.
        check: Says what else is wrong with a document that is sound in itself.
        known: What an earlier reading gave, so that what has not changed is not read again.
        folder: The blueprints that may be used.
    """
    paths = route_paths(place)
    routes: list[WrittenRoute] = []
    problems: list[Problem] = []
    sound: dict[Path, ReadFile] = {}
    texts = folder.seen
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
        found = _read(path, check, known.get(path), folder)
        if isinstance(found, ReadFile):
            sound[path] = found
            routes += found.routes
        else:
            problems += found.problems
        texts.update(found.texts)
    problems += _twice(routes)
    return RouteFiles(
        routes=tuple(routes),
        problems=tuple(problems),
        files=tuple(paths),
        known=sound,
        texts=texts,
    )


def _read(
    path: Path, check: Check | None, known: ReadFile | None, folder: BlueprintFolder
) -> ReadFile | ReadText:
    try:
        content = path.read_bytes()
    except OSError as error:
        what = "the file cannot be read"
        fix = "Let the hub's user read it, or take it away"
        told = problem_at(Place(source=str(path)), what=what, why=error.strerror or str(error), fix=fix)
        return ReadText(problems=(told,))
    digest = blake2b(content, digest_size=16).digest()
    if known is not None and _is_as_it_was(known, digest, folder) and not _is_refused(known, check):
        return known
    found = read_route_text(content, source=str(path), check=check, folder=folder)
    if found.problems:
        return found
    return ReadFile(digest=digest, routes=found.routes, blueprints=found.blueprints, texts=found.texts)


def _is_as_it_was(known: ReadFile, digest: bytes, folder: BlueprintFolder) -> bool:
    return (
        known.digest == digest
        and all(
            (text := folder.texts.get(name)) is not None and text.digest == used
            for name, used in known.blueprints.items()
        )
        and have_stayed(known.texts)
    )


def _is_refused(known: ReadFile, check: Check | None) -> bool:
    """Ask again what a file cannot know by itself: whether its actions and connections are there."""
    document = RouteDocument(routes=tuple(each.route for each in known.routes), bound=())
    return check is not None and bool(check(document))


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadText:
    """The text of one file; without routes where there are problems."""

    routes: tuple[WrittenRoute, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: What it rests on: as in ReadFile.
    blueprints: Mapping[str, bytes] = field(default_factory=dict)
    texts: Mapping[Path, bytes] = field(default_factory=dict)


def read_route_text(
    content: bytes | str, *, source: str, check: Check | None = None, folder: BlueprintFolder = NO_FOLDER
) -> ReadText:
    """Read the text of one file."""
    node, problems = read_document(content, source=source, is_prose=True)
    if node is None or problems:
        return ReadText(problems=tuple(problems))
    document: Any = plain(node)
    taken = take_in(document, Path(source).parent)
    places = route_places(node, document, folder, taken.files)
    found = [_MISPLACED] if is_blueprint(document) else read_routes(document, folder.blueprints)
    if isinstance(found, RouteDocument) and check is not None:
        found = list(check(found)) or found
    if taken.problems or not isinstance(found, RouteDocument):
        wrong = [*taken.problems, *([] if isinstance(found, RouteDocument) else found)]
        return ReadText(problems=tuple(places.all_placed(wrong)), texts=taken.seen)
    routes = tuple(
        WrittenRoute(
            route=route,
            source=_encoded(kept(bound, document.get("defaults"))),
            file=source,
            line=places.user_of(route.pointer).line,
        )
        for route, bound in zip(found.routes, found.bound, strict=True)
    )
    blueprints = {each.path.stem: each.digest for each in places.blueprints}
    return ReadText(routes=routes, blueprints=blueprints, texts=taken.seen)


#: Of a blueprint among the routes.
_MISPLACED: Final = rules.Problem(
    pointer="/blueprint",
    what="this is a blueprint",
    why="its routes run only where a file of routes uses it",
    fix="Move the file into the folder of blueprints (`routes.blueprints`), and write use_blueprint: with its name",
)


def placed(node: Node, problem: rules.Problem) -> Problem:
    """Tell a problem with the place at which it is written."""
    spot = spot_of(node, problem.pointer, offset=problem.offset)
    return problem_at(spot.place, key=spot.key, what=problem.what, why=problem.why, fix=problem.fix)


def _encoded(document: Any) -> str:
    return msgspec.json.encode(document, order="sorted").decode()


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
