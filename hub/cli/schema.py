"""hub schema: the JSON Schema of files of routes, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from hub.config.settings import Settings


@click.command()
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="Write it into a file.")
@click.pass_obj
def schema(settings: Settings, output: Path | None) -> None:
    """Print the JSON Schema of files of routes, with every action and every blueprint, for editors.

    Put `# yaml-language-server: $schema=routes.schema.json` into the first line of a file.
    """
    from hub.app.offline import offline_actions  # noqa: PLC0415 - the rules of routes
    from hub.config.blueprint_files import read_blueprint_folder  # noqa: PLC0415
    from hub.rules.routes.schema import route_schema  # noqa: PLC0415

    actions = offline_actions(settings)
    blueprints = read_blueprint_folder(settings.routes.blueprints.expanduser()).blueprints
    found = route_schema(actions.specs, actions.connections, blueprints)
    text = json.dumps(found, indent=2, ensure_ascii=False)
    if output is None:
        click.echo(text)
    else:
        output.write_text(f"{text}\n", encoding="utf-8")
        click.echo(f"Wrote {output}.")
