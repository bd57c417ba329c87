"""hub try: what a route would do with an event, shown and not done."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.routes import json_object
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.config.route_documents import RouteText
    from hub.rules.routes.model import Route


@click.command("try")
@click.argument("file", type=click.Path(exists=True, path_type=Path, dir_okay=False))
@click.option(
    "--event", help="A fixture such as message.received, or a file of JSON; default: what starts the route."
)
@click.option("--route", "route_id", help="The one that is meant; all of the file if none is named.")
@click.option("--set", "given", multiple=True, metavar="PATH=VALUE", help="A field of the event otherwise.")
@click.option(
    "--now", type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]), help="When it happens: 2026-08-04T22:10:00-0700."
)
@click.option(
    "--vars",
    "handed",
    metavar="JSON",
    help='What whoever starts it by hand, or calls it, hands over: {"to": "+15550100001"}.',
)
@click.option("--anyway", is_flag=True, help="Show the steps of a route that would not start, too.")
@click.pass_obj
def try_route(  # noqa: PLR0917 - its options
    settings: Settings,
    file: Path,
    event: str | None,
    route_id: str | None,
    given: tuple[str, ...],
    now: datetime | None,
    handed: str | None,
    anyway: bool,
) -> None:
    """Show what the routes of a file would do with an event; nothing is sent.

    Each condition is shown with what the event has, each step with its inputs and requests. Secrets are not read.
    """
    from hub.app.checking import read_texts  # noqa: PLC0415 - the rules of routes
    from hub.app.offline import offline_actions  # noqa: PLC0415
    from hub.app.trying import default_fixture  # noqa: PLC0415
    from hub.app.trying import try_route as tried  # noqa: PLC0415
    from hub.config.blueprint_files import read_blueprint_folder  # noqa: PLC0415
    from hub.rules.fixtures.events import NOW_MS  # noqa: PLC0415

    folder = read_blueprint_folder(settings.routes.blueprints.expanduser())
    texts = read_texts([file.parent], folder)
    own = next(each for each in texts if each.path.resolve() == file.resolve())
    _require_sound(own)
    routes = {route.id: route for text in texts for route in text.routes}
    actions = offline_actions(settings)
    now_ms = NOW_MS if now is None else round(now.timestamp() * 1000)
    overrides = dict(_override(each) for each in given)
    handed_over = json_object(handed, "--vars") or {}
    for route in _chosen(own, route_id):
        shown = made_event(event or default_fixture(route), route, overrides, now_ms)
        told = tried(route, shown, routes, actions, now_ms, anyway, handed_over)
        click.echo("\n".join([f"route {route.id}", *told.lines, ""]))


def _require_sound(text: RouteText) -> None:
    if text.problems:
        rows = "\n".join(map(str, text.problems))
        raise click.ClickException(f"{text.path} cannot be used; `hub check` tells the same:\n{rows}")


def _chosen(text: RouteText, route_id: str | None) -> list[Route]:
    if route_id is None:
        return list(text.routes)
    found = [route for route in text.routes if route.id == route_id]
    if not found:
        known = ", ".join(route.id for route in text.routes)
        raise click.UsageError(f"{text.path} has no route {route_id}; it has {known}.")
    return found


def _override(text: str) -> tuple[str, Any]:
    path, sign, value = text.partition("=")
    if not sign or not path.strip():
        raise click.UsageError(
            f"--set takes PATH=VALUE, such as --set contact.tags='[\"vip\"]', not '{text}'."
        )
    try:
        return path.strip(), json.loads(value)
    except ValueError:
        return path.strip(), value


def made_event(named: str, route: Route, overrides: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """Make the event that a person names: a fixture, or a file.

    A file holds an event as `GET /v1/events` gives it, one as routes see it, or `{"fixture": …}` with fields otherwise.
    """
    from hub.rules.fixtures.examples import FIXTURES, changed, example, unknown_fixture  # noqa: PLC0415
    from hub.rules.problems import Problem  # noqa: PLC0415

    if named in FIXTURES:
        return _changed(named, example(named, now_ms=now_ms, route=route), overrides)
    path = Path(named)
    if not path.is_file():
        problem: Problem = unknown_fixture(named, "")
        raise click.UsageError(f"{problem.what}, and no file of that name. {problem.fix}.")
    written = _json(path)
    fixture = written.pop("fixture", None)
    if fixture is not None:
        if fixture not in FIXTURES:
            raise click.ClickException(f"{path}: {unknown_fixture(fixture, '')}")
        return _changed(fixture, example(fixture, now_ms=now_ms, route=route), {**written, **overrides})
    return changed(_as_routes_see_it(written, path, now_ms), overrides)


def _changed(fixture: str, event: dict[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    from hub.rules.fixtures.examples import changed, check_overrides  # noqa: PLC0415

    problems = list(check_overrides(fixture, overrides, ""))
    if problems:
        raise click.ClickException(" ".join(f"{each.what}. {each.fix}." for each in problems))
    return changed(event, overrides)


def _json(path: Path) -> dict[str, Any]:
    try:
        written = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise click.ClickException(f"{path} is no file of JSON: {error}") from None
    if not isinstance(written, dict):
        raise click.ClickException(f"{path} holds no event: it is a JSON object.")
    return written


def _as_routes_see_it(written: dict[str, Any], path: Path, now_ms: int) -> dict[str, Any]:
    from hub.rules.runs.seen import Context, seen  # noqa: PLC0415

    event_type, data = written.get("type"), written.get("data")
    if not isinstance(event_type, str):
        raise click.ClickException(f"{path} holds no event: it has no `type`, and no `fixture`.")
    if not isinstance(data, dict) or "direction" in written or "payload" in written:
        return {"id": "evt_1", "occurred_at": now_ms, **written}
    return seen(str(written.get("id", "evt_1")), event_type, now_ms, data, Context())
