"""The command `hub`. Each command is in the file of its noun; heavy imports wait until a command needs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from hub import __version__
from hub.cli.backup import backup, restore
from hub.cli.bridges import bridges
from hub.cli.doctor import doctor
from hub.cli.keys import keys
from hub.cli.listen import listen
from hub.cli.running import migrate, serve, up, work
from hub.cli.sandbox import sandbox
from hub.config.problems import ConfigError
from hub.config.settings import load_settings
from hub.model.errors import HubError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--config", "config", type=click.Path(path_type=Path), help="Your own hub.yaml; HUB_CONFIG names it too."
)
@click.version_option(__version__, prog_name="hub")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Hub: phone events in, signed webhooks out; sends in, messages out."""
    context.obj = load_settings(config, os.environ)


for command in (backup, bridges, doctor, keys, listen, migrate, restore, sandbox, serve, up, work):
    cli.add_command(command)


def main() -> None:
    """Run the command line; a mistake of the user ends in a sentence, never in a traceback."""
    try:
        cli(prog_name="hub")
    except (ConfigError, HubError) as error:
        click.echo(f"hub: {error}", err=True)
        sys.exit(78 if isinstance(error, ConfigError) else 1)
