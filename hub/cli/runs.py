"""hub runs, hub replay: what routes did and why it failed; cancel it, do it again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli.console import parsed_id, run
from hub.cli.history import shown_time
from hub.cli.routes import as_json
from hub.config.settings import Settings
from hub.model.ids import Prefix, id_text
from hub.model.run import RunState

if TYPE_CHECKING:
    from hub.api.run_shapes import OneRun, RunReply, StepReply
    from hub.app.console import Console
    from hub.flow.routing.desk import Replayed

STATES = tuple(state.name.lower() for state in RunState)
#: Characters of a value in one line.
_MOST_SHOWN: Final = 300
_MOST_REASON: Final = 100
_run_id = click.argument("run_id")


@click.group()
def runs() -> None:
    """Runs of routes: list, show, cancel."""


@runs.command(name="list")
@click.option("--route", default=None, help="Only of this route.")
@click.option("--state", default=None, type=click.Choice(STATES), help="Only those that stand so.")
@click.option("--event", default=None, help="Only those of this event (evt_…).")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@as_json
@click.pass_obj
def list_runs(  # noqa: PLR0917 - click hands over each option
    settings: Settings, route: str | None, state: str | None, event: str | None, limit: int, as_json: bool
) -> None:
    """Show what ran lately, newest first: state, route, why."""
    event_id = parsed_id(Prefix.EVENT, event, listed_by="hub events") if event else None

    async def use(console: Console) -> list[RunReply]:
        from hub.api.run_shapes import run_reply  # noqa: PLC0415
        from hub.flow.route_store import RunFilter  # noqa: PLC0415

        wanted = RunFilter(
            route_id=route, state=RunState[state.upper()] if state else None, event_id=event_id
        )
        return [run_reply(each) for each in await console.store.runs.page(wanted, before=None, limit=limit)]

    found = run(settings, use)
    if as_json:
        click.echo(_written(found))
        return
    for each in found:
        click.echo(_row(each))
    if not found:
        click.echo(
            "No such run. `hub routes list` shows what could run; `hub explain evt_…` why not.", err=True
        )


@runs.command()
@_run_id
@as_json
@click.pass_obj
def show(settings: Settings, run_id: str, as_json: bool) -> None:
    """Show a run: each step with what it was given and gave."""
    number = parsed_id(Prefix.RUN, run_id, listed_by="hub runs list")

    async def use(console: Console) -> OneRun:
        return await found_run(console, number)

    found = run(settings, use)
    if as_json:
        click.echo(_written(found))
        return
    for row in run_rows(found):
        click.echo(row)


@runs.command()
@_run_id
@click.option(
    "--reason", default="cancelled by hand", show_default=True, help="Why; it is kept with the run."
)
@click.pass_obj
def cancel(settings: Settings, run_id: str, reason: str) -> None:
    """Cancel a run that is not over; what is under way is let end."""
    number = parsed_id(Prefix.RUN, run_id, listed_by="hub runs list")

    async def use(console: Console) -> None:
        await console.routes.cancel(number, reason=reason)

    run(settings, use)
    click.echo(f"{run_id} is cancelled.")


@click.command()
@click.argument("run_id", required=False)
@click.option(
    "--route", default=None, help="Instead of RUN_ID: all failed runs of this route that nobody replayed yet."
)
@click.option(
    "--from",
    "start_at",
    required=True,
    type=click.Choice(["start", "failed"]),
    help="Do all of it again, or go on where it failed.",
)
@click.option(
    "--revision",
    required=True,
    type=click.Choice(["same", "latest"]),
    help="As the route was written then, or as it is written now.",
)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@as_json
@click.pass_obj
def replay(  # noqa: PLR0917 - click hands over each option
    settings: Settings,
    run_id: str | None,
    route: str | None,
    start_at: Any,
    revision: Any,
    limit: int,
    as_json: bool,
) -> None:
    """Begin a new run that takes up RUN_ID, which is over."""
    if (run_id is None) is (route is None):
        raise click.UsageError("Give a RUN_ID or --route, one of them.")
    number = None if run_id is None else parsed_id(Prefix.RUN, run_id, listed_by="hub runs list")

    async def use(console: Console) -> tuple[Replayed, bool]:
        from hub.flow.route_store import RunFilter  # noqa: PLC0415
        from hub.flow.routing.desk import Replayed  # noqa: PLC0415

        if number is not None:
            begun = await console.routes.replay(number, start_at=start_at, revision=revision)
            replayed = Replayed(runs=(begun,), left={}, has_more=False)
        else:
            await console.routes.require(route or "")
            wanted = RunFilter(route_id=route)
            replayed = await console.routes.replay_failed(
                wanted, start_at=start_at, revision=revision, limit=limit
            )
        return replayed, await console.is_heard()

    _tell_replayed(*run(settings, use), as_json=as_json)


def _tell_replayed(replayed: Replayed, is_heard: bool, *, as_json: bool) -> None:
    from hub.api.run_shapes import run_reply  # noqa: PLC0415

    begun = [run_reply(each) for each in replayed.runs]
    left = {id_text(Prefix.RUN, each): reason for each, reason in replayed.left.items()}
    if as_json:
        click.echo(_written({"data": begun, "left": left, "has_more": replayed.has_more}))
        return
    for each in begun:
        click.echo(f"{each.id}  takes up {each.origin_run_id}; `hub runs show {each.id}` tells how it goes.")
    for left_id, reason in left.items():
        click.echo(f"{left_id}  left alone: {reason}", err=True)
    if not begun and not left:
        click.echo("No failed run waits to be replayed.", err=True)
    if replayed.has_more:
        click.echo("There are more; ask again.", err=True)
    if begun and not is_heard:
        click.echo("The hub is not running; it does this when it starts.", err=True)


async def found_run(console: Console, run_id: int) -> OneRun:
    """Find a run with all that is on record of it."""
    from hub.api.runs import whole_run  # noqa: PLC0415

    found = await console.routes.get(run_id)
    return await whole_run(console.store, console.book, found, request_id="")


def run_rows(found: OneRun) -> list[str]:
    """Tell all of a run."""
    rows = [
        f"{found.id}  {found.route_id} ({found.revision_id})  {found.state}"
        f"{'  shadow' if found.is_shadow else ''}  began {shown_time(found.created_at)}"
        + (f"  ended {shown_time(found.finished_at)}" if found.finished_at else "")
    ]
    if found.event_id is not None:
        rows.append(f"  of {found.event_id}")
    if found.origin_run_id is not None:
        rows.append(f"  takes up {found.origin_run_id}")
    if found.next_at is not None:
        rows.append(f"  goes on {shown_time(found.next_at)}")
    if found.state == "parked":
        rows.append("  another run of its lane comes first")
    if found.reason:
        where = f" at step {found.failed_path}" if found.failed_path else ""
        kind = f" ({found.error_class}{where})" if found.error_class else ""
        rows.append(f"  {found.reason}{kind}")
    if found.warnings:
        rows.append(f"  {found.warnings} failure(s) that the route took care of")
    if not found.has_payload:
        rows.append("  what it knew is kept no more (the route's `keep`)")
    for step in found.steps:
        rows += _step_rows(step)
    rows += [f"  taken up by {each}" for each in found.replay_ids]
    if found.state == "failed" and not found.replay_ids and found.has_payload:
        rows.append(f"  `hub replay {found.id} --from failed --revision same` goes on where it failed")
    return rows


def _step_rows(step: StepReply) -> list[str]:
    tried = f"  {step.attempts} attempt{'' if step.attempts == 1 else 's'}" if step.attempts else ""
    took = f"  {step.changed_at - step.started_at} ms"
    due = f"  until {shown_time(step.next_at)}" if step.next_at else ""
    reason = f"  {step.reason}" if step.reason else ""
    name = f"{step.id} " if step.id else ""
    rows = [f"  {step.path}  {name}{step.does}  {step.status}{tried}{took}{due}{reason}"]
    for word, value in (("with", step.inputs), ("output", step.output)):
        if value not in (None, {}, []):
            rows.append(f"       {word:7} {_cut(value)}")
    if step.error is not None:
        status = f" {step.error.status}" if step.error.status else ""
        rows.append(f"       error   {step.error.error_class}{status}: {step.error.message}")
    return rows + [f"       {each}" for each in step.requests]


def _row(found: RunReply) -> str:
    reason = f"  {_shortened(found.reason, _MOST_REASON)}" if found.reason else ""
    return f"{shown_time(found.created_at)}  {found.id}  {found.state:9} {found.route_id:28}{reason}".rstrip()


def _cut(value: Any) -> str:
    return _shortened(json.dumps(value, ensure_ascii=False), _MOST_SHOWN)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _written(reply: Any) -> str:
    import msgspec  # noqa: PLC0415 - heavy, and only here

    plain = msgspec.to_builtins(reply)
    if isinstance(plain, dict):
        plain.pop("request_id", None)
    return json.dumps(plain, indent=2, ensure_ascii=False)
