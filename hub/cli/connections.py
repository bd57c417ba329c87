"""hub connections: who the hub is to other services, and whether they believe it."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from hub.cli.console import run
from hub.cli.history import shown_time
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console
    from hub.config.connectors import ConnectorFiles, Looked
    from hub.connectors.actions import Tested
    from hub.flow.connection_states import ConnectionStanding
    from hub.rules.connectors.connections import Connection


@click.group()
def connections() -> None:
    """Connections to other services: list them, test their credentials."""


@connections.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def list_connections(settings: Settings, *, as_json: bool) -> None:
    """Show the connections and endpoints of connections.yaml, and which are paused or failed their last test.

    Works without a hub, and where secrets are missing: then it says so.
    """
    from hub.config.connectors import all_manifests, look_at_connections  # noqa: PLC0415 - reads all manifests
    from hub.config.problems import ConfigError  # noqa: PLC0415

    manifests, problems = all_manifests(settings.connectors_folder)
    if problems:
        raise ConfigError(problems)
    found = look_at_connections(settings.connections_file, manifests, os.environ)
    rows = _rows(settings, found)
    if as_json:
        print_json({"connections": rows})
        return
    if not rows:
        click.echo(f"No connection is set up in {settings.connections_file}; docs/connectors.md tells how.")
    for row in rows:
        click.echo(f"{row['name']:20} {row['connector']:14} {row['auth']:16} {row['state']}")
        for line in _asides(row):
            click.echo(f"  {_printable(line)}")


def _rows(settings: Settings, found: Sequence[Looked]) -> list[dict[str, Any]]:
    """Say of each connection how it stands."""
    sound = [each.connection for each in found if each.connection is not None]
    known = {each.name: each for each in _standings(settings, sound)} if sound else {}
    return [_row(each, known.get(each.wish.name)) for each in found]


def _standings(settings: Settings, sound: Sequence[Connection]) -> list[ConnectionStanding]:
    """Ask the hub how connections stand; say so where there is none to ask."""
    from hub.app.reach import NoHubHere  # noqa: PLC0415
    from hub.store.faults import DatabaseUnavailable  # noqa: PLC0415

    async def use(console: Console) -> list[ConnectionStanding]:
        from hub.connectors.standing import standings  # noqa: PLC0415
        from hub.connectors.states import StateBook  # noqa: PLC0415

        return await standings(sound, StateBook(console.store.connection_states), console.clock.now_ms())

    try:
        return run(settings, use)
    except (NoHubHere, DatabaseUnavailable) as error:
        click.echo(f"Whether they are paused is not known: {error}", err=True)
        return []


def _row(found: Looked, standing: ConnectionStanding | None) -> dict[str, Any]:
    without = "unknown" if found.connection is not None else "no_secret"
    return {
        "name": found.wish.name,
        "connector": found.wish.manifest.id,
        "auth": found.wish.auth.name,
        "state": without if standing is None else standing.state,
        "reason": found.missing or None if standing is None else standing.reason,
        "paused_at": standing and standing.paused_at,
        "tested_at": standing and standing.tested_at,
        "works": standing and standing.works,
        "test_result": standing and standing.told,
    }


def _asides(row: Mapping[str, Any]) -> Iterator[str]:
    """What else there is to say of a connection."""
    if row["paused_at"] is not None:
        yield f"paused since {shown_time(row['paused_at'])}: {row['reason']}"
    elif row["state"] == "no_secret":
        yield str(row["reason"])
    if row["tested_at"] is not None:
        word = "works" if row["works"] else "fails"
        yield f"tested {shown_time(row['tested_at'])}: {word}, {row['test_result']}"


@connections.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def test(settings: Settings, name: str | None, *, as_json: bool) -> None:
    """Ask whether the connection NAME works, or all of them, by requests that change nothing.

    A connection that works is no longer paused. Ends with 1 if one does not work.
    """
    found = load(settings, only=None if name is None else [name]).connections
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


def load(settings: Settings, *, only: Collection[str] | None = None) -> ConnectorFiles:
    """Read connectors and connections as the settings say; `only` some, with their secrets.

    Raises:
        ConfigError: With every problem of every file.
    """
    from hub.config.connectors import load_connectors  # noqa: PLC0415 - reads all manifests

    return load_connectors(settings.connections_file, settings.connectors_folder, os.environ, only=only)


async def _tested(console: Console, names: list[str]) -> list[Tested]:
    from hub.app.connectors import open_connectors  # noqa: PLC0415
    from hub.app.outgoing import outbound_client  # noqa: PLC0415
    from hub.flow.connection_events import telling  # noqa: PLC0415
    from hub.flow.record import Recorder  # noqa: PLC0415

    client = outbound_client(console.settings)
    recorder = Recorder(
        store=console.store.hot,
        directory=console.directory,
        take_ids=console.new_id.take,
        wake_ups=console.wake_ups,
        clock=console.clock,
    )
    try:
        actions = open_connectors(
            console.settings,
            store=console.store,
            clock=console.clock,
            client=client,
            redis=None,
            tell=telling(recorder),
            only=names,
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
