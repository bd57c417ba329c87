"""Where each part of a file of routes is written: in the file itself, or in a blueprint that it uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from hub.config.blueprint_files import NO_FOLDER, BlueprintFolder, BlueprintText
from hub.config.nodes import Node
from hub.config.plain import Spot, spot_of
from hub.config.problems import Place, Problem, problem_at
from hub.config.text_files import TextFile
from hub.rules import problems as rules
from hub.rules.routes.blueprints import OVERRIDES, inputs_alone

#: What the rules call a part of a blueprint that is used: hub.rules.routes.blueprints.bind_instance.
_WITHIN: Final = re.compile(r"(/routes/\d+)(/routes/\d+)(/.*)?", re.ASCII | re.DOTALL)
_INPUT: Final = re.compile(r"(/routes/\d+)(/inputs(?:/[^/]+)?)(?:/.*)?", re.ASCII | re.DOTALL)
_NO_FILES: Final[Mapping[str, TextFile]] = MappingProxyType({})
_SAID_BY_USER: Final = frozenset({"id", *OVERRIDES})


@dataclass(frozen=True, kw_only=True, slots=True)
class _Use:
    """A blueprint, used."""

    text: BlueprintText
    #: Where in its routes inputs stand alone, with their names.
    alone: Mapping[str, str]
    #: The keys that its user wrote, and the inputs.
    said: frozenset[str]
    given: frozenset[str]

    def place_of(self, pointer: str, *, at_key: bool = False, offset: int | None = None) -> Place:
        if offset is not None and pointer in self.text.files:
            return self.text.files[pointer].place(offset)
        if self.text.node is None:
            return Place(source=str(self.text.path), line=1, column=1)
        return spot_of(self.text.node, pointer, at_key=at_key, offset=offset).place


@dataclass(frozen=True, kw_only=True, slots=True)
class RoutePlaces:
    """Finds what a pointer names."""

    node: Node
    #: By the pointer of the route that uses a blueprint.
    _uses: Mapping[str, _Use] = field(default_factory=dict)
    #: Texts that stand in files of their own, by the pointer of the input.
    _files: Mapping[str, TextFile] = field(default_factory=dict)

    def placed(self, problem: rules.Problem) -> Problem:
        """Tell a problem with the place at which it is written, and with that in the blueprint it comes from."""
        spot, origin = self._find(problem.pointer, problem.offset)
        found = problem_at(spot.place, key=spot.key, what=problem.what, why=problem.why, fix=problem.fix)
        return found if origin is None else replace(found, origin=origin)

    def all_placed(self, problems: Iterable[rules.Problem]) -> list[Problem]:
        """Tell problems in the order of the file; what is said once for several routes, once."""
        found: dict[tuple[int, int, str], Problem] = {}
        for each in map(self.placed, problems):
            found.setdefault((each.line, each.column, each.what), each)
        return [found[place] for place in sorted(found)]

    def place_of(self, pointer: str) -> Place:
        """Give the place of a part."""
        return self._find(pointer, None)[0].place

    def user_of(self, route: str) -> Place:
        """Give the place at which a route is written, or its blueprint is used."""
        return spot_of(self.node, route).place

    @property
    def blueprints(self) -> tuple[BlueprintText, ...]:
        """Give the blueprints that are used."""
        return tuple(each.text for each in self._uses.values())

    def _find(self, pointer: str, offset: int | None) -> tuple[Spot, Place | None]:
        if (within := _WITHIN.fullmatch(pointer)) is not None and within[1] in self._uses:
            return self._find_within(within[1], within[2] + (within[3] or ""), offset)
        spot = spot_of(self.node, pointer, offset=offset)
        if offset is not None and pointer in self._files:
            spot = replace(spot, place=self._files[pointer].place(offset))
        if (given := _INPUT.fullmatch(pointer)) is not None and given[1] in self._uses:
            return spot, self._uses[given[1]].place_of(given[2], at_key=True)
        user, _, key = pointer.rpartition("/")
        if key == "use_blueprint" and user in self._uses:
            return spot, self._uses[user].place_of("")
        return spot, None

    def _find_within(self, user: str, pointer: str, offset: int | None) -> tuple[Spot, Place | None]:
        """Find a part of a blueprint: what its user gave for it, else where it is used."""
        use = self._uses[user]
        key = pointer.split("/")[3:4]
        if key and key[0] in _SAID_BY_USER & use.said:
            return spot_of(self.node, f"{user}/{key[0]}"), use.place_of(pointer)
        for place, name in use.alone.items():
            if name in use.given and (pointer == place or pointer.startswith(f"{place}/")):
                given = f"{user}/inputs/{name}{pointer.removeprefix(place)}"
                return self._find(given, offset)[0], use.place_of(place)
        return spot_of(self.node, f"{user}/use_blueprint"), use.place_of(pointer, offset=offset)


def route_places(
    node: Node, document: Any, folder: BlueprintFolder = NO_FOLDER, files: Mapping[str, TextFile] = _NO_FILES
) -> RoutePlaces:
    """Look which blueprints a document uses, and give the places of all its parts.

    Args:
        node: As written.
        document: The same as plain values.
        folder: The blueprints that may be used.
        files: The texts that were taken in.
    """
    routes = document.get("routes") if isinstance(document, Mapping) else None
    uses: dict[str, _Use] = {}
    for place, route in enumerate(routes if isinstance(routes, list) else ()):
        name = route.get("use_blueprint") if isinstance(route, Mapping) else None
        text = folder.texts.get(name) if isinstance(name, str) else None
        if text is not None:
            uses[f"/routes/{place}"] = _use(text, route)
    return RoutePlaces(node=node, _uses=uses, _files=files)


def _use(text: BlueprintText, route: Mapping[str, Any]) -> _Use:
    found = [] if text.blueprint is None else inputs_alone(list(text.blueprint.routes), "/routes")
    given = route.get("inputs")
    return _Use(
        text=text,
        alone=dict(found),
        said=frozenset(route),
        given=frozenset(given) if isinstance(given, Mapping) else frozenset(),
    )
