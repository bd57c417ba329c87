"""hub keys: create, list, rotate, revoke. Works on the database itself, so it needs no key."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

import click

from hub.config.settings import Settings
from hub.model.key import SCOPES

if TYPE_CHECKING:
    from hub.app.console import Console

T = TypeVar("T")


def run(settings: Settings, use: Callable[[Console], Awaitable[T]]) -> T:
    """Open the store for one command."""
    from hub.app.console import open_console  # noqa: PLC0415

    async def inside() -> T:
        async with open_console(settings) as console:
            return await use(console)

    return asyncio.run(inside())


@click.group()
def keys() -> None:
    """API keys: create, list, rotate, revoke."""


@keys.command()
@click.option("--name", required=True, help="What it is for; shown in lists.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(SCOPES),
    help="Repeat for several; none means admin.",
)
@click.option(
    "--line", "lines", multiple=True, help="Handle of a line; repeat for several; none means every line."
)
@click.pass_obj
def create(settings: Settings, name: str, scopes: tuple[str, ...], lines: tuple[str, ...]) -> None:
    """Make a key. It is shown once."""
    from hub.flow.keys import KeyWish  # noqa: PLC0415

    async def use(console: Console) -> str:
        known = {line.handle: line.id for line in await console.store.lines.all()}
        missing = [handle for handle in lines if handle not in known]
        if missing:
            raise click.UsageError(f"No line {missing[0]}. There are: {', '.join(sorted(known)) or 'none'}.")
        wish = KeyWish(
            name=name,
            scopes=frozenset(scopes or ("admin",)),
            line_ids=frozenset(known[handle] for handle in lines) or None,
        )
        return (await console.keys.create(wish)).text

    click.echo(run(settings, use))


@keys.command(name="list")
@click.pass_obj
def list_keys(settings: Settings) -> None:
    """Show the keys, never their text."""
    from hub.model.ids import Prefix, id_text  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        rows = []
        for key in await console.store.keys.list(after=None, limit=1000):
            state = "revoked" if key.revoked_at else "expires" if key.expires_at else "valid"
            scopes = ",".join(sorted(key.scopes))
            rows.append(f"{id_text(Prefix.API_KEY, key.id)}  {key.hint}…  {state:8} {key.name}  [{scopes}]")
        return rows

    for row in run(settings, use):
        click.echo(row)


@keys.command()
@click.argument("key_id")
@click.pass_obj
def revoke(settings: Settings, key_id: str) -> None:
    """Revoke a key; other processes notice within a second."""

    async def use(console: Console) -> None:
        await console.keys.revoke(_parsed(key_id))

    run(settings, use)
    click.echo(f"{key_id} is revoked.")


@keys.command()
@click.argument("key_id")
@click.option("--overlap-hours", default=24.0, show_default=True, help="How long the old key still works.")
@click.pass_obj
def rotate(settings: Settings, key_id: str, overlap_hours: float) -> None:
    """Make a successor with the same rights; the old key ends after the overlap."""

    async def use(console: Console) -> str:
        return (await console.keys.rotate(_parsed(key_id), overlap_hours=overlap_hours)).text

    click.echo(run(settings, use))


def _parsed(key_id: str) -> int:
    from hub.model.ids import InvalidId, Prefix, parse_id  # noqa: PLC0415

    try:
        return parse_id(Prefix.API_KEY, key_id)
    except InvalidId as error:
        raise click.UsageError(f"{key_id}: {error}. `hub keys list` shows the ids.") from None
