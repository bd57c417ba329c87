"""hub check: what is wrong with files of routes, and what is probably not meant, without a hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.checking import Checked, Finding
    from hub.config.problems import Place


@click.command()
@click.argument("paths", metavar="[PATH]…", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", help="How it is told."
)
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option(
    "--no-connections", is_flag=True, help="Do not look whether connections.yaml has what the routes need."
)
@click.pass_obj
def check(settings: Settings, paths: tuple[Path, ...], form: str, strict: bool, no_connections: bool) -> int:
    """Check files of routes, all at once; the folder of `routes.folder` if none is named.

    Needs no running hub and reads no secret. Ends with 1 if anything is wrong.
    """
    from hub.app.checking import check_texts, read_texts  # noqa: PLC0415 - the rules of routes
    from hub.app.offline import offline_actions  # noqa: PLC0415
    from hub.config.blueprint_files import read_blueprint_folder  # noqa: PLC0415
    from hub.config.trial_files import trial_paths  # noqa: PLC0415

    places = paths or (settings.routes.folder.expanduser(),)
    texts = read_texts(places, read_blueprint_folder(settings.routes.blueprints.expanduser()))
    tests = [path for place in places for path in trial_paths(place)]
    checked = check_texts(texts, offline_actions(settings), tests=tests, has_connections=not no_connections)
    for row in FORMS[form](checked, places):
        click.echo(row)
    is_wrong = checked.errors or (strict and checked.findings)
    return 1 if is_wrong else 0


def _text(checked: Checked, places: Iterable[Path]) -> list[str]:
    rows = []
    for each in checked.findings:
        head, *rest = str(each.problem).split("\n")
        mark = "error" if each.rule is None else f"warning [{each.rule}]"
        at = f"{each.problem.path}:{each.problem.line}:{each.problem.column}"
        rows += [f"{at}: {mark}: {head.removeprefix(f'{at}: ')}", *rest, ""]
    warnings = len(checked.findings) - checked.errors
    if not checked.files:
        named = ", ".join(str(each) for each in places)
        return [*rows, f"There are no files of routes in {named}."]
    return [
        *rows,
        f"{_counted(checked.routes, 'route')} in {_counted(checked.files, 'file')}: "
        f"{_counted(checked.errors, 'error')}, {_counted(warnings, 'warning')}.",
    ]


def _json(checked: Checked, places: Iterable[Path]) -> list[str]:
    del places
    found = {
        "files": checked.files,
        "routes": checked.routes,
        "errors": checked.errors,
        "warnings": len(checked.findings) - checked.errors,
        "problems": [_fields(each) for each in checked.findings],
    }
    return [json.dumps(found, indent=2, ensure_ascii=False)]


def _fields(finding: Finding) -> dict[str, object]:
    problem = finding.problem
    return {
        "severity": "error" if finding.rule is None else "warning",
        "rule": finding.rule,
        "file": problem.path,
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "what": problem.what,
        "why": problem.why,
        "fix": problem.fix,
        "excerpt": problem.excerpt,
        "blueprint": _place(problem.origin),
    }


def _place(origin: Place | None) -> dict[str, object] | None:
    """Give the place in a blueprint that the problem comes from."""
    if origin is None:
        return None
    return {"file": origin.source, "line": origin.line, "column": origin.column}


def _github(checked: Checked, places: Iterable[Path]) -> list[str]:
    """Give workflow commands: GitHub shows them at the lines of a pull request."""
    del places
    rows = []
    for each in checked.findings:
        problem, level = each.problem, "error" if each.rule is None else "warning"
        place = f"file={_property(problem.path)},line={max(1, problem.line)},col={max(1, problem.column)}"
        origin = "" if problem.origin is None else f" (blueprint: {problem.origin})"
        text = f"{problem.what}: {problem.why}. {problem.fix}{origin}"
        rows.append(f"::{level} {place},title={_property(each.rule or 'hub check')}::{_escaped(text)}")
    return rows


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


FORMS: Final[dict[str, Callable[[Checked, Iterable[Path]], list[str]]]] = {
    "github": _github,
    "json": _json,
    "text": _text,
}
