"""One file of routes as it was read: its text with places, its values, its routes; or what is wrong with its form.

For those who look at files without a hub: `hub check`, `hub try`, `hub test`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.config.blueprint_files import NO_FOLDER, BlueprintFolder
from hub.config.loader import read_document
from hub.config.nodes import Node
from hub.config.plain import plain
from hub.config.problems import Place, Problem, problem_at
from hub.config.route_places import RoutePlaces, route_places
from hub.config.text_files import take_in
from hub.rules import problems as rules
from hub.rules.routes.blueprints import Bound, is_blueprint
from hub.rules.routes.model import Route
from hub.rules.routes.reading import read_as_far_as_sound


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteText:
    """One file."""

    path: Path
    #: None where it could not be read at all.
    node: Node | None
    #: As plain values; None where there are none.
    document: Any
    #: Empty where something is wrong.
    routes: tuple[Route, ...]
    problems: tuple[Problem, ...]
    #: All of them, where something is wrong without the parts that are: to find what else is.
    partly: tuple[Route, ...] = ()
    #: As they were read, those of blueprints included.
    bound: tuple[Bound, ...] = ()
    #: None where it could not be read at all.
    places: RoutePlaces | None = None

    def place(self, problems: Iterable[rules.Problem]) -> list[Problem]:
        """Tell problems with the places at which they are written."""
        return [] if self.places is None else [self.places.placed(each) for each in problems]

    def place_of(self, pointer: str) -> Place:
        """Give the place of a part of the document."""
        assert self.places is not None, "what was read has places"
        return self.places.place_of(pointer)

    @property
    def ids(self) -> frozenset[str]:
        """Give the ids that stand in the file, whether its routes are sound or not."""
        found = [each.document.get("id") for each in self.bound if isinstance(each.document, Mapping)]
        return frozenset(each for each in found if isinstance(each, str))

    @property
    def is_blueprint(self) -> bool:
        """Tell whether its routes run only where it is used."""
        return is_blueprint(self.document)


def read_route_document(path: Path, folder: BlueprintFolder = NO_FOLDER) -> RouteText:
    """Read one file of routes, or a blueprint."""
    node, problems = read_node(path)
    document = None if node is None or problems else plain(node)
    if node is None or problems:
        return RouteText(path=path, node=node, document=None, routes=(), problems=tuple(problems))
    taken = take_in(document, path.parent)
    found = read_as_far_as_sound(document, folder.blueprints)
    places = route_places(node, document, folder, taken.files)
    wrong = [*taken.problems, *found.problems]
    return RouteText(
        path=path,
        node=node,
        document=document,
        routes=() if wrong else found.routes,
        problems=tuple(places.all_placed(wrong)),
        partly=found.routes,
        bound=found.bound,
        places=places,
    )


def read_node(path: Path) -> tuple[Node | None, list[Problem]]:
    """Read a file as nodes."""
    try:
        content = path.read_bytes()
    except OSError as error:
        what, fix = "the file cannot be read", "Let its user read it, or take it away"
        return None, [
            problem_at(Place(source=str(path)), what=what, why=error.strerror or str(error), fix=fix)
        ]
    return read_document(content, source=str(path), is_prose=True)
