"""The command `hub`. Each command is in the file of its noun; heavy imports wait until a command needs them."""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

import click

from hub import __version__
from hub.cli import sandbox_groups  # noqa: F401 - adds its commands to `hub sandbox`
from hub.cli.agent import agent
from hub.cli.backup import backup, restore
from hub.cli.bridges import bridges
from hub.cli.bulk import bulk
from hub.cli.check import check
from hub.cli.connections import connections
from hub.cli.connectors import connectors
from hub.cli.consents import consents
from hub.cli.contacts import contacts
from hub.cli.doctor import doctor
from hub.cli.explain import explain
from hub.cli.failures import INTERRUPTED, explained
from hub.cli.history import deliveries, events
from hub.cli.importing import import_from
from hub.cli.keys import keys
from hub.cli.lines import lines
from hub.cli.listen import listen
from hub.cli.recording import record
from hub.cli.routes import routes
from hub.cli.running import migrate, serve, up, work
from hub.cli.runs import replay, runs
from hub.cli.sandbox import sandbox
from hub.cli.schema import schema
from hub.cli.sources import sources
from hub.cli.testing import test_routes
from hub.cli.trying import try_route
from hub.cli.webhooks import webhooks
from hub.config.settings import load_settings

#: Commands in the order in which a person comes to need them.
SECTIONS: Final[dict[str, tuple[click.Command, ...]]] = {
    "Start": (up, serve, work, migrate),
    "Try": (sandbox, listen),
    "Look": (events, deliveries, runs, explain, doctor),
    "Write routes": (check, try_route, test_routes, schema, routes, replay, record),
    "Send": (bulk,),
    "Set up": (
        webhooks,
        keys,
        bridges,
        agent,
        contacts,
        import_from,
        consents,
        lines,
        sources,
        connectors,
        connections,
    ),
    "Keep safe": (backup, restore),
}


class _Sections(click.Group):
    """Shows the commands under headings, in order of need."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name or "" for commands in SECTIONS.values() for command in commands]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        near = difflib.get_close_matches(args[0], self.list_commands(ctx), n=1)
        if near and args[0] not in self.commands:
            ctx.fail(f"No such command '{args[0]}'; did you mean `hub {near[0]}`?")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(each.name or "", each.get_short_help_str(120)) for each in commands])


@click.group(
    cls=_Sections, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--config", "config", type=click.Path(path_type=Path), help="Your own hub.yaml; HUB_CONFIG names it too."
)
@click.version_option(__version__, prog_name="hub")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """Hub: phone events in, signed webhooks out; sends in, messages out.

    Begin with `hub up`. Commands work on the hub whose data folder they find: ./data, or HUB_DATA_FOLDER.
    """
    context.obj = load_settings(config, os.environ)


for command in (each for commands in SECTIONS.values() for each in commands):
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; a mistake of the user ends in a sentence, never in a traceback.

    Args:
        arguments: What follows `hub`; those of the process if None.
    """
    if "structlog" not in sys.modules:
        # Where it happens to be installed, structlog loads it: 4 MB in each process, for nothing that we print.
        sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None is how an import is refused
    try:
        code = cli(arguments, prog_name="hub", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of our output is gone (`hub events | head`); what is buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        failure = explained(error)
        click.echo(f"hub: {failure.text}", err=True)
        sys.exit(failure.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
