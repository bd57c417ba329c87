"""hub routes: which there are and how they fare; start one by hand; let the files stand now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from hub.cli.console import parsed_id, run
from hub.cli.history import shown_time
from hub.config.settings import Settings
from hub.model.ids import Prefix

if TYPE_CHECKING:
    from hub.api.route_shapes import RouteReply
    from hub.app.console import Console
    from hub.flow.routing.installing import Installed

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
_route_id = click.argument("route_id")


@click.group()
def routes() -> None:
    """Routes: list, show, run by hand, apply what is written."""


@routes.command(name="list")
@as_json
@click.pass_obj
def list_routes(settings: Settings, as_json: bool) -> None:
    """Show the routes, what starts them, and how their runs fare."""

    async def use(console: Console) -> list[RouteReply]:
        import msgspec  # noqa: PLC0415 - heavy, and only here

        from hub.api.route_shapes import RouteReply  # noqa: PLC0415
        from hub.api.routes import fields_of  # noqa: PLC0415

        kept = await console.store.routes.current()
        found = await fields_of(console.store, console.book, kept)
        return [msgspec.convert(each, RouteReply) for each in found]

    found = run(settings, use)
    if as_json:
        click.echo(_written([_plain(each) for each in found]))
        return
    for each in found:
        click.echo(_row(each))
    if not found:
        click.echo(
            f"There is none. Write one into {settings.routes.folder}; docs/routes.md tells how.", err=True
        )


@routes.command()
@_route_id
@as_json
@click.pass_obj
def show(settings: Settings, route_id: str, as_json: bool) -> None:
    """Show a route as it stands, with its revisions."""

    async def use(console: Console) -> dict[str, Any]:
        from hub.api.routes import one_route  # noqa: PLC0415

        found: dict[str, Any] = _plain(await one_route(console.store, console.book, route_id, request_id=""))
        return found

    found = run(settings, use)
    del found["request_id"]
    if as_json:
        click.echo(_written(found))
        return
    place = f"{found['file']}:{found['line']}" if found["file"] else found["origin"]
    click.echo(f"{found['id']}  {_mode(found)}  {'; '.join(found['triggers'])}  {place}")
    if found["description"]:
        click.echo(f"  {found['description']}")
    counts = ", ".join(f"{count} {state}" for state, count in found["runs"].items() if count)
    click.echo(f"  runs: {counts or 'none'}")
    for each in found["revisions"]:
        current = "  current" if each["is_current"] else ""
        click.echo(f"  {each['id']}  since {shown_time(each['created_at'])}{current}")
    click.echo(_written(found["source"]))


@routes.command(name="run")
@_route_id
@click.option("--event", "event", default=None, help="An event that happened (evt_…).")
@click.option("--with", "given", default=None, help="An event that you make up, as JSON.")
@click.option("--vars", "variables", default=None, help="Values of the route's vars, as JSON.")
@as_json
@click.pass_obj
def run_route(  # noqa: PLR0917 - click hands over each option
    settings: Settings,
    route_id: str,
    event: str | None,
    given: str | None,
    variables: str | None,
    as_json: bool,
) -> None:
    """Start ROUTE_ID by hand. Its conditions, dedupe, throttle and debounce are not asked."""
    if event is not None and given is not None:
        raise click.UsageError(
            "--event and --with each say what the route is started with: give one of them."
        )
    event_id = parsed_id(Prefix.EVENT, event, listed_by="hub events") if event else None
    made_up, values = json_object(given, "--with"), json_object(variables, "--vars")

    async def use(console: Console) -> tuple[dict[str, Any], bool]:
        from hub.api.run_shapes import run_reply  # noqa: PLC0415

        begun = await console.routes.start(route_id, event=made_up, event_id=event_id, given=values)
        return _plain(run_reply(begun)), await console.is_heard()

    begun, is_heard = run(settings, use)
    if as_json:
        click.echo(_written(begun))
        return
    click.echo(f"{begun['id']}  `hub runs show {begun['id']}` tells how it goes.")
    if not is_heard:
        click.echo("The hub is not running; it does this when it starts.", err=True)


@routes.command()
@as_json
@click.pass_obj
def apply(settings: Settings, as_json: bool) -> int:
    """Read the folder of routes now, and let what is written stand. Ends with 1 if anything is wrong."""

    async def use(console: Console) -> tuple[Installed | None, tuple[str, ...]]:
        from hub.app.applying import apply_folder  # noqa: PLC0415

        return await apply_folder(console)

    installed, problems = run(settings, use)
    if as_json:
        click.echo(
            _written({"problems": list(problems), **({} if installed is None else _changes(installed))})
        )
        return 1 if problems else 0
    for each in problems:
        click.echo(f"{each}\n", err=True)
    if problems:
        click.echo("Nothing was changed: what ran goes on running.", err=True)
        return 1
    assert installed is not None
    changes = _changes(installed)
    for name in ("added", "changed", "retired"):
        for each in changes[name]:
            click.echo(f"{name:8} {each}")
    standing = len(installed.added) + len(installed.changed) + installed.unchanged
    click.echo(f"{standing} route{'' if standing == 1 else 's'} as written in {settings.routes.folder}.")
    return 0


def _changes(installed: Installed) -> dict[str, Any]:
    return {
        "added": list(installed.added),
        "changed": list(installed.changed),
        "retired": list(installed.retired),
        "unchanged": installed.unchanged,
    }


def _row(route: RouteReply) -> str:
    runs = route.runs
    counts = f"{runs.completed} completed, {runs.failed} failed, {runs.active + runs.parked} under way"
    last = f"  last {shown_time(route.last_run.created_at)}" if route.last_run else ""
    return f"{route.id:28} {_mode(_plain(route)):7} {'; '.join(route.triggers):40} {counts}{last}"


def _mode(route: dict[str, Any]) -> str:
    if route["retired_at"] is not None:
        return "retired"
    return str(route["mode"]) if route["is_enabled"] else "off"


def json_object(text: str | None, name: str) -> dict[str, Any] | None:
    """Read the JSON object that an option takes.

    Raises:
        click.BadParameter: It is none.
    """
    if text is None:
        return None
    try:
        found = json.loads(text)
    except ValueError as error:
        raise click.BadParameter(f"this is no JSON: {error}", param_hint=name) from None
    if not isinstance(found, dict):
        raise click.BadParameter('it must be a JSON object, such as \'{"name": "Ann"}\'.', param_hint=name)
    return found


def _plain(reply: Any) -> Any:
    import msgspec  # noqa: PLC0415 - heavy, and only here

    return msgspec.to_builtins(reply)


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
