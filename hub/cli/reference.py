"""Write docs/reference: `python -m hub.cli.reference docs/reference`, or `scripts/docs`. Tests tie it to the code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from hub.actions.reference import actions_markdown
from hub.api.reference import files as api_files
from hub.cli import SECTIONS, cli
from hub.cli.failures import EXIT_CODES
from hub.config.connectors import shipped_manifests
from hub.connectors.reference import connectors_markdown
from hub.observe.reference import metrics_markdown
from hub.rules.expressions.reference import expressions_markdown
from hub.rules.routes.reference import routes_markdown

_INTRODUCTION: Final = """# Commands

Generated from the commands themselves (`scripts/docs`).

A command works on the hub that its settings name: the data folder (`./data`, or HUB_DATA_FOLDER), or the database of
`store.url`. It needs no API key, and the hub may run or not; what is recorded while it does not run is delivered at the
next start. `--config FILE` (or HUB_CONFIG) and every HUB_… variable count for all commands.

"""


def cli_markdown() -> str:
    """Render every command, in the order in which `hub --help` shows them."""
    codes = "".join(f"| {code} | {meaning} |\n" for code, meaning in sorted(EXIT_CODES.items()))
    parts = [_INTRODUCTION, "| exit code | it means |\n|---|---|\n", codes]
    for title, commands in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        for command in commands:
            parts += _described(command, (cli.name or "hub", command.name or ""))
    return "".join(parts)


def _described(command: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    context = click.Context(command, info_name=" ".join(path))
    if isinstance(command, click.Group):
        yield f"\n{command.help}\n"
        for name in sorted(command.commands):
            yield from _described(command.commands[name], (*path, name))
        return
    arguments = [each.make_metavar(context) for each in command.params if isinstance(each, click.Argument)]
    yield f"\n### hub {' '.join([*path[1:], *arguments])}\n\n{' '.join((command.help or '').split())}\n"
    options = [each for each in command.params if isinstance(each, click.Option)]
    if options:
        yield "\n| option | |\n|---|---|\n"
        for option in options:
            names, told = option.get_help_record(context) or ("", "")
            yield f"| `{names.replace('|', chr(92) + '|')}` | {told.replace('  ', ' ').replace('|', chr(92) + '|')} |\n"


def files() -> dict[str, bytes]:
    """Give every file of docs/reference."""
    return {
        **api_files(),
        "actions.md": actions_markdown().encode(),
        "cli.md": cli_markdown().encode(),
        "connectors.md": connectors_markdown(shipped_manifests().values()).encode(),
        "expressions.md": expressions_markdown().encode(),
        "metrics.md": metrics_markdown().encode(),
        "routes.md": routes_markdown().encode(),
    }


def main(folder: Path) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
