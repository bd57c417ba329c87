"""Play the tests of routes in files, without a hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.app.offline import OfflineActions
from hub.config import problems as written
from hub.config.blueprint_files import NO_FOLDER, BlueprintFolder
from hub.config.nodes import Node
from hub.config.plain import spot_of
from hub.config.route_documents import RouteText, read_route_document
from hub.config.route_paths import TEST_SUFFIXES, route_paths
from hub.config.trial_files import TrialText, read_trial_file, read_trials, trial_paths
from hub.rules.problems import Problem
from hub.rules.routes.checking import check_routes
from hub.rules.routes.model import UseStep
from hub.rules.trials.coverage import reached, unreached
from hub.rules.trials.judging import Fault, Verdict, play


@dataclass(frozen=True, kw_only=True, slots=True)
class TrialResult:
    """One test of a file."""

    name: str
    route: str
    #: `file:line`, for people and editors.
    at: str
    has_passed: bool
    #: Why not, for people.
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FileResult:
    """The tests of one file."""

    path: Path
    problems: tuple[written.Problem, ...]
    results: tuple[TrialResult, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Trials:
    """The tests of all files."""

    files: tuple[FileResult, ...]
    #: Routes and steps that no test came to, a line each.
    untested: tuple[str, ...]

    @property
    def passed(self) -> int:
        """Count the tests that passed."""
        return sum(each.has_passed for file in self.files for each in file.results)

    @property
    def failed(self) -> int:
        """Count those that did not."""
        return sum(not each.has_passed for file in self.files for each in file.results)

    @property
    def problems(self) -> int:
        """Count what keeps files from being tested."""
        return sum(len(file.problems) for file in self.files)


def run_trials(
    places: Sequence[Path], actions: OfflineActions, folder: BlueprintFolder = NO_FOLDER
) -> Trials:
    """Play all tests in some folders and files; those of blueprints with their examples."""
    return _Playing(actions, folder).all_of(places)


class _Playing:
    def __init__(self, actions: OfflineActions, folder: BlueprintFolder) -> None:
        self._actions = actions
        self._folder = folder
        self._texts: dict[Path, RouteText] = {}
        self._done: set[tuple[str, str]] = set()

    def all_of(self, places: Sequence[Path]) -> Trials:
        routes = [
            path for place in places for path in route_paths(place) if not path.name.endswith(TEST_SUFFIXES)
        ]
        tests = [path for place in places for path in trial_paths(place)]
        tested = [self._text(path) for path in dict.fromkeys(routes)]
        files = [self._routes_file(text) for text in tested]
        files += [self._tests_file(path) for path in dict.fromkeys(tests)]
        return Trials(
            files=tuple(each for each in files if each.problems or each.results),
            untested=tuple(row for text in tested for row in self._untested(text)),
        )

    def _text(self, path: Path) -> RouteText:
        if path not in self._texts:
            self._texts[path] = read_route_document(path, self._folder)
        return self._texts[path]

    def _beside(self, path: Path) -> list[RouteText]:
        found = [each for each in route_paths(path.parent) if each.parent == path.parent and each != path]
        return [self._text(each) for each in found]

    def _routes_file(self, text: RouteText) -> FileResult:
        problems = [
            *text.problems,
            *text.place(check_routes(text.routes, actions=self._actions.specs, connections=None)),
        ]
        beside = self._beside(text.path)
        trials = read_trials(text, beside=beside)
        return self._file(trials, (text, *beside), [*problems, *trials.problems])

    def _tests_file(self, path: Path) -> FileResult:
        beside = self._beside(path)
        trials = read_trial_file(path, beside)
        return self._file(trials, beside, list(trials.problems))

    def _file(
        self, trials: TrialText, texts: Sequence[RouteText], problems: Sequence[written.Problem]
    ) -> FileResult:
        if problems:
            return FileResult(path=trials.path, problems=tuple(problems), results=())
        owners = {route.id: text for text in reversed(texts) for route in text.routes}
        routes = {route.id: route for text in reversed(texts) for route in text.routes}
        results = []
        for trial in trials.trials:
            verdict = play(
                trial, routes=routes, actions=self._actions.specs, check_inputs=self._actions.check_inputs
            )
            for each in verdict.results:
                self._done |= {(trial.route, ""), *reached(routes[trial.route], routes, each)}
            self._done.add((trial.route, ""))
            assert trials.node is not None, "what was read has places"
            results.append(_result(verdict, trials.node, owners[trial.route]))
        return FileResult(path=trials.path, problems=(), results=tuple(results))

    def _untested(self, text: RouteText) -> Iterable[str]:
        for route in text.routes:
            at = text.place_of(route.pointer)
            if (route.id, "") not in self._done:
                yield f"{at.source}:{at.line}: {route.id}: no test"
                continue
            for step in unreached(route, self._done):
                place = text.place_of(step.pointer)
                what = f" ({step.action})" if isinstance(step, UseStep) else ""
                named = step.pointer.removeprefix(f"{route.pointer}/")
                yield f"{place.source}:{place.line}: {route.id}: no test comes to {named}{what}"


def _result(verdict: Verdict, node: Node, owner: RouteText) -> TrialResult:
    trial = verdict.trial
    place = spot_of(node, trial.pointer).place
    lines: list[str] = []
    for fault in verdict.faults:
        lines += _fault_lines(fault, owner)
    for each in verdict.differences:
        lines += str(each).split("\n")
    if lines:
        lines += ["what happened:", *(f"  {row}" for row in verdict.story)]
    return TrialResult(
        name=trial.name,
        route=trial.route,
        at=f"{place.source}:{place.line}",
        has_passed=verdict.has_passed,
        lines=tuple(lines),
    )


def _fault_lines(fault: Fault, owner: RouteText) -> list[str]:
    """Tell a template that has no value, with the line on which it stands."""
    if not fault.pointer:
        return [f"an expression has no value: {fault.message}"]
    why, fix = "a template without a value fails its run", "mend it, or give the test an event that has it"
    told = owner.place([Problem(pointer=fault.pointer, what=fault.message, why=why, fix=fix)])
    return [line for each in told for line in str(each).split("\n")]
