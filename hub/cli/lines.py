"""hub lines: list the lines, add one, show what they can do, and switch some of it off."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hub.cli.bridge_settings import handles_of_lines, known, require_new
from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.model.line import Line


@click.group()
def lines() -> None:
    """Lines: list, add, show what one can do, switch capabilities off."""


@lines.command(name="list")
@click.pass_obj
def list_lines(settings: Settings) -> None:
    """Show the lines."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        return [
            f"{id_text(Prefix.LINE, line.id)}  {line.handle:16} {line.status:8} {line.label or ''}".rstrip()
            for line in await console.store.lines.all()
        ]

    for row in run(settings, use):
        click.echo(row)


@lines.command()
@click.argument("handle")
@click.option("--bridge", "name", required=True, metavar="NAME", help="Which bridge carries it.")
@click.pass_obj
def add(settings: Settings, handle: str, name: str) -> None:
    """Add a line, HANDLE (a number with +, or an address), to a bridge."""
    from hub.flow.bootstrap import add_lines  # noqa: PLC0415

    (line,) = handles_of_lines([handle])

    async def use(console: Console) -> None:
        bridge = known(console, name)
        require_new(console, line)
        await add_lines(console.store, bridge, handles=[line], new_id=console.new_id, clock=console.clock)
        console.wake_ups.configuration_changed()

    run(settings, use)
    click.echo(f"Added: {line}. It only answers at first (docs/line-safety.md).")


@lines.command()
@click.argument("line")
@click.option("--off", multiple=True, metavar="NAME", help="Switch a capability off.")
@click.option("--on", multiple=True, metavar="NAME", help="Switch it on again.")
@click.pass_obj
def capabilities(settings: Settings, line: str, off: tuple[str, ...], on: tuple[str, ...]) -> None:
    """Show what LINE (its handle or id) can do; with --off and --on, change what it may."""
    from hub.model.capability import CAPABILITIES  # noqa: PLC0415

    for name in (*off, *on):
        if name not in CAPABILITIES:
            raise click.BadParameter(f"'{name}' is no capability; there are {', '.join(CAPABILITIES)}.")

    def switch(line: Line) -> Line:
        return replace(line, capabilities_off=(line.capabilities_off | set(off)) - set(on))

    async def use(console: Console) -> list[str]:
        found = _find(line, await console.store.lines.all())
        if off or on:
            found = await console.store.lines.change(found.id, switch) or found
            console.wake_ups.configuration_changed()
        return [f"{name:16} {_state(found, name):12} {what}" for name, what in CAPABILITIES.items()]

    for row in run(settings, use):
        click.echo(row)


def _find(text: str, known: list[Line]) -> Line:
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415
    from hub.rules.chatkeys import normalize_handle  # noqa: PLC0415

    for line in known:
        if line.handle in {text, normalize_handle(text)} or id_text(Prefix.LINE, line.id) == text:
            return line
    raise click.UsageError(f"No line '{text}'. `hub lines list` shows them.")


def _state(line: Line, name: str) -> str:
    if line.capabilities is None:
        return "off" if name in line.capabilities_off else "not told"
    if name not in line.capabilities:
        return "cannot"
    return "off" if name in line.capabilities_off else "can"
