"""Tests of routes in files: under `tests:` beside the routes, or in a file of their own, `*.test.yaml`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from hub.config.nodes import Node
from hub.config.plain import plain
from hub.config.problems import Problem
from hub.config.route_documents import RouteText, read_node
from hub.config.route_files import placed
from hub.config.route_paths import TEST_SUFFIXES
from hub.rules.routes.document import Reading
from hub.rules.routes.model import Route
from hub.rules.routes.reading import VERSION
from hub.rules.trials.model import Trial
from hub.rules.trials.reading import read_tests

_KEYS: Final = ("version", "tests")


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialText:
    """The tests of one file."""

    path: Path
    #: None where there is nothing.
    node: Node | None
    trials: tuple[Trial, ...]
    problems: tuple[Problem, ...]

    @property
    def named_steps(self) -> frozenset[str]:
        """Give the names of steps and actions that tests ask for."""
        found: set[str] = set()
        for trial in self.trials:
            found.update(trial.mocks)
            for expected in (*(trial.each or ()), *((trial.last,) if trial.last else ())):
                found.update(expected.steps or {})
        return frozenset(found)


def read_trials(text: RouteText, *, beside: Sequence[RouteText] = ()) -> TrialText:
    """Read the tests that stand in a file of routes.

    Args:
        text: The file.
        beside: Files whose routes may be called.
    """
    written = text.document.get("tests") if isinstance(text.document, dict) else None
    if written is None or text.node is None or text.problems:
        return TrialText(path=text.path, node=None, trials=(), problems=())
    reading = Reading()
    routes = _routes((text, *beside))
    alone = text.routes[0].id if len(text.routes) == 1 else None
    trials = read_tests(reading, written, "/tests", routes, alone=alone)
    return _told(text.path, text.node, trials, reading)


def read_trial_file(path: Path, beside: Sequence[RouteText]) -> TrialText:
    """Read a file that holds tests alone, of the routes beside it."""
    node, problems = read_node(path)
    if node is None or problems:
        return TrialText(path=path, node=node, trials=(), problems=tuple(problems))
    reading = Reading()
    whole = reading.map(plain(node), "", noun="a file of tests", keys=_KEYS)
    if whole and whole.get("version") != VERSION:
        reading.refuse("/version" if "version" in whole else "", "`version` is another one or none",
                       "this hub reads version 1", "Write version: 1 at the top")  # fmt: skip
    found = reading.required(whole, "tests", "", noun="the file", fix="Write tests: and a list")
    routes = _routes(beside)
    own = [each for text in beside if text.path.stem == _stem(path) for each in text.routes]
    alone = own[0].id if len(own) == 1 else None
    trials = () if found is None else read_tests(reading, found, "/tests", routes, alone=alone)
    return _told(path, node, trials, reading)


def trial_paths(place: Path) -> list[Path]:
    """Give the files of tests in a folder and below; the one itself; or those that belong to a file of routes."""
    if place.is_file():
        if place.name.endswith(TEST_SUFFIXES):
            return [place]
        return [
            each for suffix in TEST_SUFFIXES if (each := place.with_name(f"{place.stem}{suffix}")).is_file()
        ]
    found = [
        path for path in sorted(place.rglob("*")) if path.name.endswith(TEST_SUFFIXES) and path.is_file()
    ]
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(place).parts)]


def _told(path: Path, node: Node, trials: tuple[Trial, ...], reading: Reading) -> TrialText:
    problems = sorted(
        (placed(node, each) for each in reading.problems), key=lambda each: (each.line, each.column)
    )
    return TrialText(path=path, node=node, trials=() if problems else trials, problems=tuple(problems))


def _routes(texts: Sequence[RouteText]) -> Mapping[str, Route]:
    found: dict[str, Route] = {}
    for text in texts:
        for route in text.routes:
            found.setdefault(route.id, route)
    return found


def _stem(path: Path) -> str:
    return next(path.name.removesuffix(each) for each in TEST_SUFFIXES if path.name.endswith(each))
