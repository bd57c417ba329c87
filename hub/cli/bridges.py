"""hub bridges: add a bridge with its line, let a machine enrol, list, rotate a secret."""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from hub.cli.console import run
from hub.config.settings import Settings

if TYPE_CHECKING:
    from hub.app.console import Console


@click.group()
def bridges() -> None:
    """Bridges: list, add, enrol, rotate the secret."""


@bridges.command(name="list")
@click.pass_obj
def list_bridges(settings: Settings) -> None:
    """Show the bridges and their lines."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        rows = []
        for bridge in await console.store.bridges.all():
            handles = [line.handle for line in await console.store.lines.all() if line.bridge_id == bridge.id]
            state = "" if bridge.is_enabled else " (disabled)"
            rows.append(
                f"{id_text(Prefix.BRIDGE, bridge.id)}  {bridge.kind:8} {bridge.name}{state}  {', '.join(handles)}"
            )
        return rows

    for row in run(settings, use):
        click.echo(row)


@bridges.command()
@click.argument("name")
@click.option("--line", "handles", multiple=True, required=True, help="Handle of a line that it carries.")
@click.pass_obj
def add(settings: Settings, name: str, handles: tuple[str, ...]) -> None:
    """Add a bridge that pushes events to POST /v1/bridge/events. Its secret is shown once."""
    from hub.flow.bootstrap import add_push_bridge  # noqa: PLC0415
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> str:
        if name in console.directory.current.bridges_by_name:
            raise click.UsageError(f"There is a bridge '{name}' already.")
        for handle in handles:
            if handle in console.directory.current.lines_by_handle:
                raise click.UsageError(f"The line {handle} exists already.")
        bridge = await add_push_bridge(
            console.store,
            name=name,
            handles=handles,
            new_id=console.new_id,
            random_bytes=secrets.token_bytes,
            clock=console.clock,
        )
        console.wake_ups.configuration_changed()
        return f"X-Bridge-Id: {id_text(Prefix.BRIDGE, bridge.id)}\nsecret: {bridge.secrets[0].text}"

    click.echo(run(settings, use))


@bridges.command()
@click.option("--name", help="The new bridge's name; without it the machine chooses.")
@click.option(
    "--replace", "replaced", metavar="NAME", help="A bridge that the machine takes over, lines and all."
)
@click.option(
    "--minutes", default=30, show_default=True, type=click.IntRange(1, 1440), help="How long the token works."
)
@click.pass_obj
def enrol(settings: Settings, name: str | None, replaced: str | None, minutes: int) -> None:
    """Make a token with which one machine becomes a bridge: POST /v1/bridge/enrol. It is shown once."""
    if name is not None and replaced is not None:
        raise click.UsageError("Give either --name or --replace: a bridge that is taken over keeps its name.")

    async def use(console: Console) -> str:
        bridge_id = None
        if replaced is not None:
            known = console.directory.current.bridges_by_name.get(replaced)
            if known is None:
                raise click.UsageError(f"No bridge '{replaced}'. `hub bridges list` shows them.")
            bridge_id = known.id
        made = await console.enrolments.create(name=name, bridge_id=bridge_id, minutes=minutes)
        return f"token: {made.token}\nIt works once, within {minutes} minutes."

    click.echo(run(settings, use))


@bridges.command(name="rotate-secret")
@click.argument("name")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(0, 720),
    help="How long the old secret is accepted.",
)
@click.pass_obj
def rotate_secret(settings: Settings, name: str, overlap_hours: float) -> None:
    """Make a new secret; the old one is accepted for the overlap."""
    from hub.model.webhook import StoredSecret  # noqa: PLC0415
    from hub.rules.signing import Secret  # noqa: PLC0415

    async def use(console: Console) -> str:
        bridge = console.directory.current.bridges_by_name.get(name)
        if bridge is None:
            raise click.UsageError(f"No bridge '{name}'. `hub bridges list` shows them.")
        ends_at = console.clock.now_ms() + int(overlap_hours * 3_600_000)
        fresh = StoredSecret(text=Secret.from_bytes(secrets.token_bytes(32)).text)
        older = [
            replace(secret, expires_at=min(secret.expires_at or ends_at, ends_at))
            for secret in bridge.secrets
        ]
        await console.store.bridges.save(replace(bridge, secrets=(fresh, *older[:9])))
        console.wake_ups.configuration_changed()
        return f"secret: {fresh.text}"

    click.echo(run(settings, use))
