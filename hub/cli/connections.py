"""hub connections: who the hub is to other services, and whether they believe it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from hub.cli.console import run
from hub.cli.history import shown_time
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.config.connectors import ConnectorFiles
    from hub.connectors.actions import Tested
    from hub.connectors.states import State


@click.group()
def connections() -> None:
    """Connections to other services: list them, test their credentials."""


@connections.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_connections(settings: Settings, *, as_json: bool) -> None:
    """Show the connections and endpoints of connections.yaml, and which are paused."""
    found = load(settings).connections

    async def use(console: Console) -> dict[str, State]:
        from hub.connectors.states import StateBook  # noqa: PLC0415

        book, now = StateBook(console.store.connection_states), console.clock.now_ms()
        return {name: await book.of(each, now) for name, each in found.items()}

    states = run(settings, use)
    rows = [
        {
            "name": name,
            "connector": each.manifest.id,
            "auth": each.auth.name,
            "state": "ok" if states[name].paused_reason is None else "paused",
            "reason": states[name].paused_reason,
            "paused_at": states[name].paused_at,
        }
        for name, each in sorted(found.items())
    ]
    if as_json:
        print_json({"connections": rows})
        return
    if not rows:
        click.echo(f"No connection is set up in {settings.connections_file}; docs/connectors.md tells how.")
    for row in rows:
        click.echo(f"{row['name']:20} {row['connector']:14} {row['auth']:16} {row['state']}")
        state = states[str(row["name"])]
        if state.paused_reason is not None:
            click.echo(f"  since {shown_time(state.paused_at or 0)}: {_printable(state.paused_reason)}")


@connections.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def test(settings: Settings, name: str | None, *, as_json: bool) -> None:
    """Ask whether the connection NAME works, or all of them, by requests that change nothing.

    A connection that works is no longer paused. Ends with 1 if one does not work.
    """
    found = load(settings).connections
    if name is not None and name not in found:
        raise click.UsageError(f"No connection '{name}'. `hub connections list` shows them.")
    names = sorted(found) if name is None else [name]

    async def use(console: Console) -> list[Tested]:
        return await _tested(console, names)

    results = run(settings, use)
    if as_json:
        print_json({"connections": results})
    for each in [] if as_json else results:
        word = {True: "works", False: "fails", None: "untested"}[each.works]
        click.echo(f"{each.name:20} {each.connector:14} {word:9} {_printable(each.detail)}")
    if any(each.works is False for each in results):
        sys.exit(1)


def load(settings: Settings) -> ConnectorFiles:
    """Read connectors and connections as the settings say.

    Raises:
        ConfigError: With every problem of every file.
    """
    from hub.config.connectors import load_connectors  # noqa: PLC0415 - reads all manifests

    return load_connectors(settings.connections_file, settings.connectors_folder, os.environ)


async def _tested(console: Console, names: list[str]) -> list[Tested]:
    from hub.app.connectors import open_connectors  # noqa: PLC0415
    from hub.app.outgoing import outbound_client  # noqa: PLC0415

    client = outbound_client(console.settings)
    try:
        actions = open_connectors(
            console.settings, store=console.store, clock=console.clock, client=client, redis=None
        )
        return [await actions.test(name) for name in names]
    finally:
        await client.aclose()


def _printable(text: str) -> str:
    """Give a text that cannot steer the terminal: a part of it comes from the other side."""
    return "".join(each if each.isprintable() else "?" for each in text)


def print_json(value: object) -> None:
    """Print a value for programs."""
    import msgspec  # noqa: PLC0415

    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
