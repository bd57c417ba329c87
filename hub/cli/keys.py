"""hub keys: create, list, rotate, revoke. Works on the database itself, so it needs no key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hub.cli.console import parsed_id, run
from hub.config.settings import Settings
from hub.model.dialect import NATIVE
from hub.model.ids import Prefix, id_text
from hub.model.key import SCOPES

if TYPE_CHECKING:
    from hub.app.console import Console

_LISTED_BY = "hub keys list"


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
    help="Repeat for several; none means admin, or for a vendor's key all that its client can do.",
)
@click.option(
    "--line", "lines", multiple=True, help="Handle of a line; repeat for several; none means every line."
)
@click.option(
    "--dialect",
    default=NATIVE,
    show_default=True,
    help="Whose client uses it: native, ava, blooio, coop or msgbubbles. Decides how the key begins.",
)
@click.pass_obj
def create(
    settings: Settings, name: str, scopes: tuple[str, ...], lines: tuple[str, ...], dialect: str
) -> None:
    """Make a key. It is shown once."""
    from hub.flow.keys import KeyWish  # noqa: PLC0415

    async def use(console: Console) -> str:
        known = {line.handle: line.id for line in await console.store.lines.all()}
        missing = [handle for handle in lines if handle not in known]
        if missing:
            raise click.UsageError(f"No line {missing[0]}. There are: {', '.join(sorted(known)) or 'none'}.")
        wish = KeyWish(
            name=name,
            scopes=frozenset(scopes) or _default_scopes(dialect),
            dialect=dialect,
            line_ids=frozenset(known[handle] for handle in lines) or None,
        )
        return (await console.keys.create(wish)).text

    click.echo(run(settings, use))


def _default_scopes(dialect: str) -> frozenset[str]:
    from hub.dialects.registry import DIALECTS  # noqa: PLC0415

    return next((each.scopes for each in DIALECTS if each.name == dialect), frozenset({"admin"}))


@keys.command(name="list")
@click.pass_obj
def list_keys(settings: Settings) -> None:
    """Show the keys, never their text."""
    from hub.flow.keys import is_live  # noqa: PLC0415

    async def use(console: Console) -> list[str]:
        rows, now_ms = [], console.clock.now_ms()
        for key in await console.store.keys.list(after=None, limit=1000):
            state = "revoked" if key.revoked_at else "valid" if is_live(key, now_ms) else "expired"
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
    number = parsed_id(Prefix.API_KEY, key_id, listed_by=_LISTED_BY)

    async def use(console: Console) -> None:
        await console.keys.revoke(number)

    run(settings, use)
    click.echo(f"{key_id} is revoked.")


@keys.command()
@click.argument("key_id")
@click.option(
    "--overlap-hours",
    default=24.0,
    show_default=True,
    type=click.FloatRange(0, 168),
    help="How long the old key still works.",
)
@click.pass_obj
def rotate(settings: Settings, key_id: str, overlap_hours: float) -> None:
    """Make a successor with the same rights; the old key ends after the overlap."""

    number = parsed_id(Prefix.API_KEY, key_id, listed_by=_LISTED_BY)

    async def use(console: Console) -> str:
        return (await console.keys.rotate(number, overlap_hours=overlap_hours)).text

    click.echo(run(settings, use))
