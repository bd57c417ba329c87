"""hub test: play the tests of routes, without a hub and without network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import click

from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.trials import FileResult, Trials


@click.command("test")
@click.argument("paths", metavar="[PATH]…", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write results as JUnit XML, too."
)
@click.option("--coverage", is_flag=True, help="List routes and steps that no test comes to.")
@click.option("--verbose", "-v", is_flag=True, help="Name the tests that pass, too.")
@click.pass_obj
def test_routes(
    settings: Settings, paths: tuple[Path, ...], junit: Path | None, coverage: bool, verbose: bool
) -> int:
    """Play the tests of routes (`tests:`, `*.test.yaml`); those of `routes.folder` if no path is given.

    Actions answer as the test says, or else with their samples; nothing is sent. Ends with 1 if any test fails.
    """
    from hub.app.offline import offline_actions  # noqa: PLC0415 - the rules of routes
    from hub.app.trials import run_trials  # noqa: PLC0415
    from hub.config.blueprint_files import read_blueprint_folder  # noqa: PLC0415

    folder = read_blueprint_folder(settings.routes.blueprints.expanduser())
    trials = run_trials(paths or (settings.routes.folder.expanduser(),), offline_actions(settings), folder)
    for file in trials.files:
        for row in _rows(file, is_verbose=verbose):
            click.echo(row)
    if coverage:
        for row in ["Not tested:", *(f"  {each}" for each in trials.untested or ("nothing",))]:
            click.echo(row)
    if junit is not None:
        junit.write_bytes(junit_xml(trials))
    total = trials.passed + trials.failed
    click.echo(
        f"{total} {'test' if total == 1 else 'tests'}: {trials.passed} passed, {trials.failed} failed"
        + (f"; problems that keep files from being tested: {trials.problems}." if trials.problems else ".")
    )
    return 1 if trials.failed or trials.problems else 0


def _rows(file: FileResult, *, is_verbose: bool) -> Iterator[str]:
    for problem in file.problems:
        yield f"{problem}\n"
    for result in file.results:
        if result.has_passed:
            if is_verbose:
                yield f"ok    {result.at}  {result.name}"
            continue
        yield f"FAIL  {result.at}  {result.name} ({result.route})"
        for line in result.lines:
            yield f"        {line}"
        yield ""


def junit_xml(trials: Trials) -> bytes:
    """Write results as continuous integration reads them."""
    suites = ElementTree.Element("testsuites")
    for file in trials.files:
        suite = ElementTree.SubElement(
            suites,
            "testsuite",
            name=str(file.path),
            tests=str(len(file.results) + len(file.problems)),
            failures=str(sum(not each.has_passed for each in file.results)),
            errors=str(len(file.problems)),
        )
        for result in file.results:
            case = ElementTree.SubElement(
                suite, "testcase", name=result.name, classname=result.route, file=result.at
            )
            if not result.has_passed:
                failure = ElementTree.SubElement(case, "failure", message=_clean(result.lines[0]))
                failure.text = _clean("\n".join(result.lines))
        for problem in file.problems:
            case = ElementTree.SubElement(
                suite, "testcase", name=_clean(problem.what), classname=str(file.path)
            )
            ElementTree.SubElement(case, "error", message=_clean(problem.what)).text = _clean(str(problem))
    return bytes(ElementTree.tostring(suites, encoding="utf-8", xml_declaration=True))


def _clean(text: str) -> str:
    """Take out what XML cannot hold."""
    return "".join(
        each for each in text if each in "\t\n" or (each >= " " and not "\ud800" <= each <= "\udfff")
    )
