"""hub record: a test in YAML from a run that happened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id, run
from hub.config.settings import Settings
from hub.model.ids import Prefix

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.app.recording import Recording

_ENDING = ".test.yaml"


@click.command()
@click.argument("run_id")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write it into a new file, *.test.yaml.",
)
@click.pass_obj
def record(settings: Settings, run_id: str, output: Path | None) -> None:
    """Write a test of the route from RUN_ID: the event, what actions answered, what came of it.

    Names, numbers and texts of people are replaced; look through it before you share it.
    """
    number = parsed_id(Prefix.RUN, run_id, listed_by="hub runs list")
    if output is not None and not output.name.endswith(_ENDING):
        raise click.UsageError(f"{output} is no file of tests: its name ends with {_ENDING}.")
    if output is not None and output.exists():
        raise click.UsageError(
            f"{output} is there already. Name another one, or leave --output out and paste."
        )
    from hub.app.recording import NotRecorded  # noqa: PLC0415 - the rules of routes

    async def use(console: Console) -> Recording:
        from hub.app.offline import offline_actions  # noqa: PLC0415
        from hub.app.recording import record as recorded  # noqa: PLC0415

        return await recorded(console.store, console.book, number, offline_actions(settings))

    try:
        found = run(settings, use)
    except NotRecorded as reason:
        raise click.ClickException(f"{run_id} cannot be recorded: {reason}.") from None
    if output is None:
        click.echo(found.text, nl=False)
    else:
        output.write_text(found.text, encoding="utf-8")
        click.echo(f"Wrote {output}. `hub test {output}` plays it.")
    if found.differences:
        rows = "\n".join(f"  {each}" for each in found.differences)
        click.echo(
            "Played with what stands in the place of people's data, it comes otherwise; mend its event or mocks:\n"
            f"{rows}",
            err=True,
        )
