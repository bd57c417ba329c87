"""Check files of routes without a hub: all that is wrong with all of them, and what is probably not meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hub.app.offline import OfflineActions
from hub.config.blueprint_files import NO_FOLDER, BlueprintFolder
from hub.config.problems import Problem, problem_at
from hub.config.route_documents import RouteText, read_route_document
from hub.config.route_paths import TEST_SUFFIXES, route_paths
from hub.config.trial_files import read_trial_file, read_trials
from hub.rules.routes.advice import Advice, Rule, advise, secrets_in
from hub.rules.routes.checking import check_routes


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One problem, and whether the file can be used in spite of it."""

    problem: Problem
    #: The name of a warning; None for an error.
    rule: Rule | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What was found in some files."""

    files: int
    routes: int
    #: In the order of files and lines.
    findings: tuple[Finding, ...]

    @property
    def errors(self) -> int:
        """Count those that keep a file from being used."""
        return sum(each.rule is None for each in self.findings)


def read_texts(places: Iterable[Path], folder: BlueprintFolder = NO_FOLDER) -> list[RouteText]:
    """Read the files of routes in some folders, or of blueprints; each file once."""
    paths = {
        path.resolve(): path
        for place in places
        for path in route_paths(place)
        if not path.name.endswith(TEST_SUFFIXES)
    }
    return [read_route_document(path, folder) for path in paths.values()]


def check_texts(
    texts: Sequence[RouteText],
    actions: OfflineActions,
    *,
    tests: Sequence[Path] = (),
    has_connections: bool = True,
) -> Checked:
    """Look at files as one set of routes.

    Args:
        texts: The files.
        actions: What steps may use.
        tests: Files that hold tests alone.
        has_connections: Whether connections.yaml is to be looked at.
    """
    ids = frozenset(each for text in texts if not text.is_blueprint for each in text.ids)
    found = [Finding(problem=each, rule=None) for each in actions.problems] if has_connections else []
    for text in texts:
        problems = list(text.problems)
        problems += text.place(
            check_routes(
                text.partly,
                actions=actions.specs,
                connections=actions.connections if has_connections else None,
                callable_ids=ids | text.ids,
            )
        )
        trials = read_trials(text, beside=_beside(text.path, texts))
        problems += trials.problems
        found += [Finding(problem=each, rule=None) for each in problems]
        advice = list(secrets_in(text.document))
        for route in text.routes:
            advice += advise(
                route,
                actions.specs,
                named=trials.named_steps,
                sources=actions.sources if has_connections else None,
            )
        found += _told(text, advice)
    for path in tests:
        own = read_trial_file(path, _beside(path, texts))
        found += [Finding(problem=each, rule=None) for each in own.problems]
    found += [Finding(problem=each, rule=None) for each in _twice(texts)]
    order = {str(path): place for place, path in enumerate([*(text.path for text in texts), *tests])}
    return Checked(
        files=len(texts),
        routes=sum(len(text.routes) for text in texts),
        findings=tuple(
            sorted(
                found,
                key=lambda each: (order.get(each.problem.path, -1), each.problem.line, each.problem.column),
            )
        ),
    )


def _beside(path: Path, texts: Iterable[RouteText]) -> list[RouteText]:
    return [each for each in texts if each.path.parent == path.parent and each.path != path]


def _told(text: RouteText, advice: Iterable[Advice]) -> list[Finding]:
    findings = []
    seen: set[tuple[int, int, str]] = set()
    for each in advice:
        (problem,) = text.place([each.problem])
        if (problem.line, problem.column, problem.what) in seen:
            continue  # of the defaults: the same for every route
        seen.add((problem.line, problem.column, problem.what))
        hidden = replace(problem, excerpt="") if each.rule == "secret" else problem
        findings.append(Finding(problem=hidden, rule=each.rule))
    return findings


def _twice(texts: Sequence[RouteText]) -> list[Problem]:
    first: dict[str, RouteText] = {}
    problems = []
    for text in texts:
        for route in () if text.is_blueprint else text.routes:
            other = first.setdefault(route.id, text)
            if other is text:
                continue
            problems.append(
                problem_at(
                    text.place_of(f"{route.pointer}/id"),
                    key=route.id,
                    what=f"two routes are called {route.id}",
                    why=f"the other one is in {other.path}",
                    fix="Give each route an id of its own",
                )
            )
    return problems
